"""Emits two and two together, anchored to both, and something that is anchored to nothing."""

import tormenta


class Pairs(tormenta.Bolt):
    def initialize(self, conf, context):
        self.first = None
        self.ticks = 0
        tormenta.rpcMetrics("began")
        tormenta.rpcMetrics("limit", conf["limit"])
        tormenta.log("%(componentid)s begins" % context)

    def process(self, tup):
        if tup.is_tick_tuple():
            self.ticks += 1
            tormenta.emit([tup.values[0]], "ticks")
            tormenta.ack(tup)
        elif self.first is None:
            self.first = tup
        else:
            both = [self.first, tup]
            tormenta.emit([tup.values[0] + self.first.values[0]], "pairs", anchors=both)
            for one in both:
                tormenta.ack(one)
            self.first = None


Pairs().run()
