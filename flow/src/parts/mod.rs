//! The components that a flow can name, one file for those that are alike.
//!
//! Each is a table of parameters (`component!`), and a [`Part`](crate::plan::Part): what it emits
//! for what it reads, and how it is declared. Most are bolts and spouts that typed topologies have
//! too, over rows.

pub(crate) mod adapter;
pub(crate) mod cells;
pub(crate) mod count;
pub(crate) mod filter;
pub(crate) mod fold;
pub(crate) mod join;
pub(crate) mod json;
pub(crate) mod layout;
pub(crate) mod lines;
pub(crate) mod map;
pub(crate) mod numbers;
pub(crate) mod select;
pub(crate) mod shell;
pub(crate) mod sinks;
pub(crate) mod sourced;
pub(crate) mod split;
pub(crate) mod tables;
pub(crate) mod thin;
pub(crate) mod time;
pub(crate) mod top;
pub(crate) mod window;
