//! Small components for the examples in the documentation.

use serde::{Deserialize, Serialize};

use crate::{Bolt, Edge, Emitter, Engine, Keyed, Result, Spout, Stores, Streams, Tuple};

/// An engine that runs nothing: enough to declare a topology and look at its plan.
#[derive(Debug)]
pub struct NoEngine;

impl Engine for NoEngine {
    type Task = ();

    fn spout<S: Spout>(_prototype: S) {}

    fn bolt<B: Bolt>(_prototype: B, _edges: Vec<Edge<B::Input>>) {}
}

/// A word.
#[derive(Tuple, Clone, Debug, Serialize, Deserialize)]
pub struct Word {
    /// The word.
    pub word: String,
}

/// Two words, then the end.
#[derive(Clone, Debug)]
pub struct Words;

impl Spout for Words {
    type Output = Word;
    type Id = ();

    async fn next(&mut self) -> Result<Option<(Word, ())>> {
        Ok(None)
    }
}

/// Counts words.
#[derive(Clone, Debug, Default)]
pub struct Count {
    counts: Keyed<String, u64>,
}

impl Bolt for Count {
    type Input = Word;
    type Output = Word;

    fn state<S: Stores>(&mut self, stores: &mut S) {
        stores.keyed("counts", &mut self.counts);
    }

    async fn execute(&mut self, word: Word, out: &Emitter<Word>) -> Result {
        *self.counts.entry(word.word.clone(), || 0) += 1;
        out.emit(word).await
    }
}

/// Input of [`Keep`].
#[derive(Streams, Clone, Debug)]
pub enum In {
    /// A word to keep, unless it is stopped.
    Word(Word),
    /// A word to stop.
    Stop(Word),
}

/// Reads two streams of the same type and keeps them apart.
#[derive(Clone, Debug)]
pub struct Keep;

impl Bolt for Keep {
    type Input = In;
    type Output = Word;

    async fn execute(&mut self, input: In, out: &Emitter<Word>) -> Result {
        match input {
            In::Word(word) => out.emit(word).await,
            In::Stop(_) => Ok(()),
        }
    }
}
