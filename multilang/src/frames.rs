//! Messages out of a stream of bytes: each is followed by a line that says `end`.
//!
//! Pure. Bytes come in pieces of any size; whether a message was cut in two makes no difference.
//! What cannot become a message is refused as soon as that is known, because its `end` may never
//! come: a first line that begins like no JSON object or array, and a message that is too long.

use memchr::memchr;

/// How much of what was refused is shown, in bytes.
pub(crate) const SHOWN_BYTES_MAX: usize = 200;

/// Why a stream of bytes cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The first bytes of something that is no message.
    Nonsense(Vec<u8>),
    /// A message is longer than this many bytes.
    TooLong(usize),
}

/// Cuts messages out of bytes.
#[derive(Debug)]
pub(crate) struct Frames {
    /// From the first byte that is in no message yet.
    buffer: Vec<u8>,
    /// Where the message at hand begins.
    begin: usize,
    /// Where the line at hand begins, of which no end was seen before `seen`.
    line: usize,
    seen: usize,
    bytes_max: usize,
}

impl Frames {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { buffer: Vec::new(), begin: 0, line: 0, seen: 0, bytes_max }
    }

    /// Adds bytes, after forgetting those of messages that were taken.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.begin > 0 {
            self.buffer.drain(..self.begin);
            self.line -= self.begin;
            self.seen -= self.begin;
            self.begin = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, without the line that ends it.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, Refused> {
        while let Some(length) = memchr(b'\n', &self.buffer[self.seen..]) {
            let line = self.line..self.seen + length;
            (self.line, self.seen) = (line.end + 1, line.end + 1);
            if self.buffer[line.clone()].trim_ascii_end() == b"end" {
                let message = self.begin..line.start;
                self.begin = self.line;
                self.check_length(message.len())?;
                return Ok(Some(&self.buffer[message]));
            }
            if line.start == self.begin && self.buffer[line.clone()].trim_ascii().is_empty() {
                // An empty line in front of a message. There may be any number of them, so none
                // is kept and looked at again.
                self.begin = self.line;
                continue;
            }
            self.check_beginning(line.end, true)?;
        }
        self.seen = self.buffer.len();
        // `{` would have been the first byte, so a line without an end is known as well.
        self.check_beginning(self.buffer.len(), false)?;
        self.check_length(self.buffer.len() - self.begin)?;
        Ok(None)
    }

    fn check_length(&self, bytes: usize) -> Result<(), Refused> {
        if bytes > self.bytes_max { Err(Refused::TooLong(self.bytes_max)) } else { Ok(()) }
    }

    fn check_beginning(&self, end: usize, is_line: bool) -> Result<(), Refused> {
        let message = self.buffer[self.begin..end].trim_ascii_start();
        // Blanks may follow `end`, so what has come of its line may end in some.
        let may_be = matches!(message, [] | [b'{' | b'[', ..])
            || !is_line && b"end".starts_with(message.trim_ascii_end());
        if may_be { Ok(()) } else { Err(Refused::Nonsense(shown(message))) }
    }
}

/// The first bytes of something, to be shown.
pub(crate) fn shown(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len().min(SHOWN_BYTES_MAX)].to_vec()
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    /// All messages, and why it ended, if it did.
    fn read(pieces: &[&[u8]], bytes_max: usize) -> (Vec<Vec<u8>>, Option<Refused>) {
        let (mut frames, mut messages) = (Frames::new(bytes_max), Vec::new());
        for piece in pieces {
            frames.push(piece);
            loop {
                match frames.next() {
                    Ok(Some(message)) => messages.push(message.to_vec()),
                    Ok(None) => break,
                    Err(refused) => return (messages, Some(refused)),
                }
            }
        }
        (messages, None)
    }

    fn cut(bytes: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        at.windows(2).map(|ends| bytes[ends[0]..ends[1]].to_vec()).collect()
    }

    fn as_slices(pieces: &[Vec<u8>]) -> Vec<&[u8]> {
        pieces.iter().map(Vec::as_slice).collect()
    }

    quickcheck! {
        fn messages_come_back_however_they_are_cut(texts: Vec<String>, cuts: Vec<usize>) -> bool {
            let sent: Vec<Vec<u8>> = texts
                .iter()
                .map(|text| serde_json::to_vec_pretty(&[text]).expect("text is JSON"))
                .collect();
            let bytes: Vec<u8> =
                sent.iter().flat_map(|message| [message, &b"\nend\n"[..]].concat()).collect();
            let (messages, refused) = read(&as_slices(&cut(&bytes, &cuts)), usize::MAX);
            let trimmed: Vec<_> = messages.iter().map(|m| m.trim_ascii().to_vec()).collect();
            trimmed == sent && refused.is_none()
        }

        fn garbage_is_read_the_same_however_it_is_cut(parts: Vec<u8>, cuts: Vec<usize>) -> bool {
            const PARTS: [&[u8]; 10] =
                [b"{", b"}", b"[", b"\n", b"\r\n", b"end", b"e", b" ", b"\nend\n", b"\xff"];
            let part = |part: &u8| PARTS[usize::from(*part) % PARTS.len()];
            let bytes: Vec<u8> = parts.iter().flat_map(part).copied().collect();
            let whole = read(&[&bytes], 1 << 20);
            let pieces = read(&as_slices(&cut(&bytes, &cuts)), 1 << 20);
            // Less of it may have come when it was refused.
            let same_end = match (&whole.1, &pieces.1) {
                (Some(Refused::Nonsense(all)), Some(Refused::Nonsense(some))) => {
                    all.starts_with(some)
                }
                (one, other) => one == other,
            };
            whole.0 == pieces.0 && same_end
        }
    }

    #[test]
    fn what_is_printed_by_mistake_is_seen_before_its_end() {
        let (messages, refused) = read(&[b"{}\nend\n", b"hel", b"lo\n"], 100);
        assert_eq!(messages, [b"{}\n"]);
        assert_eq!(refused, Some(Refused::Nonsense(b"hel".to_vec())));
        let long = vec![b'x'; 1_000];
        assert_eq!(read(&[&long], 10_000).1, Some(Refused::Nonsense(vec![b'x'; SHOWN_BYTES_MAX])));
    }

    #[test]
    fn what_is_too_long_is_refused_before_it_is_whole() {
        let open = [&b"{\""[..], &[b'x'; 100]].concat();
        assert_eq!(read(&[&open], 100).1, Some(Refused::TooLong(100)));
        assert_eq!(read(&[&open], 200).1, None);
    }

    #[test]
    fn empty_lines_before_a_message_are_not_kept() {
        let mut frames = Frames::new(100);
        for _ in 0..1_000 {
            frames.push(&[b'\n'; 4096]);
            assert_eq!(frames.next(), Ok(None));
            assert_eq!(frames.begin, frames.buffer.len());
        }
        frames.push(b" \r\n{\n\n}\nend\n");
        assert_eq!(frames.next(), Ok(Some(&b"{\n\n}\n"[..])));
    }

    #[test]
    fn blanks_after_an_end_may_come_before_its_line_does() {
        for pieces in [&[&b"end \n"[..]][..], &[b"end ", b"\n"], &[b"en", b"d\t ", b"\r\n"]] {
            assert_eq!(read(pieces, 100), (vec![Vec::new()], None));
        }
    }

    #[test]
    fn both_line_ends_will_do() {
        let (messages, refused) = read(&[b"{}\r\nend\r\n[1]\nend\n"], 100);
        assert_eq!(messages, [&b"{}\r\n"[..], b"[1]\n"]);
        assert_eq!(refused, None);
    }
}
