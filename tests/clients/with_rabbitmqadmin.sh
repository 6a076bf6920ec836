#!/usr/bin/env bash
# What rabbitmqadmin v2 is told by the management API of a broker, which RABBITMQ_MANAGEMENT_URL names. It makes a vhost and a
# user of its own: others of a live broker are not compared, nor what tells nodes and statistics.
set -u
readonly VHOST=rmqplay-rabbitmqadmin NEW_USER=rmqplay-rabbitmqadmin-user
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
cd "$folder" || exit
place=${RABBITMQ_MANAGEMENT_URL#http://}

ask() { # WORDS…
    # Without the configuration of whoever runs this.
    HOME=$folder rabbitmqadmin -H "${place%:*}" -P "${place##*:}" -u "${user:-guest}" -p "${password:-guest}" -V "$VHOST" --non-interactive "$@" 2>&1
}

# What versions word in another way.
as_on_all() {
    sed -E 's/&lt;/</g; s/&gt;/>/g; s/^Login failed$/Not_Authorized/; s/ACCESS_REFUSED - read access/ACCESS_REFUSED - access/; s/^inactive protocols /inactive protocol /'
}

admin() { # WORDS…
    local said code=0
    echo "\$ rabbitmqadmin $*"
    said=$(ask "$@") || code=$?
    # Lists are wide tables: one space between columns, and of some only the first columns.
    [ -z "$said" ] || tr -s ' ' <<<"$said" | grep -E "${lines:-}" | cut -d' ' -f"1-${columns:-}" | sed -E "s/ +$//" | as_on_all
    echo "[exit $code]"
}

admin declare vhost --name "$VHOST" --description 'of rabbitmqadmin' --default-queue-type quorum
lines=$VHOST columns=1 admin list vhosts
admin declare queue --name work --type quorum --arguments '{"x-delivery-limit": 3}'
admin declare queue --name late --type classic --arguments '{"x-message-ttl": 60000}'
admin declare queue --name late --type classic --arguments '{"x-message-ttl": 1}'
admin declare queue --name late --type classic --arguments '{"x-message-ttl": "soon"}'
admin declare exchange --name orders --type topic
admin declare exchange --name orders --type fanout
admin declare exchange --name odd --type no-such-type
admin declare exchange --name amq.mine --type topic
admin declare binding --source orders --destination-type queue --destination work --routing-key 'order.#'
admin declare binding --source orders --destination-type queue --destination late --routing-key 'order.#' --arguments '{"x": 1}'
admin declare binding --source orders --destination-type exchange --destination amq.fanout --routing-key ''
admin declare binding --source orders --destination-type queue --destination missing --routing-key x
columns=7 admin list queues
admin list exchanges
lines=orders columns=5 admin list bindings
admin delete binding --source orders --destination-type queue --destination late --routing-key 'order.#' --arguments '{"x": 1}'
admin delete binding --source orders --destination-type queue --destination late --routing-key 'order.#' --arguments '{"x": 1}'
admin declare policy --name short --pattern '^late$' --apply-to queues --priority 3 --definition '{"max-length": 5}'
admin declare policy --name wrong --pattern '^late$' --apply-to queues --definition '{"no-such-key": 5}'
admin declare policy --name wrong --pattern '^late$' --apply-to queues --definition '{"max-length": -5}'
admin policies update_definition --name short --definition-key max-length --new-value 7
admin policies patch --name short --definition '{"expires": 3600000}'
admin policies list_matching_object --name late --type queues
admin declare operator_policy --name cap --pattern '^late$' --apply-to queues --definition '{"max-length": 9}'
lines=$VHOST admin list operator_policies
admin publish message --exchange orders --routing-key order.new --payload 'an order' --properties '{"content_type": "text/plain"}'
admin publish message --exchange orders --routing-key nothing --payload lost
admin publish message --routing-key late --payload 'a late one'
admin get messages --queue late --count 1 --ack-mode ack_requeue_true
admin get messages --queue late --count 5 --ack-mode ack_requeue_false
admin get messages --queue late
admin get messages --queue missing
admin purge queue --name work
admin purge queue --name missing
admin declare vhost_limit --name max-queues --value 2
admin declare vhost_limit --name max-nothing --value 2
admin declare queue --name more --type classic
lines=$VHOST admin list vhost_limits
admin delete vhost_limit --name max-queues
admin declare user --name "$NEW_USER" --password secret --tags monitoring
admin declare user_limit --username "$NEW_USER" --name max-channels --value 5
admin declare permissions --username "$NEW_USER" --configure '^mine' --write '.*' --read '^late$'
admin declare permissions --username "$NEW_USER" --configure '(' --write '.*' --read '.*'
lines=$NEW_USER columns=2 admin list permissions
lines=$NEW_USER admin list user_limits
user=$NEW_USER password=secret admin declare queue --name other --type classic
user=$NEW_USER password=secret admin get messages --queue work
user=$NEW_USER password=secret admin declare policy --name own --pattern x --apply-to queues --definition '{"max-length": 5}'
user=$NEW_USER password=secret admin list vhost_limits
user=$NEW_USER password=wrong admin list queues
admin declare parameter --component no-such-component --name one --value '{"a": 1}'
admin delete permissions --username "$NEW_USER"
admin delete user --name "$NEW_USER"
admin delete user --name "$NEW_USER"
admin health_check local_alarms
admin health_check cluster_wide_alarms
admin health_check protocol_listener --protocol amqp
admin health_check protocol_listener --protocol mqtt-of-nobody
admin health_check port_listener --port 1
admin close connection --name 'nobody -> nowhere'
admin close user_connections --username rmqplay-nobody
ask definitions export_from_vhost --file own.json
jq -cS '.queues, .exchanges, .policies | sort_by(.name)[] | del(.vhost, .type, .internal)' own.json
admin delete queue --name late
admin delete queue --name late
admin delete queue --name late --idempotently
admin delete exchange --name orders
admin delete policy --name short
admin definitions import_into_vhost --file own.json
columns=7 admin list queues
echo '{"queues": [{"name": "bad", "durable": true, "auto_delete": false, "arguments": {"x-message-ttl": -1}}]}' >bad.json
admin definitions import_into_vhost --file bad.json
admin delete vhost --name "$VHOST"
admin delete vhost --name "$VHOST"
admin list bindings
