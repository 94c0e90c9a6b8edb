//! Lines into words.

use tormenta::{Bolt, Emitter, Result, spouts::Line};

use super::token::{Packed, SHORT_MAX, Token};

/// Emits the words of each line: the longest runs of bytes other than tab, line feed, form feed,
/// carriage return and space.
#[derive(Debug, Clone)]
pub(crate) struct Split;

impl Bolt for Split {
    type Input = Line;
    type Output = Token;

    #[inline]
    async fn execute(&mut self, line: Line, out: &Emitter<Token>) -> Result {
        let mut at = 0;
        while let Some(token) = next_token(&line.text, &mut at) {
            out.emit(token).await?;
        }
        Ok(())
    }
}

/// The word at or after `at`, which is moved behind it.
#[inline]
fn next_token(text: &bytes::Bytes, at: &mut usize) -> Option<Token> {
    while is_space(*text.get(*at)?) {
        *at += 1;
    }
    let start = *at;
    let window = window(text, start);
    let length = first_low(window);
    if length <= SHORT_MAX && is_space((window >> (8 * length)) as u8) {
        *at += length + 1;
        return Some(Token::Short(Packed::first_of(window, length)));
    }
    Some(long_token(text, at))
}

/// A word of more than 15 bytes, or one with a control character in it.
#[cold]
fn long_token(text: &bytes::Bytes, at: &mut usize) -> Token {
    let start = *at;
    let rest = text[start..].iter().position(|byte| is_space(*byte));
    *at = rest.map_or(text.len(), |length| start + length);
    Token::from(tormenta::bolts::Word { word: text.slice(start..*at) })
}

#[inline]
fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

const ONES: u128 = u128::MAX / 255;
const WINDOW: usize = 16;

/// Sixteen bytes from `at`, which lies within the text. Behind its end there are spaces.
#[inline]
fn window(text: &[u8], at: usize) -> u128 {
    let rest = &text[at..];
    if let Some(whole) = rest.first_chunk::<WINDOW>() {
        return u128::from_le_bytes(*whole);
    }
    let spaces = (ONES * 0x20) << (8 * rest.len());
    if let Some(last) = text.last_chunk::<WINDOW>() {
        return u128::from_le_bytes(*last) >> (8 * (WINDOW - rest.len())) | spaces;
    }
    let mut bytes = [b' '; WINDOW];
    bytes[..rest.len()].copy_from_slice(rest);
    u128::from_le_bytes(bytes)
}

/// Position of the first byte that is at most a space; 16 if there is none.
///
/// In text such a byte is hardly ever anything but a space, and one subtraction asks all sixteen:
/// words have no fixed length, and a loop over bytes would mispredict its end once a word.
#[inline]
fn first_low(window: u128) -> usize {
    // The lowest flag is exact; those above it may be wrong, because of the borrow.
    let low = window.wrapping_sub(ONES * 0x21) & !window & (ONES << 7);
    low.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use quickcheck::quickcheck;
    use tormenta::bolts::{Word, words};

    use super::*;

    fn tokens(text: &Bytes) -> Vec<Bytes> {
        let mut at = 0;
        let next = || next_token(text, &mut at);
        std::iter::from_fn(next).map(|token| Word::from(token).word).collect()
    }

    quickcheck! {
        fn tokens_are_the_words(text: Vec<u8>) -> bool {
            let text = Bytes::from(text);
            tokens(&text) == words(&text).collect::<Vec<_>>()
        }

        fn long_words_and_control_bytes_too(text: Vec<u8>) -> bool {
            let palette = b"aaaaaaaaaaaaaaaaaaaaz\0\x08\x0b\x1f\x20\x09\x0a\x0c\x0d\x80\xff!";
            let byte = |byte: &u8| palette[usize::from(*byte) % palette.len()];
            let text: Bytes = text.iter().map(byte).collect();
            tokens(&text) == words(&text).collect::<Vec<_>>()
        }
    }
}
