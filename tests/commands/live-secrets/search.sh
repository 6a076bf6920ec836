# Runs every command that talks to a broker with a password in every place that can hold one, and looks for it in all outputs.
secret=$1
user=commands.secrets
place=${BROKER#*@}
url=amqp://$user:$secret@$place
export HOME=$PWD
cat > rmqplay.yaml <<YAML
brokers:
  by-url: $url
  by-key: {url: "amqp://$place", username: $user, password: "$secret"}
  by-variable: {url: "amqp://$place", username: $user, password: "{{ env.SECRET }}"}
  broken: {url: "amqp://$user:$secret@$place?password=$secret", pasword: "$secret", heartbeat: "$secret"}
YAML
port=${MANAGEMENT%/api}
cat > .rabbitmqadmin.conf <<CONF
[node]
hostname = "127.0.0.1"
port = ${port##*:}
username = "$user"
password = "$secret"
[broken]
hostname = "127.0.0.1"
port = 1
password = "$secret" and more
CONF
sed '/broken/,$d' .rabbitmqadmin.conf > nodes.conf
printf 'users:\n  - {name: commands.secrets.other, pasword: "%s", tags: []}\n  - {name: third, password: ["%s"]}\nqueues:\n  - {name: q, typo: 1}\n' "$secret" "$secret" > broken.yaml
printf 'vhost: commands.secrets\nusers:\n  - {name: commands.secrets.other, password: "%s", tags: []}\nqueues:\n  - {name: q}\n' "$secret" > whole.yaml
printf 'pass: "%s"\n' "$secret" > vars.yaml
commands() { # ARGUMENTS that name the broker
  for verbose in "" -v; do
    rmqplay wait $verbose --timeout 1s "$@"
    rmqplay doctor $verbose "$@"
    rmqplay doctor $verbose --json "$@"
    rmqplay clean $verbose --older-than 9999d "$@"
    rmqplay plan $verbose whole.yaml --vars-file vars.yaml "$@"
    rmqplay plan $verbose --json whole.yaml "$@"
    rmqplay plan $verbose broken.yaml "$@"
    rmqplay apply $verbose whole.yaml "$@"
    rmqplay apply $verbose whole.yaml --yes "$@"
    rmqplay plan $verbose whole.yaml --var "pass=$secret" "$@"
  done
}
{
  commands --broker "$url"
  commands --broker "$url?heartbeat=5"
  commands --broker "$url?password=$secret"
  commands --broker "amqp://$place?password=$secret&heartbeat=$secret"
  commands --broker "amqp://$user:1/$secret@$place"
  commands --broker "amqp://$user:1?$secret@$place"
  commands --broker "amqp://$user:1#$secret@$place"
  commands --broker "$user:$secret@$place"
  commands --broker "amqp://$user:$secret@127.0.0.1:9"
  commands --broker "amqps://$user:$secret@$place"
  commands --broker "amqp://$user:$secret%zz@$place"
  commands --broker "amqp://$user:wrong$secret@$place"
  commands --broker "$url" --management "http://$user:$secret@127.0.0.1:9"
  commands --broker by-url
  commands --broker by-key
  SECRET=$secret commands --broker by-variable
  commands --broker broken
  commands --broker node:node
  RABBITMQADMIN_CONFIG_FILE_PATH=nodes.conf commands --node node
  RABBITMQADMIN_CONFIG_FILE_PATH=nodes.conf RABBITMQADMIN_NODE_ALIAS=node commands
  RABBITMQADMIN_PASSWORD=$secret RABBITMQADMIN_USERNAME=$user RABBITMQADMIN_TARGET_HOST=127.0.0.1 commands
  RABBITMQ_URL=$url commands
  RABBITMQ_URL="amqp://$user:1#$secret@$place" commands --broker env
  RABBITMQ_HOST=127.0.0.1 RABBITMQ_PORT=${place##*:} RABBITMQ_USER=$user RABBITMQ_PASSWORD=$secret commands
  for broker in "$url" by-key node:node; do
    rmqplay run -v scenarios/ttl-dlq.yaml --broker "$broker" --trace
    rmqplay run -v scenarios/ttl-dlq.yaml --broker "$broker" --json --report junit:report.xml
    rmqplay run -v scenarios/least-privilege.yaml --broker "$broker" --keep-vhost --trace
  done
  rmqplay clean --older-than 0s --broker "$url" --force
  rmqplay check whole.yaml broken.yaml
  rmqplay check --json whole.yaml broken.yaml
  rmqplay fmt --check whole.yaml
  cat report.xml scenarios/snapshots/*.snap*
} > said.txt 2>&1
lines=$(wc -l < said.txt)
[ "$lines" -gt 2000 ] && echo "much was said"
grep -n -F "$secret" said.txt | head -n 5
grep -c -F "$secret" said.txt
