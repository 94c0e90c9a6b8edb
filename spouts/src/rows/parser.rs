//! Splits chunks into rows of fields.
//!
//! Pure: it is given chunks as they come and says what is in them. `csv-core` knows the quotes;
//! what is added here is where a row begins, a bound on its length, and whether the last one is
//! whole. A row that lies in one chunk and has no quote needs no such knowledge: it is split where
//! it lies.

use bytes::Bytes;
use csv_core::ReadRecordResult;
use memchr::{memchr, memchr_iter, memchr2};
use tormenta_dsl::BadInput;

/// Fields that a row may have. A row with more is too long.
const FIELDS_MAX: usize = 1 << 16;

/// Bytes of a row that are kept as they stand in the file: what is shown, and one more character,
/// so that none is cut in two.
const HEAD_BYTES: usize = BadInput::BYTES_MAX + 4;

/// The rows of one file after the other.
pub(crate) struct Parser {
    core: csv_core::Reader,
    chunk: Bytes,
    at: usize,
    /// Ends of lines that were consumed.
    lines: u64,
    /// The line in which the present row begins; `None` between two rows.
    begun: Option<u64>,
    /// The fields of the present row, one after the other, and where each ends.
    text: Vec<u8>,
    text_len: usize,
    ends: Vec<usize>,
    ends_len: usize,
    /// Where the present row begins in the chunk, if it lies there.
    lies_at: Option<usize>,
    /// How the present row begins in the file, if `core` has had it, and how many bytes come after.
    head: Vec<u8>,
    behind_head: u64,
    delimiter: u8,
    /// Whether `core` has had a part of the present row.
    is_core_begun: bool,
    /// Whether `core` has had the first bytes of the file, and with them a mark of the byte order.
    is_past_mark: bool,
    row_bytes_max: usize,
    too_long: bool,
    ended: bool,
}

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A row, which begins in this line. Its fields are there until the next call.
    Row(u64),
    /// Something in this line that is no row, and why.
    Bad(u64, String),
    /// Another chunk is needed; after the end, another file.
    More,
}

impl Parser {
    pub(crate) fn new(delimiter: u8, row_bytes_max: usize) -> Self {
        let row_bytes_max = row_bytes_max.clamp(1, usize::MAX / 4);
        Self {
            core: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            chunk: Bytes::new(),
            at: 0,
            lines: 0,
            begun: None,
            text: vec![0; 4096.min(row_bytes_max)],
            text_len: 0,
            ends: vec![0; 64],
            ends_len: 0,
            lies_at: None,
            head: Vec::new(),
            behind_head: 0,
            delimiter,
            is_core_begun: false,
            is_past_mark: false,
            row_bytes_max,
            too_long: false,
            ended: false,
        }
    }

    /// Gives it the next chunk, once [`row`](Parser::row) asked for one.
    pub(crate) fn push(&mut self, chunk: Bytes) {
        debug_assert!(self.at == self.chunk.len() && !self.ended);
        (self.chunk, self.at) = (chunk, 0);
    }

    /// Says that there is no further chunk.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// Forgets everything: another file begins.
    pub(crate) fn clear(&mut self) {
        self.core.reset();
        (self.chunk, self.at, self.lines, self.begun) = (Bytes::new(), 0, 0, None);
        (self.text_len, self.ends_len) = (0, 0);
        (self.too_long, self.ended) = (false, false);
        (self.lies_at, self.is_past_mark, self.is_core_begun) = (None, false, false);
    }

    /// Number of fields of the present row.
    pub(crate) fn fields(&self) -> usize {
        self.ends_len
    }

    /// A field of the present row.
    #[inline]
    pub(crate) fn field(&self, index: usize) -> &[u8] {
        let before = if index == 0 { 0 } else { self.ends[index - 1] };
        match self.lies_at {
            // Behind the delimiter.
            Some(at) => &self.chunk[at + before + usize::from(index > 0)..at + self.ends[index]],
            None => &self.text[before..self.ends[index]],
        }
    }

