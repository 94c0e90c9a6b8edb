//! Keyed state in memory.

use rustc_hash::FxHashMap;
use tormenta_dsl::{Keyed, StateKey, StateValue, Stores};

/// Gives every state of a bolt a store in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryStores;

impl Stores for MemoryStores {
    fn keyed<K: StateKey, V: StateValue>(&mut self, _name: &str, keyed: &mut Keyed<K, V>) {
        keyed.attach(Box::new(FxHashMap::default()));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        fn behaves_like_a_map(ops: Vec<(u8, Option<u16>)>) -> bool {
            let mut keyed = Keyed::default();
            MemoryStores.keyed("state", &mut keyed);
            let mut model = BTreeMap::new();
            ops.into_iter().all(|(key, value)| match value {
                Some(value) => {
                    *keyed.entry(key, || 0) = value;
                    model.insert(key, value);
                    keyed.get(&key) == model.get(&key) && keyed.len() == model.len()
                }
                None => keyed.remove(&key) == model.remove(&key),
            }) && keyed.iter().map(|(k, v)| (*k, *v)).collect::<BTreeMap<_, _>>() == model
        }
    }
}
