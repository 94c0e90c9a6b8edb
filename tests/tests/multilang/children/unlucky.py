"""Fails three tuples: by an exception, as Storm's own module tells it, and without a reason."""

import tormenta


class Unlucky(tormenta.BasicBolt):
    def process(self, tup):
        if tup.values[0] == "13":
            raise ValueError("unlucky\n  13")


class Plain(Unlucky):
    def _step(self, tup):
        if tup.values[0] == "14":
            tormenta.reportError("Traceback:\n  line 1\nstorm says 14\n")
            tormenta.fail(tup)
        elif tup.values[0] == "17":
            tormenta.reportError("of nobody")
            tormenta.log("an ack is in between")
            tormenta.ack(tup)
        elif tup.values[0] == "18":
            tormenta.fail(tup)
        else:
            Unlucky._step(self, tup)


Plain().run()
