//! Transactions from CSV files of two public data sets.
//!
//! A row that makes no sense is an error of its own, with its file and line, and the next row is
//! read. A column that is missing, and a file that breaks off, end the reading.

use std::{
    fmt,
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use csv::ByteRecord;
use flate2::bufread::MultiGzDecoder;
use xxhash_rust::xxh3::xxh3_64;

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
    /// Names of its columns: id, time, card, terminal, amount.
    fn needed(self) -> [&'static str; 5] {
        match self {
            Self::Handbook => ["tx_id", "epoch_s", "customer_id", "terminal_id", "amount"],
            Self::Sparkov => ["trans_num", "unix_time", "cc_num", "merchant", "amt"],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Handbook => "handbook",
            Self::Sparkov => "sparkov",
        }
    }
}

/// Why a file gives no transactions, or no more of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// It is not there.
    Missing(String),
    /// It cannot be read, or is not what it should be.
    Unusable(String),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(text) | Self::Unusable(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for OpenError {}

/// Why there is no transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowError {
    /// This row makes no sense; the next one may.
    Refused(String),
    /// The file cannot be read any further.
    Broken(String),
}

/// The rows of a file.
pub struct Rows {
    path: PathBuf,
    reader: csv::Reader<Box<dyn Read + Send>>,
    columns: Columns,
    record: ByteRecord,
    is_broken: bool,
}

/// Where the columns are.
struct Columns {
    format: Format,
    needed: [usize; 5],
    place: Option<[usize; 2]>,
    is_fraud: Option<usize>,
    scenario: Option<usize>,
}

impl Rows {
    /// Opens a file, packed with gzip if its name ends in `.gz`, and reads its header.
    ///
    /// # Errors
    /// When it cannot be opened or lacks a column. Names the file, and the column.
    pub fn open(path: &Path, format: Format) -> Result<Self, OpenError> {
        let shown = path.display();
        let unusable = |why: String| OpenError::Unusable(why);
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                OpenError::Missing(format!("`{shown}` does not exist; check the name"))
            }
            _ => unusable(format!("`{shown}` cannot be read: {error}")),
        })?;
        if file.metadata().is_ok_and(|about| about.is_dir()) {
            return Err(unusable(format!("`{shown}` is a directory; name a file in it")));
        }
        let buffered = BufReader::with_capacity(64 * 1024, file);
        let is_packed = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
        let reader: Box<dyn Read + Send> = match is_packed {
            true => Box::new(MultiGzDecoder::new(buffered)),
            false => Box::new(buffered),
        };
        let mut reader = csv::ReaderBuilder::new().from_reader(reader);
        let header = reader.byte_headers();
        let header = header.map_err(|error| unusable(format!("`{shown}`: {error}")))?;
        let columns = Columns::find(header, format).map_err(|why| {
            unusable(format!("`{shown}` {why}; is it a file of the format `{}`?", format.name()))
        })?;
        let path = path.to_owned();
        Ok(Self { path, reader, columns, record: ByteRecord::new(), is_broken: false })
    }

    fn refuse(&self, line: u64, why: impl fmt::Display) -> RowError {
        RowError::Refused(format!("`{}` line {line}: {why}", self.path.display()))
    }
}

impl Iterator for Rows {
    type Item = Result<(Tx, Truth), RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_broken {
            return None;
        }
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {
                let line = self.record.position().map_or(0, csv::Position::line);
                let read = self.columns.read(&self.record);
                Some(read.map_err(|why| self.refuse(line, why)))
            }
            Ok(false) => None,
            Err(error) => Some(Err(match error.kind() {
                csv::ErrorKind::UnequalLengths { pos, expected_len, len } => self.refuse(
                    pos.as_ref().map_or(0, csv::Position::line),
                    format_args!("{len} columns where the header has {expected_len}"),
                ),
                _ => {
                    self.is_broken = true;
                    let line = self.reader.position().line();
                    let path = self.path.display();
                    RowError::Broken(format!("`{path}` cannot be read beyond line {line}: {error}"))
                }
            })),
        }
    }
}

