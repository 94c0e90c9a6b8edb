//! What the wrong programs are written against: the language, an engine that runs nothing, and
//! a few components.

#![allow(dead_code, unused_imports)]

pub use serde::{Deserialize, Serialize};
pub use std::time::Duration;
pub use tormenta_dsl::{
    doc::{Count, In, Keep, NoEngine, Word, Words},
    *,
};

/// As the facade has it, with another engine.
pub type Topology = tormenta_dsl::Topology<NoEngine>;

#[derive(Tuple, Clone, Serialize, Deserialize)]
pub struct Swipe {
    pub card: u64,
    pub amount: f64,
}

#[derive(Clone)]
pub struct Swipes;

impl Spout for Swipes {
    type Output = Swipe;
    type Id = ();

    async fn next(&mut self) -> Result<Option<(Swipe, ())>> {
        Ok(None)
    }
}

#[derive(Streams, Clone)]
pub enum Verdict {
    Alert(Swipe),
    Clean(Swipe),
}

#[derive(Clone)]
pub struct Score;

impl Bolt for Score {
    type Input = Swipe;
    type Output = Verdict;

    async fn execute(&mut self, swipe: Swipe, out: &Emitter<Verdict>) -> Result {
        out.emit(Verdict::Clean(swipe)).await
    }
}
