//! The macros of the topology language.
//!
//! Each expands to what a person would write by hand against `tormenta-dsl`; none of them knows
//! anything that the builder does not. Mistakes are reported at the user's own token, all at
//! once, and the rest is still expanded, so that rustc goes on to find its own.

mod attribute;
mod mistakes;
mod streams;
mod topology;
mod tuple;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct with named fields a [`Tuple`](../tormenta_dsl/trait.Tuple.html).
///
/// Derive `Clone`, `Serialize` and `Deserialize` beside it.
#[proc_macro_derive(Tuple)]
pub fn derive_tuple(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    tuple::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes an enum whose variants each hold one tuple the output of a component with several
/// streams: one port for each variant, named in snake case.
#[proc_macro_derive(Streams)]
pub fn derive_streams(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    streams::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Functions that declare topologies, with sugar for spouts and bolts.
///
/// See the example at `tormenta::topology`.
#[proc_macro]
pub fn topology(input: TokenStream) -> TokenStream {
    topology::expand(input.into()).into()
}

/// Marks a function that declares a topology without sugar: its first parameter is
/// `t: &mut Topology`. The function stays as it is.
#[proc_macro_attribute]
pub fn topology_fn(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attribute::topology_fn(arguments.into(), item.into()).into()
}

/// Makes the crate an artifact.
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attribute::main(arguments.into(), item.into()).into()
}
