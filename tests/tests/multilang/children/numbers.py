"""A spout that replays by itself: numbers up to `conf["end"]`, until all are acked.

It dies once, at half the way, and begins again where the file says that it was.
"""

import os

import tormenta

DONE = os.path.join(os.environ["TROUBLE"], "done")


class Numbers(tormenta.Spout):
    def initialize(self, conf, context):
        self.end_at = conf["end"]
        done = set()
        if os.path.exists(DONE):
            with open(DONE) as lines:
                done = {int(line) for line in lines}
        self.is_second = bool(done)
        self.due = [n for n in range(self.end_at) if n not in done]
        self.open = set(self.due)
        self.file = open(DONE, "a")

    def nextTuple(self):
        if self.due:
            n = self.due.pop()
            tormenta.emit([n], id={"number": n})
        elif not self.open:
            self.end()

    def ack(self, id):
        self.open.discard(id["number"])
        self.file.write("%d\n" % id["number"])
        self.file.flush()
        if not self.is_second and len(self.open) * 2 < self.end_at:
            os._exit(7)
        if not self.open:
            self.end()

    def fail(self, id):
        self.due.append(id["number"])
        tormenta.rpcMetrics("replayed")


Numbers().run()
