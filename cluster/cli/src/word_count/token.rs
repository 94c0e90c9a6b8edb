//! A word on its way through the topology.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tormenta::{Key, KeyHasher, Tuple, bolts::Word, record::Schema};

/// Bytes of a word that fit into the tuple itself.
pub(crate) const SHORT_MAX: usize = 15;

/// A word. Up to 15 bytes travel in the tuple, so that nobody counts references or fetches the
/// text again; a longer one is a slice of its line. In neither case is anything allocated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Word", into = "Word")]
pub(crate) enum Token {
    /// The bytes from the lowest to the highest, zeros, and the length in the highest byte.
    Short(Packed),
    /// More than 15 bytes.
    Long(Bytes),
}

/// A short word as a number. Equal words are equal numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Packed(u128);

impl Packed {
    /// The first `length` bytes, at most 15, of `bytes`.
    #[inline]
    pub(crate) fn first_of(bytes: u128, length: usize) -> Self {
        let mask = (1u128 << (8 * length)) - 1;
        Self(bytes & mask | (length as u128) << (8 * SHORT_MAX))
    }

    /// The two halves of the number. No word is `(0, 0)`.
    #[inline]
    pub(crate) fn halves(self) -> (u64, u64) {
        (self.0 as u64, (self.0 >> 64) as u64)
    }

    /// What [`halves`](Self::halves) was asked of.
    pub(crate) fn of_halves((low, high): (u64, u64)) -> Self {
        Self(u128::from(low) | u128::from(high) << 64)
    }

    /// The word, in front of what is left of sixteen bytes, and its length.
    #[inline]
    fn unpack(self) -> ([u8; 16], usize) {
        let bytes = self.0.to_le_bytes();
        (bytes, usize::from(bytes[SHORT_MAX]))
    }
}

impl From<Packed> for Bytes {
    fn from(word: Packed) -> Self {
        let (bytes, length) = word.unpack();
        Bytes::copy_from_slice(&bytes[..length])
    }
}

impl From<Word> for Token {
    fn from(Word { word }: Word) -> Self {
        if word.len() > SHORT_MAX {
            return Self::Long(word);
        }
        let mut bytes = [0; 16];
        bytes[..word.len()].copy_from_slice(&word);
        Self::Short(Packed::first_of(u128::from_le_bytes(bytes), word.len()))
    }
}

impl From<Token> for Word {
    fn from(token: Token) -> Self {
        match token {
            Token::Short(word) => Self { word: word.into() },
            Token::Long(word) => Self { word },
        }
    }
}

/// To everybody else it is a [`Word`].
impl Tuple for Token {
    fn schema() -> Arc<Schema> {
        Word::schema()
    }
}

/// The key of the word's bytes, whichever way it travels.
impl Key for Token {
    #[inline]
    fn hash_key(&self, hasher: &mut KeyHasher) {
        match self {
            Self::Short(word) => {
                let (bytes, length) = word.unpack();
                hasher.add(&bytes[..length]);
            }
            Self::Long(word) => {
                hasher.add(word);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tormenta::KeyGroup;

    use super::*;

    #[test]
    fn a_token_is_its_word() {
        for length in 1..40 {
            let word = Word::new(vec![b'\xff'; length]);
            let token = Token::from(word.clone());
            assert_eq!(matches!(token, Token::Short(_)), length <= SHORT_MAX);
            assert_eq!(KeyGroup::of(&token), KeyGroup::of(&word.word));
            assert_eq!(token.to_record().ok(), word.to_record().ok());
            assert_eq!(Word::from(token), word);
        }
    }

    #[test]
    fn zeros_at_the_end_belong_to_the_word() {
        let [one, two] = [&b"a\0"[..], b"a\0\0"].map(|word| Token::from(Word::new(word)));
        assert_ne!(one, two);
    }

    #[test]
    fn a_token_is_no_larger_than_a_slice() {
        assert!(size_of::<Token>() <= 32);
    }
}
