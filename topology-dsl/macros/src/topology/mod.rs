//! `topology! { .. }`: functions whose bodies may declare spouts and bolts.
//!
//! ```text
//! pub fn word_count(path: PathBuf)      pub fn word_count(t: &mut Topology, path: PathBuf)
//! {                                     {
//!   spout lines = Lines::at(path);        let lines = t.spout("lines", Lines::at(path));
//!   bolt split = Split, tasks: 4,         let split = t.bolt("split", Split, lines.shuffle())
//!        reads: lines.shuffle();              .tasks(4);
//! }                                     }
//! ```
//!
//! Invariants:
//!
//! - Everything that is not ours is handed to rustc as it was written, token by token, broken
//!   syntax included: rustc and rust-analyzer recover from it better than we could.
//! - Every token that is added has the span of a token of the user's, so that no error can point
//!   at the macro as a whole.
//! - A mistake never ends the expansion.
//!
//! Files: `function` finds the functions, `block` our statements in them; `component` takes one of
//! those apart, `options` and `table` what follows it, by the `rules`; `reads` expands groupings by
//! field; `emit` writes the builder's calls.

mod block;
mod component;
mod cursor;
mod emit;
mod function;
mod options;
mod reads;
mod rules;
mod table;

#[cfg(test)]
mod expand_test;
#[cfg(test)]
mod fuzz_test;
#[cfg(test)]
mod mistakes_test;
#[cfg(test)]
mod options_test;

pub(crate) use function::expand;