impl Columns {
    fn find(header: &ByteRecord, format: Format) -> Result<Self, String> {
        let at = |name: &str| header.iter().position(|column| column == name.as_bytes());
        let mut needed = [0; 5];
        for (place, name) in needed.iter_mut().zip(format.needed()) {
            *place = at(name).ok_or_else(|| missing(name, header))?;
        }
        let mut place = None;
        if format == Format::Sparkov {
            let column = |name| at(name).ok_or_else(|| missing(name, header));
            place = Some([column("merch_lat")?, column("merch_long")?]);
        }
        let (is_fraud, scenario) = (at("is_fraud"), at("fraud_scenario"));
        Ok(Self { format, needed, place, is_fraud, scenario })
    }

    fn read(&self, record: &ByteRecord) -> Result<(Tx, Truth), String> {
        let [id, time, card, terminal, amount] =
            self.needed.map(|index| record.get(index).unwrap_or_default());
        let [id_name, time_name, card_name, terminal_name, amount_name] = self.format.needed();
        if id.is_empty() {
            return Err(format!("`{id_name}` is empty"));
        }
        if std::str::from_utf8(id).is_err() {
            return Err(format!("`{id_name}` is `{}`, which is no text", shown(id)));
        }
        let terminal = match self.format {
            Format::Handbook => whole(terminal_name, terminal)?,
            // A merchant's name. Of 2^64 numbers two names hardly ever share one.
            Format::Sparkov => xxh3_64(terminal),
        };
        let place = self.place.map(|at| {
            let [lat, lon] = at.map(|index| record.get(index).unwrap_or_default());
            let (lat, lon) = (degrees("merch_lat", lat, 90.0)?, degrees("merch_long", lon, 180.0)?);
            Ok::<_, String>(Place { lat, lon })
        });
        let tx = Tx {
            id: Bytes::copy_from_slice(id),
            card: whole(card_name, card)?,
            terminal,
            cents: cents(amount_name, amount)?,
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

fn missing(name: &str, header: &ByteRecord) -> String {
    let known: Vec<_> = header.iter().map(String::from_utf8_lossy).collect();
    format!("has no column `{name}`, only `{}`", known.join("`, `"))
}

/// Shows a field, or its beginning.
fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(40)]).into_owned();
    text.escape_debug().to_string()
}

fn whole<T: std::str::FromStr>(name: &str, text: &[u8]) -> Result<T, String> {
    let parsed = std::str::from_utf8(text).ok().and_then(|text| text.trim().parse().ok());
    parsed.ok_or_else(|| format!("`{name}` is `{}`, which is no whole number", shown(text)))
}

fn degrees(name: &str, text: &[u8], max: f32) -> Result<f32, String> {
    let parsed = std::str::from_utf8(text).ok().and_then(|text| text.trim().parse::<f32>().ok());
    let parsed = parsed.filter(|degrees| degrees.abs() <= max);
    parsed.ok_or_else(|| format!("`{name}` is `{}`; use degrees up to {max}", shown(text)))
}

/// Cents of an amount, by its digits: money is not for floats.
fn cents(name: &str, text: &[u8]) -> Result<u64, String> {
    let refused = || format!("`{name}` is `{}`; use a number of at least 0", shown(text));
    let text = std::str::from_utf8(text).map_err(|_| refused())?.trim();
    let (units, parts) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if units.is_empty() || units.len() > 13 || !digits(units) || !digits(parts) {
        return Err(refused());
    }
    let digit =
        |index: usize| u64::from(parts.as_bytes().get(index).map_or(0, |digit| digit - b'0'));
    let units: u64 = units.parse().map_err(|_| refused())?;
    Ok(units * 100 + digit(0) * 10 + digit(1) + u64::from(digit(2) >= 5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_by_their_digits() {
        let read = |text: &str| cents("amount", text.as_bytes());
        for (text, expected) in
            [("0", 0), ("4.97", 497), ("45.0", 4_500), (" 7 ", 700), ("0.019", 2), ("1.005", 101)]
        {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
        for text in ["", "-1", "-0.01", "1e3", "nan", "inf", "1,5", "1.2.3", "99999999999999"] {
            assert!(read(text).is_err_and(|why| why.contains("at least 0")), "{text}");
        }
    }
}
