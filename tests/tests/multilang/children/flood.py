"""A spout that emits 100,000 tuples in one call. `TROUBLE/written` has how many have left it."""

import os

import tormenta

WRITTEN = os.path.join(os.environ["TROUBLE"], "written")


class Flood(tormenta.Spout):
    def nextTuple(self):
        for n in range(100):
            for _ in range(1000):
                tormenta.emit(["x" * 1000])
            tormenta.flush()
            with open(WRITTEN, "w") as written:
                written.write(str((n + 1) * 1000))
        self.end()


Flood().run()
