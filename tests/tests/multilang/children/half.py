"""Has texts with half a character, as names of files may be: one that it emits, one in an error."""

import tormenta


class Half(tormenta.BasicBolt):
    def process(self, tup):
        word = tup.values[0]
        if word == "13":
            raise ValueError("no file \udcff")
        if word == "14":
            tormenta.logInfo("half: \ud83d")
            tormenta.emit(["\ud83d"])
        tormenta.emit([word + " \U0001f600"])


Half().run()
