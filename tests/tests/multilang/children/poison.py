"""Echoes, and dies of some words: each time, and without a word of farewell."""

import os

import tormenta


class Poison(tormenta.BasicBolt):
    def process(self, tup):
        if tup.values[0].startswith("kill:"):
            os._exit(3)
        tormenta.emit(tup.values)


Poison().run()
