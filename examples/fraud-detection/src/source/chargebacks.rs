//! Chargebacks: what a bank hears days after a fraud, and the only labels that it ever gets.

use std::path::Path;

use super::{
    fields::whole,
    rows::Format,
    table::{OpenError, RowError, Table, places},
};
use crate::tx::{Chargeback, Turn};

/// The chargebacks of a file, in the order of its rows.
///
/// Its columns are `reported_s` and those that name transaction, card and terminal in the
/// [`Format`] of the transactions: `tx_id`, `customer_id` and `terminal_id`, or `trans_num`,
/// `cc_num` and `merchant`.
pub struct Chargebacks {
    table: Table,
    format: Format,
    names: [usize; 3],
    reported: usize,
    /// Read, and not due yet.
    next: Option<Chargeback>,
}

impl Chargebacks {
    /// Opens a file, which may be packed with gzip, and reads its header.
    ///
    /// # Errors
    /// When it cannot be opened or lacks a column. Names the file, and the column.
    pub fn open(path: &Path, format: Format) -> Result<Self, OpenError> {
        let (table, (names, [reported])) = Table::open(path, |header| {
            let find = || Ok((places(header, format.names())?, places(header, ["reported_s"])?));
            find().map_err(|why: String| format.doubt(&why))
        })?;
        Ok(Self { table, format, names, reported, next: None })
    }

    /// The next chargeback that was reported up to this time, in seconds since 1970. One that
    /// stands in the file behind a later one is late, and comes with that.
    pub fn due(&mut self, time: i64) -> Option<Result<Chargeback, RowError>> {
        if self.next.is_none() {
            let (format, names, reported) = (self.format, self.names, self.reported);
            let read = self.table.next(|record| {
                let field = |index| record.get(index).unwrap_or_default();
                let (id, card, terminal) = format.names_in(names.map(field))?;
                let time = whole("reported_s", field(reported))?;
                Ok(Chargeback { id, card, terminal, time, turn: Turn::default() })
            });
            match read? {
                Ok(next) => self.next = Some(next),
                Err(why) => return Some(Err(why)),
            }
        }
        self.next.take_if(|next| next.time <= time).map(Ok)
    }
}
