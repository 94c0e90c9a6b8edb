//! Rows of files, as typed tuples.
//!
//! ```text
//!   named --> chunks --> rows of fields --> tuples          csv.rs, parser.rs, table.rs
//!   named --> chunks --> lines ----------> tuples          json.rs
//!                            `-- bad ----> BadRows          bad.rs
//! ```
//!
//! Both spouts read what [`Lines`](crate::Lines) reads. That the columns of a file are the fields
//! of the tuple is found out before the first row (`fit.rs`).

mod bad;
mod csv;
#[cfg(test)]
mod csv_test;
mod fit;
mod json;
mod parser;
mod table;

pub use bad::{BadRow, BadRows};
pub use csv::CsvRows;
pub use json::JsonLines;
