//! Splits the lines that are easy to split: those without quotes.
//!
//! Nearly all rows are, and reading them is what the demo does most of the time when it reads a
//! file. So they are split where they lie in the buffer, and eight bytes are looked at together.

use csv::ByteRecord;

use super::records::content;

/// Splits the first line of a text into fields and returns its length. Not if it has a quote,
/// nothing at all, or no end. Eight bytes are looked at together.
pub(super) fn split(text: &[u8], record: &mut ByteRecord) -> Option<usize> {
    let mut from = 0;
    let (words, rest) = text.as_chunks::<8>();
    let tail = text.len() - rest.len();
    let marks = words.iter().enumerate().flat_map(|(index, word)| {
        let mut marks = marks(u64::from_le_bytes(*word));
        std::iter::from_fn(move || {
            let at = 8 * index + (marks.trailing_zeros() / 8) as usize;
            (marks != 0).then(|| {
                marks &= marks - 1;
                at
            })
        })
    });
    let is_mark = |at: &usize| matches!(text[*at], b',' | b'\n' | b'"');
    for at in marks.chain((tail..text.len()).filter(is_mark)) {
        match text[at] {
            b',' => record.push_field(&text[from..at]),
            b'\n' => {
                let last = content(&text[from..at]);
                record.push_field(last);
                return (from > 0 || !last.is_empty()).then_some(at + 1);
            }
            _ => return None,
        }
        from = at + 1;
    }
    None
}

/// The highest bit of each byte that is a comma, a quote or the end of a line.
fn marks(word: u64) -> u64 {
    const EACH: u64 = u64::MAX / 255;
    const LOW: u64 = EACH * 0x7f;
    // Of a byte that differs, one of its lower bits or the highest is set.
    let differs = |byte: u8| {
        let off = word ^ (EACH * u64::from(byte));
        ((off & LOW) + LOW) | off
    };
    !(differs(b',') & differs(b'"') & differs(b'\n')) & !LOW
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        /// What is easy is what the others make of it, wherever the buffer ends.
        fn plain_lines_are_split_as_others_are(bytes: Vec<u8>) -> bool {
            let palette = b"\n,,,\"ab \r\xacd\x8a\x22";
            let text: Vec<u8> =
                bytes.iter().map(|byte| palette[usize::from(*byte) % palette.len()]).collect();
            let mut record = ByteRecord::new();
            let end = text.iter().position(|byte| *byte == b'\n');
            let line = end.map(|end| &text[..=end]).filter(|line| !line.contains(&b'"'));
            match (split(&text, &mut record), line) {
                (Some(length), Some(line)) => {
                    length == line.len() && record.iter().eq(content(line).split(|b| *b == b','))
                }
                (split, line) => {
                    split.is_none() && line.is_none_or(|line| content(line).is_empty())
                }
            }
        }
    }
}
