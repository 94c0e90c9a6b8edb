"""A bolt without a module: the protocol as it is written down, one message at a time."""

import json
import os
import sys


def read():
    lines = []
    while True:
        line = sys.stdin.readline()
        if not line:
            sys.exit(0)
        if line == "end\n":
            return json.loads("".join(lines))
        lines.append(line)


def say(message):
    print(json.dumps(message))
    print("end", flush=True)


handshake = read()
open(os.path.join(handshake["pidDir"], str(os.getpid())), "w").close()
say({"pid": os.getpid()})
say({"command": "error", "msg": json.dumps(handshake["context"], sort_keys=True)})
pending = []
while True:
    message = pending.pop(0) if pending else read()
    if message["task"] == -1 and message["stream"] == "__heartbeat":
        say({"command": "sync"})
        continue
    # Two emits that wait for task ids: tuples may come before the answer.
    for value in message["tuple"]:
        say({"command": "emit", "anchors": [message["id"]], "tuple": [value]})
        answer = read()
        while not isinstance(answer, list):
            pending.append(answer)
            answer = read()
    say({"command": "ack", "id": message["id"]})
