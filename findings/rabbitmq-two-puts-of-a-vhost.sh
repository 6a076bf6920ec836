#!/usr/bin/env bash
# Two clients make one virtual host at once: both are told that it is there before the maker may enter it.
#
# version    RabbitMQ 3.10.8, 4.0.5 and 4.3.6
# behaviour  PUT /api/vhosts/NAME answers 201 when the virtual host is there and
#            whoever made it has all rights in it. A second PUT of the same name
#            meanwhile is answered, too, with 201 or 204, while the rights are not
#            yet there: an AMQP connection of that very user is refused, 530.
# source     RabbitMQ, rabbit_mgmt_wm_vhost.erl and rabbit_vhost.erl: the virtual
#            host is put first, the rights of its maker are set after it, and a
#            second request takes the stored virtual host for a finished one.
# seen       on RabbitMQ 3.10.8, 4.0.5 and 4.3.6, 2026-11-30, three times of three:
#            all PUTs succeeded: True
#            five times one of two makers was refused: True
#            and entered a moment later: True
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0 3.10
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import os
import threading

import pika
from finding import expect, management

ROUNDS = 200


def enters(name):
    parameters = pika.URLParameters(os.environ["AMQP_URL"])
    parameters.virtual_host = name
    try:
        pika.BlockingConnection(parameters).close()
        return True
    except pika.exceptions.ProbableAccessDeniedError:
        return False


def makes_and_enters(name, seen):
    status, _ = management("PUT", f"/vhosts/{name}", {})
    seen.append((status, enters(name)))


refused, again, statuses = 0, [], set()
for number in range(ROUNDS):
    name, seen = f"{os.environ['VHOST']}-{number}", []
    makers = [threading.Thread(target=makes_and_enters, args=(name, seen)) for _ in range(2)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    statuses |= {status for status, _ in seen}
    if len(seen) == 2 and not all(entered for _, entered in seen):
        refused += 1
        again.append(enters(name))
    management("DELETE", f"/vhosts/{name}")
    if refused == 5:
        break
expect("all PUTs succeeded", statuses <= {201, 204}, True)
expect("five times one of two makers was refused", refused == 5, True)
expect("and entered a moment later", all(again), True)
PYTHON