    /// The present row as it stands in the file, without its end; of a long one the beginning, and
    /// how many bytes come after.
    pub(crate) fn raw(&self) -> (&[u8], u64) {
        if let Some(at) = self.lies_at {
            return (&self.chunk[at..at + self.ends[self.ends_len - 1]], 0);
        }
        let ends = self.head.iter().rev().take_while(|byte| matches!(byte, b'\n' | b'\r'));
        let ends = if self.behind_head == 0 { ends.count() } else { 0 };
        (&self.head[..self.head.len() - ends], self.behind_head)
    }

    /// The next row.
    pub(crate) fn row(&mut self) -> Found {
        if self.begun.is_none() && !self.begin() {
            if std::mem::take(&mut self.ended) {
                self.clear();
            }
            return Found::More;
        }
        if self.split_in_place() {
            return self.found();
        }
        (self.is_past_mark, self.is_core_begun) = (true, true);
        loop {
            let rest = &self.chunk[self.at..];
            if rest.is_empty() {
                // To `csv-core` this would be the end.
                return if std::mem::take(&mut self.ended) { self.last_row() } else { Found::More };
            }
            let (result, read, wrote, ends) = self.core.read_record(
                rest,
                &mut self.text[self.text_len..],
                &mut self.ends[self.ends_len..],
            );
            self.lines += memchr_iter(b'\n', &rest[..read]).count() as u64;
            let kept = read.min(HEAD_BYTES - self.head.len());
            self.head.extend_from_slice(&rest[..kept]);
            self.behind_head += (read - kept) as u64;
            self.at += read;
            self.text_len += wrote;
            self.ends_len += ends;
            match result {
                ReadRecordResult::Record => return self.found(),
                ReadRecordResult::OutputFull => self.grow_text(),
                ReadRecordResult::OutputEndsFull => self.grow_ends(),
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            }
        }
    }

    /// Goes to the first byte of the next row; false when it is in a chunk to come. Empty lines are
    /// no rows.
    fn begin(&mut self) -> bool {
        let rest = &self.chunk[self.at..];
        let skipped = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        self.lines += memchr_iter(b'\n', &rest[..skipped]).count() as u64;
        self.at += skipped;
        if self.at == self.chunk.len() {
            return false;
        }
        (self.text_len, self.ends_len, self.too_long) = (0, 0, false);
        (self.lies_at, self.is_core_begun) = (None, false);
        self.head.clear();
        self.behind_head = 0;
        self.begun = Some(self.lines + 1);
        true
    }

    /// Splits the next row where it lies; false if it is for `core`, because it has quotes, goes on
    /// in the next chunk, or is out of the ordinary in another way.
    #[inline]
    fn split_in_place(&mut self) -> bool {
        let rest = &self.chunk[self.at..];
        let is_begun = self.is_core_begun || !self.is_past_mark;
        let Some(length) = (!is_begun).then(|| memchr(b'\n', rest)).flatten() else {
            return false;
        };
        let line = match &rest[..length] {
            [line @ .., b'\r'] => line,
            line => line,
        };
        if line.len() > self.row_bytes_max || memchr2(b'"', b'\r', line).is_some() {
            return false;
        }
        let mut fields = 0;
        for end in memchr_iter(self.delimiter, line).chain([line.len()]) {
            if fields == self.ends.len() {
                if fields >= FIELDS_MAX {
                    return false;
                }
                self.ends.resize(fields * 2, 0);
            }
            self.ends[fields] = end;
            fields += 1;
        }
        (self.lies_at, self.ends_len) = (Some(self.at), fields);
        self.at += length + 1;
        self.lines += 1;
        true
    }

