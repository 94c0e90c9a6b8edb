//! Mistakes in a flow, and where they are.

use std::{fmt, ops::Range};

/// Bytes of the text that something was read from.
pub(crate) type Span = Range<usize>;

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// The mistakes that were found so far.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    notes: Vec<At<String>>,
    /// Values of which nothing is known, so that nothing more is said about them.
    unknown: Vec<Span>,
}

impl Notes {
    /// Notes a mistake, in words that name the mend.
    pub(crate) fn add(&mut self, span: &Span, message: impl Into<String>) {
        let note = At { value: message.into(), span: span.clone() };
        if !self.unknown.contains(span) && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Notes why nothing is known of a value.
    pub(crate) fn add_unknown(&mut self, span: &Span, message: impl Into<String>) {
        self.add(span, message);
        self.unknown.push(span.clone());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    /// All of them in the order of the text, or `Ok`.
    pub(crate) fn into_result(mut self, path: &str, text: &str) -> Result<(), Mistakes> {
        if self.notes.is_empty() {
            return Ok(());
        }
        self.notes.sort_by_key(|note| note.span.start);
        let mistake = |note: At<String>| {
            let (line, column) = place(text, note.span.start);
            Mistake { line, column, message: note.value }
        };
        let mistakes = self.notes.into_iter().map(mistake).collect();
        Err(Mistakes { path: path.to_owned(), mistakes })
    }
}

/// Line and column of a byte, both from one; a column is a character.
fn place(text: &str, at: usize) -> (usize, usize) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// One mistake in a flow.
///
/// ```
/// let error = tormenta_flow::Flow::parse("x.toml", "[spots.a]", |_| None).unwrap_err();
/// assert_eq!((error.mistakes[0].line, error.mistakes[0].column), (1, 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Mistake {
    /// The line, from one.
    pub line: usize,
    /// The character in the line, from one.
    pub column: usize,
    /// What is wrong and how to mend it.
    pub message: String,
}

/// All mistakes of a flow, in the order of its text.
///
/// ```
/// let error = tormenta_flow::Flow::parse("x.toml", "[spots.a]", |_| None).unwrap_err();
/// let text = "x.toml:1:2: unknown table `spots`; did you mean `spouts`?";
/// assert!(error.to_string().contains(text), "{error}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Mistakes {
    /// What the flow is called in messages, the path of its file.
    pub path: String,
    /// The mistakes; there is at least one.
    pub mistakes: Vec<Mistake>,
}

impl fmt::Display for Mistakes {
    /// One line a mistake: `flow.toml:3:8: message`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Mistake { line, column, message }) in self.mistakes.iter().enumerate() {
            let end = if index > 0 { "\n" } else { "" };
            write!(f, "{end}{}:{line}:{column}: {message}", self.path)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters() {
        let text = "a\näöb\n";
        let places =
            [(0, (1, 1)), (1, (1, 2)), (2, (2, 1)), (3, (2, 1)), (6, (2, 3)), (99, (3, 1))];
        for (at, expected) in places {
            assert_eq!(place(text, at), expected, "{at}");
        }
    }

    #[test]
    fn mistakes_are_sorted_and_told_once() {
        let mut notes = Notes::default();
        notes.add(&(2..3), "second");
        notes.add(&(0..1), "first");
        notes.add(&(2..3), "second");
        let error = notes.into_result("f.toml", "a\nb").expect_err("two");
        assert_eq!(error.to_string(), "f.toml:1:1: first\nf.toml:2:1: second");
        assert!(Notes::default().into_result("f.toml", "").is_ok());
    }
}
