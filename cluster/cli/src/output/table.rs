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
}
