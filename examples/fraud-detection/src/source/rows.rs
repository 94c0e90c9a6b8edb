//! Transactions from CSV files of two public data sets.
//!
//! A row that makes no sense is an error of its own, with its file and line, and the next row is
//! read. A column that is missing, and a file that breaks off, end the reading.

use std::path::Path;

use bytes::Bytes;
use csv::ByteRecord;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    fields::{cents, degrees, shown, whole},
    table::{OpenError, RowError, Table, place_of, places},
};
use crate::{
    generator::Kind,
    tx::{Place, Truth, Tx},
};

/// Which columns a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The simulated transactions of the Fraud Detection Handbook: no places, no swipes.
    Handbook,
    /// The simulated transactions of Sparkov: places, no swipes.
    Sparkov,
}

impl Format {
    /// Names of its columns: id, card, terminal.
    pub(super) fn names(self) -> [&'static str; 3] {
        match self {
            Self::Handbook => ["tx_id", "customer_id", "terminal_id"],
            Self::Sparkov => ["trans_num", "cc_num", "merchant"],
        }
    }

    /// Names of its columns: time, amount.
    fn measures(self) -> [&'static str; 2] {
        match self {
            Self::Handbook => ["epoch_s", "amount"],
            Self::Sparkov => ["unix_time", "amt"],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Handbook => "handbook",
            Self::Sparkov => "sparkov",
        }
    }

    /// Says which format was expected where a column is missing.
    pub(super) fn doubt(self, why: &str) -> String {
        format!("{why}; is it a file of the format `{}`?", self.name())
    }

    /// Reads id, card and terminal.
    pub(super) fn names_in(self, fields: [&[u8]; 3]) -> Result<(Bytes, u64, u64), String> {
        let [id, card, terminal] = fields;
        let [id_name, card_name, terminal_name] = self.names();
        if id.is_empty() {
            return Err(format!("`{id_name}` is empty"));
        }
        if std::str::from_utf8(id).is_err() {
            return Err(format!("`{id_name}` is `{}`, which is no text", shown(id)));
        }
        let terminal = match self {
            Self::Handbook => whole(terminal_name, terminal)?,
            // A merchant's name. Of 2^64 numbers two names hardly ever share one.
            Self::Sparkov => xxh3_64(terminal),
        };
        Ok((Bytes::copy_from_slice(id), whole(card_name, card)?, terminal))
    }
}

/// The transactions of a file.
pub struct Rows {
    table: Table,
    columns: Columns,
}

/// Where the columns are.
struct Columns {
    format: Format,
    names: [usize; 3],
    measures: [usize; 2],
    place: Option<[usize; 2]>,
    category: Option<usize>,
    is_fraud: Option<usize>,
    scenario: Option<usize>,
}

impl Rows {
    /// Opens a file, which may be packed with gzip, and reads its header.
    ///
    /// # Errors
    /// When it cannot be opened or lacks a column. Names the file, and the column.
    pub fn open(path: &Path, format: Format) -> Result<Self, OpenError> {
        let (table, columns) = Table::open(path, |header| {
            Columns::find(header, format).map_err(|why| format.doubt(&why))
        })?;
        Ok(Self { table, columns })
    }
}

impl Iterator for Rows {
    type Item = Result<(Tx, Truth), RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let columns = &self.columns;
        self.table.next(|record| columns.read(record))
    }
}

impl Columns {
    fn find(header: &ByteRecord, format: Format) -> Result<Self, String> {
        let (names, measures) =
            (places(header, format.names())?, places(header, format.measures())?);
        let place = match format {
            Format::Handbook => None,
            Format::Sparkov => Some(places(header, ["merch_lat", "merch_long"])?),
        };
        let category = match format {
            Format::Handbook => None,
            Format::Sparkov => place_of(header, "category"),
        };
        let [is_fraud, scenario] = ["is_fraud", "fraud_scenario"].map(|n| place_of(header, n));
        Ok(Self { format, names, measures, place, category, is_fraud, scenario })
    }

    fn read(&self, record: &ByteRecord) -> Result<(Tx, Truth), String> {
        let field = |index| record.get(index).unwrap_or_default();
        let (id, card, terminal) = self.format.names_in(self.names.map(field))?;
        let [time_name, amount_name] = self.format.measures();
        let [time, amount] = self.measures.map(field);
        let place = self.place.map(|at| {
            let [lat, lon] = at.map(field);
            let (lat, lon) = (degrees("merch_lat", lat, 90.0)?, degrees("merch_long", lon, 180.0)?);
            Ok::<_, String>(Place { lat, lon })
        });
        let tx = Tx {
            id,
            card,
            terminal,
            cents: cents(amount_name, amount)?,
            // A name. Of 2^32 numbers two of a few dozen names hardly ever share one.
            category: self.category.map(|index| xxh3_64(field(index)) as u32),
            time: whole(time_name, time)?,
            place: place.transpose()?,
            pass: None,
        };
        Ok((tx, self.truth(record)))
    }

    fn truth(&self, record: &ByteRecord) -> Truth {
        let label = self.is_fraud.and_then(|index| record.get(index));
        match label {
            Some(b"0") => Truth::Genuine,
            Some(b"1") => {
                let scenario = self.scenario.and_then(|index| record.get(index));
                Truth::Fraud(match scenario {
                    Some(b"1") => Kind::LargeAmount,
                    Some(b"2") => Kind::CompromisedTerminal,
                    Some(b"3") => Kind::LeakedCard,
                    _ => Kind::Other,
                })
            }
            _ => Truth::Unknown,
        }
    }
}
