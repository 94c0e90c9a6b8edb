//! Who is first.

use std::sync::Arc;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tormenta_dsl::{Tuple, record::Schema};

/// A key and how often it was seen.
///
/// ```
/// let storm = tormenta_bolts::Ranked { key: "storm".to_owned(), count: 3 };
/// assert_eq!(storm.count, 3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ranked<K> {
    /// The key.
    pub key: K,
    /// How often it was seen in the window.
    pub count: u64,
}

/// The keys that were seen most in a window, the first one first.
///
/// ```
/// use tormenta_bolts::{Ranked, Ranking};
///
/// let top = vec![Ranked { key: "storm".to_owned(), count: 3 }];
/// let ranking = Ranking { task: 0, start: 0, end: 60_000, top };
/// assert_eq!(ranking.top[0].key, "storm");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ranking<K> {
    /// The task that made it.
    pub task: u64,
    /// The first moment of the window, in milliseconds.
    pub start: i64,
    /// The first moment after the window, in milliseconds. The window is not over before it.
    pub end: i64,
    /// The largest counts, equal ones in the order of the keys.
    pub top: Vec<Ranked<K>>,
}

impl<K> Tuple for Ranking<K>
where
    K: Clone + Send + Serialize + DeserializeOwned + 'static,
{
    fn schema() -> Arc<Schema> {
        let fields = [("task", "u64"), ("start", "i64"), ("end", "i64"), ("top", "Vec<Ranked>")];
        Arc::new(Schema::new("Ranking", &fields))
    }
}
