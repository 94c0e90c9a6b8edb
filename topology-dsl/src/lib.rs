//! The topology language: what a topology *is*, and the path of one tuple through it.
//!
//! This crate is the waist of the house. It knows tuples, spouts, bolts, streams, groupings and
//! the validated [`Plan`]; it knows no engine, no thread, no clock and no codec. Everything above
//! (the runtime, Trident, the cluster) and everything beside it (spouts, bolts) meets here.
//!
//! | to learn about | read |
//! |---|---|
//! | what flows | [`Tuple`], [`record::Record`], [`key::Key`] |
//! | who works | [`Spout`], [`Bolt`], [`Emitter`], [`Ticket`], [`Context`] |
//! | how it is wired | [`Topology`], [`Stream`], [`Edge`], [`grouping`] |
//! | what it means | [`Plan`] |
//! | what an engine implements | [`engine`] |

// The derives name `::tormenta`, the crate that users depend on. Inside the house that is us.
extern crate self as tormenta;

mod bad_input;
mod bolt;
mod context;
#[doc(hidden)]
pub mod doc;
pub mod emitter;
pub mod engine;
mod epoch;
pub mod error;
pub mod grouping;
mod grove;
mod holds;
pub mod key;
mod keyed;
mod loan;
mod output;
pub mod plan;
pub mod record;
mod results;
mod root;
mod roots;
mod settings;
pub mod spout;
mod stream;
pub mod streams;
pub mod text;
pub mod ticket;
mod topology;
mod tuple;
#[cfg(test)]
mod tuple_test;
mod unanchored;

pub use bad_input::{BadInput, RawInput};
pub use bolt::Bolt;
pub use context::{Context, Counter, Counters, Parts, Shared, Timer};
pub use emitter::{Anchored, Emit, EmitFor, Emitter, Free};
pub use engine::Engine;
pub use epoch::Epoch;
pub use error::{Error, Failure, Result};
pub use grove::Grove;
pub use holds::Holds;
pub use key::{Key, KeyGroup, KeyHasher};
pub use keyed::{Keyed, StateKey, StateValue, Store, Stores};
pub use plan::Plan;
pub use results::EmitResult;
pub use root::Root;
pub use settings::{Concurrency, Retry, Settings};
pub use spout::Spout;
pub use stream::{Edge, IntoEdges, Source, Stream};
pub use streams::{Outlet, Outlets, PortInfo, Streams};
pub use ticket::Ticket;
pub use topology::{BoltHandle, Feedback, SpoutHandle, Topology};
#[doc = include_str!("docs/topology.md")]
pub use tormenta_macros::topology;
pub use tormenta_macros::{Streams, Tuple, main, topology_fn};
pub use tuple::Tuple;

/// What the macros expand to. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use serde;
    pub use std::sync::{Arc, LazyLock};
}
