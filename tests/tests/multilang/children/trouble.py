"""Echoes, and gets into trouble at the words that ask for it: once each, as the folder remembers.

`TROUBLE` is that folder. `TROUBLE/pids` gets the id of every process.
"""

import os
import sys
import time

import tormenta

FOLDER = os.environ["TROUBLE"]


def first_time(name):
    try:
        os.close(os.open(os.path.join(FOLDER, name), os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


class Trouble(tormenta.BasicBolt):
    def initialize(self, conf, context):
        with open(os.path.join(FOLDER, "pids"), "a") as pids:
            pids.write("%d\n" % os.getpid())

    def process(self, tup):
        word = tup.values[0]
        if ":" in word and first_time(word):
            getattr(self, word.split(":")[0])()
        tormenta.emit([word])

    def crash(self):
        sys.stderr.write("out of luck\n")
        sys.stderr.flush()
        os._exit(3)

    def hang(self):
        time.sleep(1000)

    def fail(self):
        raise ValueError("not this one")

    def nonsense(self):
        os.write(tormenta._sink, b"debug: \xff here\n")
        time.sleep(1000)

    def huge(self):
        os.write(tormenta._sink, b'{"command":"log","msg":"' + b"x" * (1 << 20))
        time.sleep(1000)

    def wrong(self):
        tormenta.emit([1, 2, 3])

    def nobody(self):
        tormenta._out.append('{"command":"ack","id":"99999999"}\nend\n')
        tormenta.flush()
        time.sleep(1000)

    def orphan(self):
        try:
            if os.fork() == 0:
                with open(os.path.join(FOLDER, "pids"), "a") as pids:
                    pids.write("%d\n" % os.getpid())
                time.sleep(8)
                first_time("late")
        finally:
            os._exit(4)

    def die(self):
        os.kill(os.getpid(), 9)


Trouble().run()
