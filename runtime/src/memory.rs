//! Keyed state in memory.

use std::hash::Hash;

use rustc_hash::FxHashMap;
use tormenta_dsl::{Keyed, StateKey, StateValue, Store, Stores};

/// A store whose values stand in one vector, so that a key that was found is a number.
struct Memory<K, V> {
    index: FxHashMap<K, usize>,
    values: Vec<Option<V>>,
    free: Vec<usize>,
}

impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self { index: FxHashMap::default(), values: Vec::new(), free: Vec::new() }
    }
}

impl<K: Hash + Eq + Send, V: Send> Store<K, V> for Memory<K, V> {
    fn get(&self, key: &K) -> Option<&V> {
        self.index.get(key).and_then(|slot| self.values[*slot].as_ref())
    }

    fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.index.get(key).and_then(|slot| self.values[*slot].as_mut())
    }

    fn find(&self, key: &K) -> Option<usize> {
        self.index.get(key).copied()
    }

    fn slot(&mut self, slot: usize) -> &mut V {
        self.values[slot].as_mut().expect("the slot was found or filled just before")
    }

    fn insert(&mut self, key: K, value: V) -> usize {
        if let Some(slot) = self.index.get(&key) {
            self.values[*slot] = Some(value);
            return *slot;
        }
        let slot = self.free.pop().unwrap_or(self.values.len());
        if slot == self.values.len() {
            self.values.push(Some(value));
        } else {
            self.values[slot] = Some(value);
        }
        self.index.insert(key, slot);
        slot
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        let slot = self.index.remove(key)?;
        self.free.push(slot);
        self.values[slot].take()
    }

    fn len(&self) -> usize {
        self.index.len()
    }

    fn iter(&self) -> Box<dyn Iterator<Item = (&K, &V)> + '_> {
        Box::new(self.index.iter().filter_map(|(key, slot)| {
            self.values[*slot].as_ref().map(|value| (key, value))
        }))
    }
}

/// Gives every state of a bolt a store in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryStores;

impl Stores for MemoryStores {
    fn keyed<K: StateKey, V: StateValue>(&mut self, _name: &str, keyed: &mut Keyed<K, V>) {
        keyed.attach(Box::new(Memory::default()));
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
