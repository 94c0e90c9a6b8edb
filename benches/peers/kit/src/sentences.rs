//! The text of W3: the same sentences in every engine. `README.md` holds the algorithm.

use std::array;

/// The sentences repeat after this many.
pub const SENTENCES: usize = 1000;
/// Words in each sentence.
pub const WORDS_PER_SENTENCE: usize = 10;
const VOCABULARY: usize = 1000;

/// Knuth's 64-bit linear congruential generator; the upper 31 bits of its state are used.
struct Lcg(u64);

impl Lcg {
    fn below(&mut self, bound: u64) -> u64 {
        const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
        const INCREMENT: u64 = 1_442_695_040_888_963_407;
        self.0 = self.0.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT);
        (self.0 >> 33) % bound
    }

    fn word(&mut self) -> String {
        let letters = 3 + self.below(7);
        (0..letters)
            .map(|_| char::from(b'a' + self.below(26) as u8))
            .collect()
    }
}

/// Draws the vocabulary, then the sentences; lives as long as the process.
#[must_use]
pub fn sentences() -> &'static [&'static str] {
    let mut lcg = Lcg(42);
    let vocabulary: Vec<String> = (0..VOCABULARY).map(|_| lcg.word()).collect();
    let mut sentence = || {
        let words: [&str; WORDS_PER_SENTENCE] =
            array::from_fn(|_| vocabulary[lcg.below(VOCABULARY as u64) as usize].as_str());
        &*words.join(" ").leak()
    };
    (0..SENTENCES)
        .map(|_| sentence())
        .collect::<Vec<_>>()
        .leak()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FNV-1a over the sentences, a line feed after each.
    fn fingerprint(sentences: &[&str]) -> u64 {
        let text = sentences.iter().flat_map(|s| s.bytes().chain([b'\n']));
        text.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    #[test]
    fn the_text_is_the_one_in_the_readme() {
        let sentences = sentences();
        assert!(sentences[0].starts_with("sqejkivym zdohjrsvb nwzpk oitau "));
        assert_eq!(fingerprint(sentences), 0xc501_8325_2fbd_5dd5);
    }
}
