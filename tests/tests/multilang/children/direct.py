"""Emits each word to one task of `direct` alone, by turns. Words that begin with `to:` name a task."""

import tormenta


def aim(context, word):
    if word.startswith("to:"):
        return int(word.split(":")[1])
    tasks = context["task->component"]
    ids = sorted(int(id) for id in tasks if tasks[id] == "direct")
    return ids[int(word[1:]) % len(ids)]


class Direct(tormenta.BasicBolt):
    def initialize(self, conf, context):
        self.context = context

    def process(self, tup):
        word = tup.values[0]
        tormenta.emitDirect(aim(self.context, word), [word])


class DirectSpout(tormenta.Spout):
    def initialize(self, conf, context):
        self.context = context
        self.words = ["a%d" % n for n in range(90)] + ["to:99", "to:1"]

    def nextTuple(self):
        word = self.words.pop()
        tormenta.emitDirect(aim(self.context, word), [word], id=word)
        if not self.words:
            self.end()


if __name__ == "__main__":
    import sys

    (DirectSpout if "spout" in sys.argv else Direct)().run()
