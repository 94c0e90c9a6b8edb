"""A spout of two streams that ends when it has no more."""

import tormenta


class Lines(tormenta.Spout):
    def initialize(self, conf, context):
        self.left = 1000
        self.is_first = True

    def nextTuple(self):
        if self.is_first:
            tormenta.emit(["no number"], "odd", id=7)
            self.is_first = False
        self.left -= 1
        tormenta.emit([self.left], "odd" if self.left % 2 else "even")
        if not self.left:
            self.end()


Lines().run()
