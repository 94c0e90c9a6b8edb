"""A spout that emits words, and after each the ids of the tasks that got it. It fails one emit, which
is answered all the same, and gives ids to half of them."""

import tormenta


class Told(tormenta.Spout):
    def initialize(self, conf, context):
        self.count = conf["count"]
        self.next = 0

    def nextTuple(self):
        word = "s%d" % self.next
        id = word if self.next % 2 else None
        ids = tormenta.emit([word], "words", id=id, need_task_ids=True)
        tormenta.emit(["%s %s" % (word, " ".join(map(str, sorted(ids))))], "told")
        if self.next == 7:
            assert tormenta.emit(["too", "many"], "words", need_task_ids=True) == []
        self.next += 1
        if self.next == self.count:
            self.end()


Told().run()
