//! Spouts and bolts in other languages.
//!
//! A component is a process of its own, and speaks Storm's multilang protocol: JSON messages over
//! standard input and output, each followed by a line `end`. Components that were written for
//! Storm run unchanged.
//!
//! | | |
//! |---|---|
//! | [`ShellBolt`] | a bolt whose work is done by a child |
//! | [`ShellSpout`] | a spout whose tuples come from a child |
//! | [`ShellOutput`] | what a child emits: any tuple, records, or an enum of streams |
//! | [`Records`] | records on several streams |
//! | [`PYTHON_MODULE`] | the module for components in Python |
//!
//! Pure are `frames` (bytes to messages), `said` and `tell` (messages, read and written), `fields`
//! (what fits into a stream), `layout` (the tasks around a child), `session` (which tuples are with
//! a child, and whether it lives), `suspects` (what was with one that died) and `restarts`. The
//! shell is `child`: a process and the threads of its pipes. `keeper` and `bolt_child` put them
//! together.

#[macro_use]
mod settings;
mod bolt;
mod bolt_child;
mod brief;
mod child;
mod convert;
mod fields;
mod frames;
mod keeper;
mod layout;
mod restarts;
mod said;
mod session;
mod spout;
mod spout_child;
mod suspects;
mod tell;

pub use bolt::ShellBolt;
pub use convert::{RecordOutlets, Records, ShellOutput};
pub use spout::{ShellId, ShellSpout};

/// The module for components in Python, `tormenta.py`. Children find it on their `PYTHONPATH`,
/// also under the name `storm`; what they bring themselves comes first.
///
/// ```
/// assert!(tormenta_multilang::PYTHON_MODULE.contains("class BasicBolt"));
/// ```
pub const PYTHON_MODULE: &str = include_str!("../python/tormenta.py");
