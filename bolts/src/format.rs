//! How a sink writes a tuple.

use std::{io::Write as _, sync::Arc};

use tormenta_dsl::{Result, Streams};

/// Adds a tuple to a line: the user's closure, or the tuple as a record.
pub(crate) struct Format<T>(Arc<Write<T>>);

type Write<T> = dyn Fn(&T, &mut Vec<u8>) -> Result + Send + Sync;

impl<T: Streams> Format<T> {
    pub(crate) fn record() -> Self {
        Self(Arc::new(|tuple, line| Ok(write!(line, "{}", tuple.to_record()?)?)))
    }

    pub(crate) fn with(write: impl Fn(&T, &mut Vec<u8>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |tuple, line| {
            write(tuple, line);
            Ok(())
        }))
    }

    pub(crate) fn fallible(write: fn(&T, &mut Vec<u8>) -> Result) -> Self {
        Self(Arc::new(write))
    }

    /// Adds a tuple and the end of its line; all of it or, on an error, nothing.
    pub(crate) fn line(&self, tuple: &T, lines: &mut Vec<u8>) -> Result {
        let before = lines.len();
        let written = (self.0)(tuple, lines);
        match written {
            Ok(()) => lines.push(b'\n'),
            Err(_) => lines.truncate(before),
        }
        written
    }
}

impl<T> Clone for Format<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WordCount;

    #[test]
    fn a_line_is_a_record_or_what_the_user_likes() {
        let mut lines = Vec::new();
        let storm = WordCount::new("storm", 3);
        Format::record().line(&storm, &mut lines).expect("no error");
        Format::with(WordCount::tsv).line(&storm, &mut lines).expect("no error");
        assert_eq!(lines, b"{word: b\"storm\", count: 3}\nstorm\t3\n");
    }

    #[test]
    fn half_a_line_is_none() {
        let failing = Format(Arc::new(|_: &u64, line| {
            line.extend_from_slice(b"half");
            Err(tormenta_dsl::Error::msg("no"))
        }));
        let mut lines = b"before\n".to_vec();
        assert!(failing.line(&1, &mut lines).is_err());
        assert_eq!(lines, b"before\n");
    }
}
