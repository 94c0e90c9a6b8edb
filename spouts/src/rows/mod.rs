//! Rows of files, as typed tuples.
//!
//! ```text
//!   named --> chunks --> rows of fields --> tuples          csv.rs, parser.rs, table.rs
//!   named --> chunks --> lines ----------> tuples          json.rs
//!                            `-- bad ----> dead letters     bad.rs
//! ```
//!
//! Both spouts read what [`Lines`](crate::Lines) reads. That the columns of a file are the fields
//! of the tuple is found out before the first row (`fit.rs`).

mod bad;
#[cfg(feature = "csv")]
mod csv;
#[cfg(all(test, feature = "csv"))]
mod csv_test;
#[cfg(feature = "csv")]
mod fit;
mod json;
#[cfg(feature = "csv")]
mod parser;
#[cfg(feature = "csv")]
mod table;

#[cfg(feature = "csv")]
pub use csv::CsvRows;
pub use json::JsonLines;
