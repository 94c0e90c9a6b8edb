//! Columns for people.

use std::io::{self, IsTerminal};

/// Bytes of a cell that are shown.
const CELL_BYTES_MAX: usize = 60;

/// Rows of a number and a text, as `uniq -c` writes them.
#[derive(Debug)]
pub(crate) struct Table {
    titles: [&'static str; 2],
    rows: Vec<(String, Vec<u8>)>,
}

impl Table {
    pub(crate) fn new(number: &'static str, text: &'static str) -> Self {
        Self { titles: [number, text], rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, number: u64, text: &[u8]) {
        self.rows.push((grouped(number), text.to_vec()));
    }

    /// The table. Bytes are kept as they are, but on a terminal, which would obey some of them.
    pub(crate) fn render(&self) -> Vec<u8> {
        let numbers = self.rows.iter().map(|(number, _)| number.len());
        let width = numbers.chain([self.titles[0].len()]).max().unwrap_or(0);
        let tame = io::stdout().is_terminal();
        let mut lines = format!("{:>width$}  {}\n", self.titles[0], self.titles[1]).into_bytes();
        for (number, text) in &self.rows {
            lines.extend_from_slice(format!("{number:>width$}  ").as_bytes());
            cell(text, tame, &mut lines);
            lines.push(b'\n');
        }
        lines
    }
}

fn cell(text: &[u8], tame: bool, line: &mut Vec<u8>) {
    let shown = &text[..text.len().min(CELL_BYTES_MAX)];
    let tamed = |byte: &u8| if tame && (*byte < b' ' || *byte == 0x7f) { b'?' } else { *byte };
    line.extend(shown.iter().map(tamed));
    if shown.len() < text.len() {
        line.extend_from_slice(format!("... ({} bytes)", grouped(text.len() as u64)).as_bytes());
    }
}

/// `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time that is given in microseconds: `180 us`, `28.8 ms`, `1.2 s`.
pub(crate) fn time(us: f64) -> String {
    match us {
        us if us < 999.5 => format!("{us:.0} us"),
        us if us < 999_950.0 => format!("{:.1} ms", us / 1e3),
        us => format!("{:.1} s", us / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_aligned() {
        let mut table = Table::new("count", "word");
        table.row(1_234, b"the");
        table.row(7, &[b'x'; 100]);
        let text = String::from_utf8(table.render()).expect("text");
        let long = "x".repeat(60);
        assert_eq!(text, format!("count  word\n1,234  the\n    7  {long}... (100 bytes)\n"));
    }

    #[test]
    fn a_terminal_is_not_told_what_to_do() {
        let (mut tame, mut wild) = (Vec::new(), Vec::new());
        cell(b"\x1b[2J\xff", true, &mut tame);
        cell(b"\x1b[2J\xff", false, &mut wild);
        assert_eq!((&tame[..], &wild[..]), (&b"?[2J\xff"[..], &b"\x1b[2J\xff"[..]));
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn times_have_the_unit_that_suits_them() {
        let times = [0.4, 180.2, 999.7, 28_836.0, 999_960.0, 1_194_002.4].map(time);
        assert_eq!(times, ["0 us", "180 us", "1.0 ms", "28.8 ms", "1.0 s", "1.2 s"]);
    }
}
