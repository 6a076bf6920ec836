#!/usr/bin/env python3
"""What client suites ask of `rabbitmqctl`, asked of the management API at 127.0.0.1:15672, so that both sides can do it.

What has no counterpart there (`eval`, `stop_app`, a watermark) ends with 64, and the test that wants it fails on both sides.
"""

import base64
import contextlib
import json
import os
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import quote

LEARNS_S = 5.5
API = "http://127.0.0.1:15672/api/"
LOGIN = "Basic " + base64.b64encode(b"guest:guest").decode()


class Refused(Exception):
    """What the API answered instead: code and words."""


def ask(method, *parts, body=None, headers=None):
    """Returns what the API answered.

    Raises Refused with its code and words.
    """
    url = API + "/".join(quote(part, safe="") for part in parts)
    headers = {"authorization": LOGIN, "content-type": "application/json", **(headers or {})}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=10) as answer:
            text = answer.read()
    except urllib.error.HTTPError as refused:
        raise Refused(f"{method} {url}: {refused.code} {refused.read().decode()}") from refused
    return json.loads(text) if text else None


def connections():
    """Lists the connections; a live broker's API learns of those that came last within five seconds."""
    if os.environ.get("RMQPLAY_SUITE_SIDE") == "live":
        time.sleep(LEARNS_S)
    return ask("GET", "connections")


def close(name, reason):
    ask("DELETE", "connections", name, headers={"X-Reason": reason})


def close_all(reason):
    for one in connections():
        # Whoever has gone meanwhile needs no more.
        with contextlib.suppress(Refused):
            close(one["name"], reason)


def list_connections():
    for one in connections():
        name = one.get("client_properties", {}).get("connection_name", "")
        print(one["name"], one["peer_port"], f'[{{"connection_name","{name}"}}]', sep="\t")


def user(name):
    return ask("GET", "users", name)


def main(words):
    # `-n NODE` and `-q` say nothing here; `-p` names the vhost, `--priority` is a policy's.
    options = {"-n": "", "-p": "/", "--priority": "0"}
    rest = []
    words = iter(words)
    for word in words:
        if word in options:
            options[word] = next(words)
        elif word != "-q":
            rest.append(word)
    vhost = options["-p"]
    match rest:
        case [_, "--help"]:
            pass
        case ["list_connections", *_]:
            list_connections()
        case ["close_connection", name, reason]:
            close(name, reason)
        case ["close_all_connections", reason]:
            close_all(reason)
        case ["trace_on" | "trace_off" as command]:
            ask("PUT", "vhosts", vhost, body={"tracing": command == "trace_on"})
        case ["add_vhost", name]:
            ask("PUT", "vhosts", name, body={})
        case ["delete_vhost", name]:
            ask("DELETE", "vhosts", name)
        case ["add_user", name, password]:
            ask("PUT", "users", name, body={"password": password, "tags": ""})
        case ["delete_user", name]:
            ask("DELETE", "users", name)
        case ["set_user_tags", name, *tags]:
            ask("PUT", "users", name, body={"password_hash": user(name)["password_hash"], "tags": ",".join(tags)})
        case ["set_permissions", name, configure, write, read]:
            ask("PUT", "permissions", vhost, name, body={"configure": configure, "write": write, "read": read})
        case ["clear_permissions", name]:
            ask("DELETE", "permissions", vhost, name)
        case ["set_topic_permissions", name, exchange, write, read]:
            ask("PUT", "topic-permissions", vhost, name, body={"exchange": exchange, "write": write, "read": read})
        case ["clear_topic_permissions", name]:
            ask("DELETE", "topic-permissions", vhost, name)
        case ["set_policy", name, pattern, definition]:
            body = {"pattern": pattern, "definition": json.loads(definition), "priority": int(options["--priority"])}
            ask("PUT", "policies", vhost, name, body=body)
        case ["clear_policy", name]:
            ask("DELETE", "policies", vhost, name)
        case ["delete_queue", name]:
            ask("DELETE", "queues", vhost, name)
        case _:
            print(f"not known: {' '.join(rest)}", file=sys.stderr)
            sys.exit(64)


try:
    main(sys.argv[1:])
except Refused as refused:
    print(refused, file=sys.stderr)
    sys.exit(70)
