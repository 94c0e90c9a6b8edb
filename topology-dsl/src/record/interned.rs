//! Schemas that live as long as the process, so that records refer to them without counting.
//!
//! A count that all records of a stream share is two atomic additions a record, which cost more
//! than the rest of a small record. Topologies that are declared have a few schemas that never
//! change.

use std::{
    collections::HashSet,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

use super::Schema;

/// A schema that is kept as long as the process lives, once however often it is interned.
///
/// It is for schemas that are known when a topology is declared: what is interned is never freed,
/// so do not intern what comes from outside.
///
/// ```
/// use tormenta_dsl::record::{Interned, Record, Schema};
///
/// let count = Interned::new(Schema::new("Count", &[("n", "u64")]));
/// let record = Record::of_interned(count, vec![3.into()])?;
/// assert_eq!(record.schema().name(), "Count");
/// assert_eq!(count, Interned::new(Schema::new("Count", &[("n", "u64")])));
/// # Ok::<(), tormenta_dsl::record::RecordError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Interned(&'static Arc<Schema>);

/// All that were ever interned.
static SCHEMAS: Mutex<Option<HashSet<&'static Arc<Schema>>>> = Mutex::new(None);

impl Interned {
    /// Interns a schema, or finds the one that is like it. It takes a lock: do it once for a
    /// stream, not for each record.
    ///
    /// ```
    /// use tormenta_dsl::record::{Interned, Schema};
    ///
    /// let tick = Interned::new(Schema::new("Tick", &[]));
    /// assert!(tick.fields().is_empty());
    /// ```
    #[must_use]
    pub fn new(schema: impl Into<Arc<Schema>>) -> Self {
        let schema = schema.into();
        // Who panicked here has changed nothing: a set is as it was or has one more.
        let mut schemas = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
        let schemas = schemas.get_or_insert_default();
        if let Some(known) = schemas.get(&schema) {
            return Self(known);
        }
        let kept: &'static Arc<Schema> = Box::leak(Box::new(schema));
        schemas.insert(kept);
        Self(kept)
    }

    #[inline]
    pub(super) fn get(self) -> &'static Arc<Schema> {
        self.0
    }
}

impl Deref for Interned {
    type Target = Arc<Schema>;

    fn deref(&self) -> &Arc<Schema> {
        self.0
    }
}

/// Those that are like each other are the same.
impl PartialEq for Interned {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Interned {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;

    #[test]
    fn what_is_alike_is_kept_once() {
        let of = |field| Interned::new(Schema::new("Interned", &[(field, "u64")]));
        assert_eq!(of("a"), of("a"));
        assert_ne!(of("a"), of("b"));
        assert!(std::ptr::eq(of("a").get(), of("a").get()));
    }

    #[test]
    fn a_record_is_the_same_whoever_keeps_its_schema() {
        let schema = Arc::new(Schema::new("Interned", &[("n", "u64")]));
        let counted = Record::new(schema.clone(), vec![7.into()]).expect("one value");
        let interned =
            Record::of_interned(Interned::new(schema), vec![7.into()]).expect("the same");
        assert_eq!(counted, interned);
        assert_eq!(counted.schema(), interned.schema());
        assert!(
            Record::of_interned(Interned::new(Schema::new("Tick", &[])), vec![7.into()]).is_err()
        );
    }
}
