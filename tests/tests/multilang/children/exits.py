"""A spout that emits and exits at once: by `sys.exit`, in the middle of a call."""

import sys

import tormenta


class Exits(tormenta.Spout):
    def initialize(self, conf, context):
        self.left = 3

    def nextTuple(self):
        if not self.left:
            sys.exit(0)
        self.left -= 1
        tormenta.emit([self.left])


Exits().run()
