"""Counts words, and says how many there were at the end."""

from collections import Counter

import tormenta


class Count(tormenta.BasicBolt):
    def initialize(self, conf, context):
        self.counts = Counter()

    def process(self, tup):
        self.counts[tup.values[0]] += 1

    def finish(self):
        for word, count in self.counts.items():
            tormenta.emit([word, count])


Count().run()