    /// The file ends within a row. If a line end closes it, it is whole, as the last row needs no
    /// line end; if not, a quote is open.
    fn last_row(&mut self) -> Found {
        let (begun, lines) = (self.begun.unwrap_or(1), self.lines + 1);
        self.push(Bytes::from_static(b"\n"));
        let found = match self.row() {
            Found::More => {
                let why = match lines - begun {
                    0 => "a quote is opened and not closed: the file is cut off here".to_owned(),
                    _ => format!(
                        "a quote is opened and not closed, so that everything up to line {lines}, \
                         the end of the file, is one field"
                    ),
                };
                Found::Bad(begun, why)
            }
            found => found,
        };
        (self.chunk, self.at, self.ended) = (Bytes::new(), 0, true);
        self.begun = None;
        found
    }

    fn found(&mut self) -> Found {
        let line = self.begun.take().unwrap_or(1);
        if !self.too_long {
            return Found::Row(line);
        }
        let max = self.row_bytes_max;
        let why = format!(
            "the row is longer than {max} bytes or has more than {FIELDS_MAX} fields; close its \
             quote, or allow more with `row_bytes_max`"
        );
        Found::Bad(line, why)
    }

    /// Makes room, up to the limit. What goes beyond it is written over: nobody will look at it.
    fn grow_text(&mut self) {
        // One more than fits: it is asked for room even if only the end of the row is to come.
        let max = self.row_bytes_max + 1;
        if self.text.len() < max {
            let len = (self.text.len() * 2).min(max);
            self.text.resize(len, 0);
        } else {
            self.too_long = true;
            self.text_len = 0;
        }
    }

