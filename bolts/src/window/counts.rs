//! Windows of a number of tuples. Pure.
//!
//! The tuples of a key are cut into blocks, so that every window is made of whole blocks.

use std::collections::{HashMap, VecDeque};

use rustc_hash::FxBuildHasher;

use super::{
    Aggregate,
    machine::{AllFired, Fired, Firing, Inputs, Lengths, Machine, common_divisor},
};

/// The windows of one task.
pub struct Counts<K, A: Aggregate, H> {
    aggregate: A,
    width: i64,
    slide: i64,
    block: i64,
    keys: HashMap<K, Key<A::State, H>, FxBuildHasher>,
}

struct Key<S, H> {
    /// The blocks that a window still needs. All but the last are full.
    blocks: VecDeque<(S, H)>,
    /// Tuples before the first of these.
    gone: i64,
    /// Tuples in all.
    seen: i64,
    /// Tuples up to the end of the last window.
    fired: i64,
}

/// What all blocks amount to.
fn fire<K: Clone, A: Aggregate, H>(
    aggregate: &A,
    name: &K,
    key: &Key<A::State, H>,
    fired: &mut AllFired<K, A>,
) {
    let states = key.blocks.iter().map(|(state, _)| state.clone());
    let merged = states.reduce(|mut state, other| {
        aggregate.merge(&mut state, other);
        state
    });
    if let Some(state) = merged {
        let (start, end, firing) = (key.gone, key.seen, Firing::OnTime);
        let value = aggregate.result(&state);
        fired.push(Fired { key: name.clone(), start, end, firing, value });
    }
}

impl<K, A, H> Machine<K, A, H> for Counts<K, A, H>
where
    K: std::hash::Hash + Eq + Clone,
    A: Aggregate,
    H: Inputs,
{
    fn start(aggregate: A, lengths: &Lengths) -> Self {
        let Lengths { width, slide, .. } = *lengths;
        let (block, keys) = (common_divisor(width, slide), HashMap::default());
        Self { aggregate, width, slide, block, keys }
    }

    fn add(
        &mut self,
        _time: i64,
        key: K,
        value: &A::In,
        fired: &mut AllFired<K, A>,
        done: &mut Vec<H>,
    ) -> Option<&mut H> {
        let new = || Key { blocks: VecDeque::new(), gone: 0, seen: 0, fired: 0 };
        let name = key.clone();
        let key = self.keys.entry(key).or_insert_with(new);
        // What the last window left behind goes now, so that the inputs of the tuple that made it
        // complete had a place to go to.
        let due = key.seen >= self.width && key.seen == key.fired;
        let mut left = if due { self.slide / self.block } else { 0 };
        while left > 0 {
            done.extend(key.blocks.pop_front().map(|(_, inputs)| inputs));
            (key.gone, left) = (key.gone + self.block, left - 1);
        }
        match key.blocks.back_mut().filter(|_| key.seen % self.block != 0) {
            Some((state, _)) => self.aggregate.combine(state, value),
            None => key.blocks.push_back((self.aggregate.first(value), H::default())),
        }
        key.seen += 1;
        if key.seen >= self.width && (key.seen - self.width) % self.slide == 0 {
            key.fired = key.seen;
            fire(&self.aggregate, &name, key, fired);
        }
        key.blocks.back_mut().map(|(_, inputs)| inputs)
    }

    fn due(&self) -> i64 {
        i64::MAX
    }

    fn advance(&mut self, _watermark: i64, _fired: &mut AllFired<K, A>, _done: &mut Vec<H>) {}

    fn finish(&mut self, fired: &mut AllFired<K, A>, done: &mut Vec<H>) {
        for (name, mut key) in std::mem::take(&mut self.keys) {
            if key.seen > key.fired {
                let over = if key.fired > 0 { self.slide / self.block } else { 0 };
                for _ in 0..if key.gone + self.width <= key.fired { over } else { 0 } {
                    done.extend(key.blocks.pop_front().map(|(_, inputs)| inputs));
                    key.gone += self.block;
                }
                fire(&self.aggregate, &name, &key, fired);
            }
            done.extend(key.blocks.into_iter().map(|(_, inputs)| inputs));
        }
    }
}
