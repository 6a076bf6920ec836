# Makes 300 small scenarios below suite/: most pass, some fail, are new, are skipped, are noted, or have a matrix.
mkdir -p suite/a suite/b
for n in $(seq 100 399); do
  ready=1 off="snapshot: off" more="" queue=""
  case $n in
    150|250) ready=2 ;;
    160|161) off="" ;;
    170) more="requires: {rabbitmq: \">=4.2\"}" ;;
    180) more="matrix: {type: [classic, quorum]}" queue=", type: \"{{ type }}\"" ;;
    190) more="timeout: 1m" queue=", message_ttl: 0s" ready=0 ;;
  esac
  printf 'scenario: number %s\n%s\ntopology: {queues: [{name: work%s}]}\nsteps:\n  - publish: {exchange: "", routing_key: work, body: x}\n  - expect: {queue: work, ready: %s}\n%s\n' \
    $n "$more" "$queue" $ready "$off" > suite/$([ $((n % 2)) = 0 ] && echo a || echo b)/s$n.yaml
done
