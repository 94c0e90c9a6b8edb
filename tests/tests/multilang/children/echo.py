"""Emits what it is given, anchored to it."""

import tormenta


class Echo(tormenta.BasicBolt):
    def process(self, tup):
        tormenta.emit(tup.values)


Echo().run()
