//! Keyed state: it belongs to the engine, the bolt works on it.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, Hash},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::Key;

/// What keyed state can be filed under.
pub trait StateKey:
    Key + Hash + Eq + Clone + Send + Serialize + DeserializeOwned + 'static
{
}

impl<K: Key + Hash + Eq + Clone + Send + Serialize + DeserializeOwned + 'static> StateKey for K {}

/// What keyed state can hold.
pub trait StateValue: Clone + Send + Serialize + DeserializeOwned + 'static {}

impl<V: Clone + Send + Serialize + DeserializeOwned + 'static> StateValue for V {}

/// A map from key to value that belongs to the engine.
///
/// Group a stream by the same key that the state is filed under, and every key's state is on
/// exactly one task.
///
/// **How long it lives.** As long as the bolt of its task: the store is in memory, and until there
/// is a durable one nothing saves it. When the bolt panics or gets stuck, its task goes on with a
/// clone of the prototype, and *all keys of that task are gone*, those that had no part in the
/// panic too. Trees that were acked before are not replayed, so what they had added is lost. A new
/// process starts empty as well. What must survive belongs into a sink to which the bolt emits it.
///
/// A clone starts detached, like the prototype it was cloned from: state is never copied.
///
/// ```
/// use tormenta_dsl::{Bolt, Emitter, Keyed, Result, Stores};
///
/// #[derive(Clone, Default)]
/// struct Count { counts: Keyed<String, u64> }
///
/// impl Bolt for Count {
///     type Input = String;
///     type Output = u64;
///     fn state<S: Stores>(&mut self, stores: &mut S) {
///         stores.keyed("counts", &mut self.counts);
///     }
///     async fn execute(&mut self, word: String, out: &Emitter<u64>) -> Result {
///         let count = self.counts.entry(word, || 0);
///         *count += 1;
///         out.emit(*count).await
///     }
/// }
/// ```
pub struct Keyed<K, V> {
    store: Option<Box<dyn Store<K, V>>>,
}

impl<K, V> Keyed<K, V> {
    /// The value of a key.
    ///
    /// # Panics
    /// Like every access: when the bolt does not name this state in
    /// [`Bolt::state`](crate::Bolt::state).
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.store().get(key)
    }

    /// The value of a key, to be changed.
    #[must_use]
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.store_mut().get_mut(key)
    }

    /// The value of a key, which is made first if there is none.
    pub fn entry(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let mut make = Some(make);
        let mut value = || make.take().map(|make| make()).expect("a store makes a value once");
        self.store_mut().entry(key, &mut value)
    }

    /// Sets the value of a key.
    pub fn insert(&mut self, key: K, value: V) {
        self.store_mut().insert(key, value);
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.store_mut().remove(key)
    }

    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.store().len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All keys and values, in no particular order.
    pub fn iter(&self) -> Box<dyn Iterator<Item = (&K, &V)> + '_> {
        self.store().iter()
    }

    /// Gives the state a store. Done by the engine, through [`Stores`].
    pub fn attach(&mut self, store: Box<dyn Store<K, V>>) {
        self.store = Some(store);
    }

    fn store(&self) -> &dyn Store<K, V> {
        self.store.as_deref().expect(DETACHED)
    }

    fn store_mut(&mut self) -> &mut dyn Store<K, V> {
        self.store.as_deref_mut().expect(DETACHED)
    }
}

const DETACHED: &str = "this `Keyed` state has no store: name it in the bolt's `fn state`, \
                        as in `stores.keyed(\"counts\", &mut self.counts)`";

impl<K, V> Default for Keyed<K, V> {
    fn default() -> Self {
        Self { store: None }
    }
}

impl<K, V> Clone for Keyed<K, V> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<K, V> fmt::Debug for Keyed<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.store {
            Some(store) => write!(f, "Keyed({} keys)", store.len()),
            None => f.write_str("Keyed(detached)"),
        }
    }
}

/// A place where keyed state lives. Implemented by engines.
pub trait Store<K, V>: Send {
    /// The value of a key.
    fn get(&self, key: &K) -> Option<&V>;
    /// The value of a key, to be changed.
    fn get_mut(&mut self, key: &K) -> Option<&mut V>;
    /// The value of a key, which is made first, by calling `make` once, if there is none.
    fn entry(&mut self, key: K, make: &mut dyn FnMut() -> V) -> &mut V;
    /// Sets the value of a key.
    fn insert(&mut self, key: K, value: V);
    /// Forgets a key.
    fn remove(&mut self, key: &K) -> Option<V>;
    /// Number of keys.
    fn len(&self) -> usize;
    /// Whether there is no key.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// All keys and values, in no particular order.
    fn iter(&self) -> Box<dyn Iterator<Item = (&K, &V)> + '_>;
}

/// The simplest store is a map in memory.
///
/// ```
/// use std::collections::HashMap;
/// use tormenta_dsl::Keyed;
///
/// let mut counts = Keyed::default();
/// counts.attach(Box::new(HashMap::new()));
/// *counts.entry("storm", || 0) += 1;
/// assert_eq!(counts.get(&"storm"), Some(&1));
/// ```
impl<K: Hash + Eq + Send, V: Send, S: BuildHasher + Send> Store<K, V> for HashMap<K, V, S> {
    fn get(&self, key: &K) -> Option<&V> {
        self.get(key)
    }

    fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.get_mut(key)
    }

    fn entry(&mut self, key: K, make: &mut dyn FnMut() -> V) -> &mut V {
        self.entry(key).or_insert_with(make)
    }

    fn insert(&mut self, key: K, value: V) {
        self.insert(key, value);
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        self.remove(key)
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn iter(&self) -> Box<dyn Iterator<Item = (&K, &V)> + '_> {
        Box::new(self.iter())
    }
}

/// What a bolt names its state to. Implemented by engines.
pub trait Stores {
    /// Attaches a store to `keyed`, under a name that is unique within the bolt.
    fn keyed<K: StateKey, V: StateValue>(&mut self, name: &str, keyed: &mut Keyed<K, V>);
}
