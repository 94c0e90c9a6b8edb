"""A spout without a module, which says all that it has together with its id, and is gone."""

import json
import os
import sys

handshake = json.loads(sys.stdin.readline())
messages = [{"pid": os.getpid()}]
messages += [{"command": "emit", "tuple": [n], "need_task_ids": False} for n in range(3)]
sys.stdout.write("".join(json.dumps(message) + "\nend\n" for message in messages))
