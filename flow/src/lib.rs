//! Topologies that are declared in TOML, and run without compiling anything.
//!
//! ```text
//!   flow.toml -> read (TOML, environment, parameters) -> plan (edges, fields) -> Topology
//!                  `------------ mistakes, with line and column ------------'
//! ```
//!
//! A [`Flow`] names components of the [registry](components), what they read and their
//! parameters. What flows along its streams is a [`Row`], a record whose fields are known when the
//! flow is read; so a field that a stream does not have is a mistake before anything runs.
//!
//! A program adds components of its own to a [`Registry`].
//!
//! Nothing here reads a file or the environment by itself: the text and a lookup are arguments.

mod flow;
mod key;
mod own;
mod parts;
mod plan;
mod read;
mod registry;
mod row;
mod shape;

pub use flow::Flow;
pub use own::Setup;
pub use read::{
    notes::{Mistake, Mistakes},
    params::{ComponentDoc, Need, ParamDoc, Role},
};
pub use registry::{Registry, component, components, reads, settings};
pub use row::Row;

/// What a misspelt name was probably meant to be, in words: one that is near, or all there are.
///
/// ```
/// assert_eq!(tormenta_flow::suggest("tial", ["lines", "tail"]), "did you mean `tail`?");
/// ```
#[must_use]
pub fn suggest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    read::suggest::suggest(wrong, names)
}
