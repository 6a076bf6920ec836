#!/usr/bin/env bash
# All consumers of a sharded exchange crowd on one shard where the shards are quorum queues, and the others wait for ever.
#
# version    RabbitMQ 4.0.5 and 4.3.6 with their plugin rabbitmq_sharding (client: pika 1.4.4)
# behaviour  A policy cuts an x-modulus-hash exchange into three shards, and six consumers
#            subscribe to it by its name: the plugin sends each to the shard with the fewest
#            consumers. Where the virtual host's default queue type is classic, each shard gets
#            two. Where it is quorum, the shards are quorum queues (nothing refuses that), all
#            six go to the first shard, and what is in the others is not delivered, however
#            long one waits: consumers are not spread again. Six that come seconds apart are spread.
# source     rabbit_sharding_interceptor.erl asks each shard for its number of consumers;
#            rabbit_quorum_queue.erl answers from metrics that are written by its tick, every five seconds.
# seen       on RabbitMQ 4.3.6 and 4.0.5, 2026-11-30, twice each:
#            classic shards: consumers [2, 2, 2], messages left [0, 0, 0]
#            quorum shards: consumers [6, 0, 0], messages left [0, 13, 9]
# shellcheck disable=SC2034 # read by support/setup.sh
PLUGINS=rabbitmq_sharding
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import time

from finding import VHOST, confirming, connect, expect, management, waited_for

SHARDS, CONSUMERS, MESSAGES = 3, 6, 30
connection = connect()


def shards(exchange):
    listed = management("GET", f"/queues/{VHOST}?disable_stats=true&enable_queue_totals=true")[1]
    return sorted(queue["name"] for queue in listed if queue["name"].startswith(f"sharding: {exchange} "))


def spread(kind):
    """Returns the consumers of each shard, and what is left in it when they had time to take all."""
    management("PUT", f"/vhosts/{VHOST}", {"default_queue_type": kind})
    exchange = f"by-{kind}"
    channel = confirming(connection)
    channel.exchange_declare(exchange, "x-modulus-hash", durable=True)
    if not waited_for(lambda: len(shards(exchange)) == SHARDS):
        print("not tried: no shards were made (is rabbitmq_sharding enabled?)")
        raise SystemExit(2)
    for number in range(MESSAGES):
        channel.basic_publish(exchange, str(number), str(number))
    taking = connection.channel()
    taking.basic_qos(prefetch_count=MESSAGES)
    for _ in range(CONSUMERS):
        taking.basic_consume(exchange, lambda channel, method, *_: channel.basic_ack(method.delivery_tag))
    # Longer than the tick, so that the numbers are those of now.
    until = time.monotonic() + 12
    while time.monotonic() < until:
        connection.process_data_events(0.5)
    of = [management("GET", f"/queues/{VHOST}/{name.replace(' ', '%20').replace('@', '%40')}")[1] for name in shards(exchange)]
    return [queue["consumers"] for queue in of], [queue["messages"] for queue in of]


policy = {"pattern": "^by-", "apply-to": "exchanges", "definition": {"shards-per-node": SHARDS}}
status, answer = management("PUT", f"/policies/{VHOST}/shards", policy)
if status not in (201, 204):
    print(f"not tried: the broker takes no such policy ({status} {answer})")
    raise SystemExit(2)
consumers, left = spread("classic")
expect("classic shards, consumers", consumers, [2, 2, 2])
expect("classic shards, messages left", left, [0, 0, 0])
consumers, left = spread("quorum")
expect("quorum shards, consumers", consumers, [6, 0, 0])
print(f"quorum shards, messages left: {left}")
expect("messages wait where nobody consumes", [left[0] == 0, left[1] > 0, left[2] > 0], [True, True, True])
connection.close()
PYTHON
