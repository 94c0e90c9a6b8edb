//! Keyed state in memory.

use std::hash::Hash;

use rustc_hash::FxHashMap;
use tormenta_dsl::{Keyed, StateKey, StateValue, Store, Stores};

/// A store that is a hash map.
struct Memory<K, V>(FxHashMap<K, V>);

impl<K: Hash + Eq + Send, V: Send> Store<K, V> for Memory<K, V> {
    fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    fn entry(&mut self, key: K, make: &mut dyn FnMut() -> V) -> &mut V {
        self.0.entry(key).or_insert_with(make)
    }

    fn insert(&mut self, key: K, value: V) {
        self.0.insert(key, value);
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        self.0.remove(key)
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn iter(&self) -> Box<dyn Iterator<Item = (&K, &V)> + '_> {
        Box::new(self.0.iter())
    }
}

/// Gives every state of a bolt a store in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryStores;

impl Stores for MemoryStores {
    fn keyed<K: StateKey, V: StateValue>(&mut self, _name: &str, keyed: &mut Keyed<K, V>) {
        keyed.attach(Box::new(Memory(FxHashMap::default())));
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
