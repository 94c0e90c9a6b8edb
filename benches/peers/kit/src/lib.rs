//! What the Rust peers share, so that each of them is only its dataflow.
//!
//! A run is: [`Numbers`] count up in every source until the time is over, the engine carries them
//! (or the [`sentences`] they select) to its sinks, every sink folds what it sees into a [`Sum`].
//! At the end [`measure`] compares the sums with what the sources say they emitted: a peer that
//! loses, doubles or miscounts a tuple prints no figure.

pub mod events;
mod expect;
mod numbers;
mod report;
mod request;
pub mod sentences;
mod sum;

pub use numbers::Numbers;
pub use report::{Setup, measure};
pub use request::{Request, Workload};
pub use sum::Sum;
