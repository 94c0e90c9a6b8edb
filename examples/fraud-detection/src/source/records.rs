//! Splits a CSV file into records, within bounds.
//!
//! The reader of the crate `csv` takes whatever a quote encloses, and that of a quote which nobody
//! closes is the rest of the file. Here a record has a largest size, and where a quote is still
//! open at that point or at the end, its line alone is left out and the next one is read.

use std::io::{self, BufRead, BufReader, Read};

use csv::ByteRecord;

use super::plain;

/// Bytes that a record may have.
pub(super) const BYTES_MAX: usize = 1 << 20;

/// What an editor may leave before the first name.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The records of a file.
pub(super) struct Records {
    reader: BufReader<Box<dyn Read + Send>>,
    /// The present record as it stands in the file.
    raw: Vec<u8>,
    /// Lines that were taken for a part of a record and are to be read again.
    ahead: Vec<u8>,
    ahead_at: usize,
    /// Lines that were read.
    lines: u64,
}

/// Why there is no record.
#[derive(Debug)]
pub(super) enum Bad {
    /// What begins in this line is none.
    Line(u64, String),
    /// Nothing more can be read.
    Broken(io::Error),
}

impl From<io::Error> for Bad {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl Records {
    pub(super) fn of(reader: Box<dyn Read + Send>) -> Self {
        let reader = BufReader::with_capacity(64 * 1024, reader);
        Self { reader, raw: Vec::new(), ahead: Vec::new(), ahead_at: 0, lines: 0 }
    }

    /// Lines that were read so far.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// Reads the next record and says in which line it begins; `None` at the end. Empty lines are
    /// no records.
    pub(super) fn next(&mut self, record: &mut ByteRecord) -> Result<Option<u64>, Bad> {
        record.clear();
        if self.next_plain(record)? {
            self.lines += 1;
            return Ok(Some(self.lines));
        }
        loop {
            self.raw.clear();
            if !self.more()? {
                return Ok(None);
            }
            if self.lines == 0 && self.raw.starts_with(MARK) {
                self.raw.drain(..MARK.len());
            }
            if !content(&self.raw).is_empty() {
                break;
            }
            self.lines += 1;
        }
        let begun = self.lines + 1;
        if self.raw.len() > BYTES_MAX {
            self.skip_line()?;
            let why = format!("the line is longer than {BYTES_MAX} bytes");
            return Err(Bad::Line(begun, why));
        }
        if !self.raw.contains(&b'"') {
            content(&self.raw).split(|byte| *byte == b',').for_each(|f| record.push_field(f));
            self.lines += 1;
            return Ok(Some(begun));
        }
        let (line, mut splitter) = (self.raw.len(), Splitter::default());
        splitter.feed(&self.raw, record);
        while splitter.at == At::Quoted {
            let from = self.raw.len();
            if !self.more()? || self.raw.len() > BYTES_MAX {
                return Err(Bad::Line(begun, self.give_back(line)));
            }
            splitter.feed(&self.raw[from..], record);
        }
        record.push_field(&splitter.field);
        self.lines += lines(&self.raw);
        Ok(Some(begun))
    }

    /// Reads the next record where that is easy: a whole line in the buffer, without quotes. Most
    /// are, and none is copied twice. False where somebody has to look closer; nothing was read
    /// then.
    fn next_plain(&mut self, record: &mut ByteRecord) -> io::Result<bool> {
        if self.lines == 0 || self.ahead_at < self.ahead.len() {
            return Ok(false);
        }
        let line = plain::split(self.reader.fill_buf()?, record);
        match line {
            Some(bytes) => self.reader.consume(bytes),
            None => record.clear(),
        }
        Ok(line.is_some())
    }

    /// Adds a line to the record, or as much of it as there is room for; false at the end.
    fn more(&mut self) -> io::Result<bool> {
        let had = self.raw.len();
        if self.ahead_at < self.ahead.len() {
            let rest = &self.ahead[self.ahead_at..];
            let line = rest.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
            self.raw.extend_from_slice(line);
            self.ahead_at += line.len();
            if self.raw.ends_with(b"\n") {
                return Ok(true);
            }
        }
        let room = (BYTES_MAX + 1).saturating_sub(self.raw.len());
        self.reader.by_ref().take(room as u64).read_until(b'\n', &mut self.raw)?;
        Ok(self.raw.len() > had)
    }

    fn skip_line(&mut self) -> io::Result<()> {
        self.lines += 1;
        while !self.raw.ends_with(b"\n") {
            self.raw.clear();
            if !self.more()? {
                break;
            }
        }
        Ok(())
    }

