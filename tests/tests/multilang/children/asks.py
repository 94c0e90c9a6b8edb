"""Emits what it is given, anchored to it, and waits each time for the ids of the tasks that get it."""

import tormenta


class Asks(tormenta.BasicBolt):
    def process(self, tup):
        tormenta.emit(tup.values, need_task_ids=True)


Asks().run()
