//! The macros of the topology language.
//!
//! Each expands to what a person would write by hand against `tormenta-dsl`; none of them knows
//! anything that the builder does not. Mistakes are reported at the user's own token, all at
//! once, and the rest is still expanded, so that rustc goes on to find its own.

mod attribute;
#[cfg(test)]
mod attribute_test;
mod mistakes;
mod serde_names;
mod streams;
#[cfg(test)]
mod streams_test;
#[cfg(test)]
mod testing;
mod topology;
mod tuple;
#[cfg(test)]
mod tuple_test;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct with named fields a [`Tuple`](../tormenta_dsl/trait.Tuple.html).
///
/// Derive `Clone`, `Serialize` and `Deserialize` beside it. The schema has the names that serde
/// writes: `#[serde(rename, rename_all, skip)]` count, and what would make a record of another
/// shape, such as `flatten`, is refused. A tuple is not generic, because its schema is not.
#[proc_macro_derive(Tuple)]
pub fn derive_tuple(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    tuple::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes an enum whose variants each hold one tuple the output of a component with several
/// streams: one port for each variant, named in snake case: `HTTPError` leaves through
/// `http_error`. Another name is given with `#[stream(name = "..")]` on the variant.
#[proc_macro_derive(Streams, attributes(stream))]
pub fn derive_streams(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    streams::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Functions that declare topologies, with sugar for spouts and bolts.
// Documented where it is exported from, beside the builder that its examples need.
#[proc_macro]
pub fn topology(input: TokenStream) -> TokenStream {
    topology::expand(input.into()).into()
}

/// Marks a function that declares a topology without sugar, and checks its first parameter.
///
/// The function stays as it is, so that rustfmt and every editor know what to do with it.
///
/// ```text
/// #[topology_fn]
/// pub fn word_count(t: &mut Topology, path: PathBuf, tasks: usize) {
///     let lines = t.spout("lines", Lines::at(path));
///     let split = t.bolt("split", Split, lines.shuffle()).tasks(tasks);
///     let count = t.bolt("count", Count::default(), split.by(|w| &w.word)).tasks(2);
///     t.bolt("print", TopWords::new(20), count.global());
/// }
/// ```
// No attribute can have the name of `topology!`: on stable Rust a path names one macro, and
// `macro_rules!` with `attr` rules (rust-lang/rust#143547) is not there yet.
#[proc_macro_attribute]
pub fn topology_fn(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attribute::topology_fn(arguments.into(), item.into()).into()
}

/// Makes the crate an artifact: an executable that runs its topology, prints its plan, and is
/// the worker process on a cluster.
///
/// The arguments may be left out, and so may the result. Every error that a `tormenta::Error`
/// can be made from may be returned. The topology has the name of the executable, unless another
/// one is given, as in `#[tormenta::main(name = "words")]`.
///
/// ```text
/// #[tormenta::main]
/// fn main(t: &mut Topology, args: tormenta::Args) -> tormenta::Result {
///     word_count(t, args.get("path")?, 4);
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attribute::main(arguments.into(), item.into()).into()
}
