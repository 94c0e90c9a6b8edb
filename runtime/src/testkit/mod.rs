//! Tools for testing components and topologies.
//!
//! [`BoltTest`] drives one bolt by hand. [`Feed`] and [`Capture`] put tuples into a topology in a
//! [`LocalCluster`](crate::LocalCluster) and take them out again.

mod bolt_test;
mod streams;

pub use bolt_test::BoltTest;
pub use streams::{Capture, Feed, FeedSpout};
