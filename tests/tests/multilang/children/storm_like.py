"""A bolt and a spout that speak as Storm's own module does: message by message, each flushed at once,
`sync` after each command, and an emit that waits for task ids unless it is direct.

What it was told goes, line by line, into the file `SAID`.
"""

import json
import os
import sys
from collections import deque

SAID = open(os.environ["SAID"], "a", buffering=1)
pending_commands = deque()
pending_task_ids = deque()


def read_message():
    lines = []
    while True:
        line = sys.stdin.readline()
        if not line:
            sys.exit(0)
        if line == "end\n":
            return json.loads("".join(lines))
        lines.append(line)


def read_task_ids():
    if pending_task_ids:
        return pending_task_ids.popleft()
    message = read_message()
    while not isinstance(message, list):
        pending_commands.append(message)
        message = read_message()
    return message


def read_command():
    if pending_commands:
        return pending_commands.popleft()
    message = read_message()
    while isinstance(message, list):
        pending_task_ids.append(message)
        message = read_message()
    return message


def send(message):
    print(json.dumps(message), flush=True)
    print("end", flush=True)


def emit(values, **more):
    send({"command": "emit", "tuple": values, **more})
    return read_task_ids() if "task" not in more else None


def heard(what):
    SAID.write(json.dumps(what, sort_keys=True) + "\n")


def handshake():
    setup = read_message()
    heard(sorted(setup))
    heard(setup["conf"])
    heard(setup["context"])
    pid = os.getpid()
    send({"pid": pid})
    path = os.path.join(setup["pidDir"], str(pid))
    open(path, "w").close()
    heard(os.path.getsize(path))


def bolt():
    while True:
        tup = read_command()
        heard(tup)
        assert isinstance(tup["id"], str) and str(int(tup["id"])) == tup["id"]
        if tup["task"] == -1 and tup["stream"] == "__heartbeat":
            send({"command": "sync"})
            continue
        if tup["comp"] == "__system" and tup["stream"] == "__tick":
            send({"command": "ack", "id": tup["id"]})
            continue
        word = tup["tuple"][0]
        heard(emit([word], anchors=[tup["id"]]))
        send({"command": "metrics", "name": "words", "params": 2})
        for level in range(5):
            send({"command": "log", "msg": "level %d" % level, "level": level})
        send({"command": "log", "msg": "no level"})
        if word == "wrong":
            send({"command": "error", "msg": "word is wrong"})
            send({"command": "fail", "id": tup["id"]})
        else:
            send({"command": "ack", "id": tup["id"]})


def spout():
    left = [{"n": 2}, {"n": 1}, {"n": 0}]
    waiting = 0
    while True:
        message = read_command()
        heard(message)
        command = message["command"]
        if command == "next" and left:
            id = left.pop()
            heard(emit([id["n"]], id=id))
            waiting += 1
        elif command in ("ack", "fail"):
            waiting -= 1
        if command == "fail":
            left.append(message["id"])
        send({"command": "sync"})
        if not left and not waiting:
            sys.exit(0)


handshake()
(spout if "spout" in sys.argv else bolt)()
