//! Rows that are no tuples.

use tormenta_dsl::{BadInput, Error};

use crate::lines::sources::Source;

/// Gives up the row that begins in this line: `raw` is its beginning in the file, `more` follow.
#[cold]
pub(crate) fn bad_row(source: &Source, line: u64, (raw, more): (&[u8], u64), why: String) -> Error {
    let origin = format!("{}:{line}", source.path().display());
    Error::poison(BadInput::new(origin, raw, why).and_more(more))
}