    /// Has all lines but the first read again, and says why.
    fn give_back(&mut self, line: usize) -> String {
        let last = self.lines + lines(&self.raw);
        self.lines += 1;
        let is_end = self.raw.len() <= BYTES_MAX;
        self.ahead.drain(..self.ahead_at);
        self.ahead_at = 0;
        self.ahead.splice(..0, self.raw.drain(line..));
        if is_end && last == self.lines {
            return "a quote is opened and not closed, and the file ends here".to_owned();
        }
        let how_far = if is_end { "the end of the file" } else { "and more" };
        format!(
            "a quote is opened and not closed, so that everything up to line {last}, {how_far}, \
             would be one field; only this line is left out"
        )
    }
}

/// Lines, the last of which may lack its end.
fn lines(text: &[u8]) -> u64 {
    text.split_inclusive(|byte| *byte == b'\n').count() as u64
}

/// A line without its end.
pub(super) fn content(line: &[u8]) -> &[u8] {
    let length = line.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r'));
    &line[..length.map_or(0, |last| last + 1)]
}

/// Splits a record that has quotes.
#[derive(Default)]
struct Splitter {
    at: At,
    field: Vec<u8>,
}

/// Where in a field.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum At {
    #[default]
    Start,
    Quoted,
    /// Behind a quote, which closes the field unless another one follows.
    Closed,
}

impl Splitter {
    /// Takes a line. What it leaves open goes on in the next one.
    fn feed(&mut self, line: &[u8], record: &mut ByteRecord) {
        let (mut rest, end) = line.split_at(content(line).len());
        loop {
            let (to, until) = match (self.at, rest.first()) {
                (At::Start, Some(b'"')) => (At::Quoted, 0),
                (At::Closed, Some(b'"')) => {
                    self.field.push(b'"');
                    (At::Quoted, 0)
                }
                (At::Quoted, _) => match rest.iter().position(|byte| *byte == b'"') {
                    Some(quote) => (At::Closed, quote),
                    None => {
                        self.field.extend_from_slice(rest);
                        return self.field.extend_from_slice(end);
                    }
                },
                _ => match rest.iter().position(|byte| *byte == b',') {
                    Some(comma) => (At::Start, comma),
                    None => return self.field.extend_from_slice(rest),
                },
            };
            self.field.extend_from_slice(&rest[..until]);
            rest = &rest[until + 1..];
            self.at = to;
            if to == At::Start {
                record.push_field(&self.field);
                self.field.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    /// Records, and what is none, with their lines.
    type Read = (Vec<(u64, ByteRecord)>, Vec<(u64, String)>);

    fn read(text: &[u8]) -> Read {
        let mut records = Records::of(Box::new(io::Cursor::new(text.to_vec())));
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        let mut record = ByteRecord::new();
        loop {
            match records.next(&mut record) {
                Ok(Some(line)) => good.push((line, record.clone())),
                Ok(None) => return (good, bad),
                Err(Bad::Line(line, why)) => bad.push((line, why)),
                Err(Bad::Broken(error)) => panic!("{error}"),
            }
        }
    }

    quickcheck! {
        fn it_splits_as_others_do(bytes: Vec<u8>) -> bool {
            let palette = b"\n\n\"\"\",,ab \xff";
            let text: Vec<u8> =
                bytes.iter().map(|byte| palette[usize::from(*byte) % palette.len()]).collect();
            let (good, bad) = read(&text);
            let mut reader = csv::ReaderBuilder::new();
            let mut reader = reader.has_headers(false).flexible(true).from_reader(&text[..]);
            let others = reader.byte_records().map_while(Result::ok);
            // A quote that is not closed is for others no mistake.
            let until = bad.first().map_or(u64::MAX, |(line, _)| *line);
            good.iter().take_while(|(line, _)| *line < until).map(|(_, record)| record.clone())
                .zip(others)
                .all(|(ours, theirs)| ours == theirs)
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_costs_its_line() {
        let text = "\u{feff}a,b\r\n1,\"x\r\ny\"\n2,\"3\n4,5\n\n6,7\n";
        let (good, bad) = read(text.as_bytes());
        let lines: Vec<_> = good.iter().map(|(line, _)| *line).collect();
        assert_eq!(
            (lines, &good[0].1[0], &good[1].1[1]),
            (vec![1, 2, 5, 7], &b"a"[..], &b"x\r\ny"[..])
        );
        assert_eq!((bad.len(), bad[0].0), (1, 4));
        assert!(bad[0].1.contains("up to line 7, the end of the file"), "{}", bad[0].1);
        let (good, bad) = read(b"a\n\"b");
        assert_eq!((good.len(), bad.len()), (1, 1));
        assert!(bad[0].1.contains("the file ends here"), "{}", bad[0].1);
    }

    #[test]
    fn a_record_has_a_largest_size() {
        let row = "1,2,3\n".repeat(BYTES_MAX / 3);
        let text = format!("a\n\"b\n{row}\"c\n{row}{}\nd\n", "x".repeat(3 * BYTES_MAX));
        let (good, bad) = read(text.as_bytes());
        assert_eq!(good.len(), 2 + 2 * (BYTES_MAX / 3));
        assert_eq!((bad.len(), bad[0].0), (3, 2));
        assert!(bad[0].1.contains("and more, would be one field"), "{}", bad[0].1);
        assert!(bad[2].1.contains("longer than"), "{}", bad[2].1);
        let last = good.last().map(|(line, record)| (*line, record[0].to_vec()));
        assert_eq!(last, Some((row.lines().count() as u64 * 2 + 5, b"d".to_vec())));
    }
}
