"""Splits lines into words: the bolt in the middle of `python_words.rs`."""

import tormenta


class Split(tormenta.BasicBolt):
    def process(self, tup):
        for word in tup.values[0].split():
            word = word.strip(".,;:!?()`*'\"|").lower()
            if word:
                tormenta.emit([word])


Split().run()