    fn grow_ends(&mut self) {
        if self.ends.len() < FIELDS_MAX {
            self.ends.resize(self.ends.len() * 2, 0);
        } else {
            self.too_long = true;
            self.ends_len = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    type Row = (u64, Vec<Vec<u8>>);

    /// All rows of a text that comes in chunks of these sizes.
    fn parse(text: &[u8], sizes: &[u8], max: usize) -> (Vec<Row>, Vec<(u64, String)>) {
        parse_raw(text, sizes, max, |_, _| {})
    }

    /// The same, and what each row or bad row is in the file.
    fn parse_raw(
        text: &[u8],
        sizes: &[u8],
        max: usize,
        mut raw: impl FnMut(&[u8], u64),
    ) -> (Vec<Row>, Vec<(u64, String)>) {
        let (mut parser, mut rest) = (Parser::new(b',', max), text);
        let (mut rows, mut bad) = (Vec::new(), Vec::new());
        let mut sizes = sizes.iter().map(|size| 3 + usize::from(*size)).cycle();
        let mut is_over = false;
        loop {
            let found = parser.row();
            if found != Found::More {
                raw(parser.raw().0, parser.raw().1);
            }
            match found {
                Found::Row(line) => {
                    let field = |index| parser.field(index).to_vec();
                    rows.push((line, (0..parser.fields()).map(field).collect()));
                }
                Found::Bad(line, why) => bad.push((line, why)),
                Found::More if !rest.is_empty() => {
                    let size = sizes.next().unwrap_or(9).min(rest.len());
                    parser.push(Bytes::copy_from_slice(&rest[..size]));
                    rest = &rest[size..];
                }
                Found::More if is_over => return (rows, bad),
                Found::More => {
                    parser.end();
                    is_over = true;
                }
            }
        }
    }

    /// The same by hand, for texts that end outside of quotes: lines, then quotes.
    fn naive(rows: &[Vec<String>]) -> (Vec<u8>, Vec<Row>) {
        let (mut text, mut expected, mut line) = (String::new(), Vec::new(), 1);
        for fields in rows {
            let quoted = fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\"")));
            let row = quoted.collect::<Vec<_>>().join(",") + "\r\n\n";
            expected.push((line, fields.iter().map(|f| f.clone().into_bytes()).collect()));
            line += row.matches('\n').count() as u64;
            text += &row;
        }
        (text.into_bytes(), expected)
    }

    quickcheck! {
        fn fields_lines_and_chunks_of_any_kind(rows: Vec<Vec<String>>, sizes: Vec<u8>) -> bool {
            let rows: Vec<_> = rows.into_iter().filter(|row| !row.is_empty()).collect();
            let (text, expected) = naive(&rows);
            parse(&text, &sizes, 1 << 20) == (expected, Vec::new())
        }

        fn garbage_is_the_same_in_any_chunks(text: Vec<u8>, sizes: Vec<u8>) -> bool {
            let palette = b"\n\n\r\"\",,ab \xff";
            let text: Vec<u8> =
                text.iter().map(|byte| palette[usize::from(*byte) % palette.len()]).collect();
            parse(&text, &sizes, 64) == parse(&text, &[255], 64)
        }
    }

    fn raws(text: &[u8], sizes: &[u8], max: usize) -> Vec<(String, u64)> {
        let mut raws = Vec::new();
        parse_raw(text, sizes, max, |raw, more| {
            raws.push((String::from_utf8_lossy(raw).into_owned(), more));
        });
        raws
    }

    #[test]
    fn a_row_is_shown_as_it_stands_in_the_file() {
        let text = b"a,\"b\r\nc\"\r\n\r\nd,e\r\n1234567,8\n\"f,\n";
        for sizes in [&[0][..], &[1, 0, 5], &[255]] {
            let whole = ["a,\"b\r\nc\"", "d,e", "1234567,8", "\"f,"];
            let expected = whole.map(|raw| (raw.to_owned(), 0));
            assert_eq!(raws(text, sizes, 7), expected, "{sizes:?}");
        }
    }

    #[test]
    fn of_a_long_row_the_beginning_is_kept() {
        let row = "\u{e9}".repeat(9_000);
        let text = format!("x\n\"{row}\"\ny");
        for max in [100, 1 << 20] {
            let raws = raws(text.as_bytes(), &[200], max);
            let (raw, more) = &raws[1];
            assert!(format!("\"{row}").starts_with(raw.trim_end_matches('\u{fffd}')));
            assert_eq!(raws[1].1 as usize, row.len() + 3 - HEAD_BYTES, "{more} bytes more");
            assert_eq!((raws[0].0.as_str(), raws[2].0.as_str()), ("x", "y"));
        }
    }

    fn row(line: u64, fields: &[&str]) -> Row {
        (line, fields.iter().map(|field| field.as_bytes().to_vec()).collect())
    }

    #[test]
    fn quoted_line_ends_count_and_empty_lines_are_no_rows() {
        let text = b"\n\na,\"b\nc\"\r\n\r\nd,\"e\"\"\"\r\n\"f\n\n\",g";
        let (rows, bad) = parse(text, &[0], 100);
        let expected = [row(3, &["a", "b\nc"]), row(6, &["d", "e\""]), row(7, &["f\n\n", "g"])];
        assert_eq!((rows, bad), (expected.to_vec(), vec![]));
    }

    #[test]
    fn a_mark_of_the_byte_order_is_no_text() {
        assert_eq!(parse(b"\xef\xbb\xbfa,b\n", &[200], 100).0, [row(1, &["a", "b"])]);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_named() {
        let (rows, bad) = parse(b"a,b\nc,\"d\n\ne,f\n", &[1], 100);
        assert_eq!(rows, [row(1, &["a", "b"])]);
        assert_eq!(bad[0].0, 2);
        assert!(bad[0].1.contains("not closed"), "{}", bad[0].1);
    }

    #[test]
    fn a_row_that_is_too_long_is_left_out() {
        let text = b"a,b\n1234567,89\nc,d\n";
        let (rows, bad) = parse(text, &[0], 8);
        assert_eq!(rows, [row(1, &["a", "b"]), row(3, &["c", "d"])]);
        assert_eq!((bad.len(), bad[0].0), (1, 2));
        assert_eq!(parse(text, &[0], 9).0.len(), 3);
        let wide = [vec![b','; 70_000], b"\nx".to_vec()].concat();
        let (rows, bad) = parse(&wide, &[255], 100_000);
        assert_eq!((rows, bad.len()), (vec![row(2, &["x"])], 1));
    }
}
