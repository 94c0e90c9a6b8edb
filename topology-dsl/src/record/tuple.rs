//! A record flows along a stream as any tuple does.

use std::sync::{Arc, LazyLock};

use super::{Record, RecordError, Schema};
use crate::Tuple;

/// For components whose tuples have a shape that is known only at run time. The schema of the
/// stream has no fields; each record brings its own.
///
/// ```
/// use std::sync::Arc;
/// use tormenta_dsl::{Tuple, record::{Record, Schema}};
///
/// let schema = Arc::new(Schema::new("Count", &[("n", "u64")]));
/// let record = Record::new(schema, vec![3.into()])?;
/// assert_eq!(record.to_record()?, record);
/// assert_eq!(<Record as Tuple>::schema().to_string(), "Record()");
/// # Ok::<(), tormenta_dsl::record::RecordError>(())
/// ```
impl Tuple for Record {
    fn schema() -> Arc<Schema> {
        static SCHEMA: LazyLock<Arc<Schema>> =
            LazyLock::new(|| Arc::new(Schema::new("Record", &[])));
        SCHEMA.clone()
    }

    fn to_record(&self) -> Result<Record, RecordError> {
        Ok(self.clone())
    }
}
