//! Promises across crates: what must hold whatever happens.
//!
//! | room | what it holds |
//! |---|---|
//! | [`torture`] | seeded worlds: topologies that are drawn, tortured and judged |
//! | [`oracle`] | the judges, one promise a file |
//!
//! One seed replays a whole world:
//! `cargo run --release -p tormenta-tests --bin torture -- --seed 7`.

// The derives name `::tormenta`; the worlds are made of the language and the engine alone.
extern crate tormenta_dsl as tormenta;

pub mod oracle;
pub mod torture;
