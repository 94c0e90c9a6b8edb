//! The text of W3: 1,000 sentences of 10 words out of a vocabulary of 1,000.
//!
//! The same text as in `benches/peers`, drawn with Knuth's 64-bit linear congruential generator.

use std::sync::LazyLock;

use bytes::Bytes;

/// Words in each sentence.
pub(super) const WORDS: u64 = 10;
const COUNT: usize = 1000;

/// The sentences, made once.
pub(super) static SENTENCES: LazyLock<Vec<Bytes>> = LazyLock::new(|| {
    let mut state = 42;
    let vocabulary: Vec<String> = (0..COUNT).map(|_| word(&mut state)).collect();
    let sentence = |_| {
        let words: Vec<&str> =
            (0..WORDS).map(|_| vocabulary[below(&mut state, COUNT as u64)].as_str()).collect();
        Bytes::from(words.join(" "))
    };
    (0..COUNT).map(sentence).collect()
});

fn below(state: &mut u64, bound: u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    ((*state >> 33) % bound) as usize
}

fn word(state: &mut u64) -> String {
    let letters = 3 + below(state, 7);
    (0..letters).map(|_| char::from(b'a' + below(state, 26) as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_the_peers_text() {
        let text = SENTENCES.iter().flat_map(|sentence| sentence.iter().copied().chain([b'\n']));
        let fingerprint = text.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        assert_eq!(fingerprint, 0xc501_8325_2fbd_5dd5);
    }
}
