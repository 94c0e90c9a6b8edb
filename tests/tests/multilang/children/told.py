"""Emits each word on the stream `words`, and on `told` the word and the ids of who got it.

It asks for several at a time where `conf["ahead"]` says so, and reads the answers afterwards.
"""

import tormenta


class Told(tormenta.Bolt):
    def initialize(self, conf, context):
        self.tasks = context["task->component"]
        self.ahead = conf["ahead"]
        self.asked = []

    def process(self, tup):
        self.asked.append(tup)
        if self.ahead == 1:
            self.tell(tup, tormenta.emit(tup.values, "words", [tup], need_task_ids=True))
            self.asked.clear()
            return
        tormenta.sendMsgToParent(
            {"command": "emit", "stream": "words", "anchors": [tup.id], "tuple": tup.values})
        if len(self.asked) == self.ahead:
            for tup in self.asked:
                self.tell(tup, tormenta.readTaskIds())
            self.asked.clear()

    def tell(self, tup, ids):
        if any(str(id) not in self.tasks for id in ids):
            raise ValueError("nobody knows these: %s" % ids)
        told = "%s %s" % (tup.values[0], " ".join(map(str, sorted(ids))))
        tormenta.emit([told.strip()], "told", [tup])
        tormenta.ack(tup)


Told().run()
