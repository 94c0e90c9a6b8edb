//! What flows along the streams of a flow.

use std::{cell::RefCell, sync::Arc};

use serde::{Deserialize, Serialize};
use tormenta::{
    Streams, Tuple,
    record::{Interned, Record, RecordError, Schema, Value},
};

use crate::shape::Shape;

/// A [`Record`] as a tuple: its fields are known when the flow is declared, not when this is
/// compiled.
///
/// ```
/// use std::sync::Arc;
/// use tormenta::record::{Record, Schema};
/// use tormenta_flow::Row;
///
/// let schema = Arc::new(Schema::new("Row", &[("word", "text"), ("count", "int")]));
/// let record = Record::new(schema, vec!["storm".into(), 3.into()])?;
/// assert_eq!(Row::from(record).get("count").and_then(|n| n.as_int()), Some(3));
/// # Ok::<(), tormenta::record::RecordError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Row(Record);

impl Row {
    /// A row of this shape, which has as many fields as there are values.
    #[inline]
    pub(crate) fn new(schema: Interned, values: Vec<Value>) -> Self {
        match Record::of_interned(schema, values) {
            Ok(record) => Self(record),
            Err(error) => unreachable!("a component made a row of another shape: {error}"),
        }
    }

    /// A row with these values, in the order of the fields.
    ///
    /// # Errors
    /// Unless there is one value for each field.
    ///
    /// ```
    /// use tormenta::record::{Interned, Schema};
    /// use tormenta_flow::Row;
    ///
    /// let schema = Interned::new(Schema::new("Row", &[("word", "text"), ("count", "int")]));
    /// let row = Row::of(schema, vec!["storm".into(), 3.into()])?;
    /// assert_eq!(row.at(1).as_int(), Some(3));
    /// assert!(Row::of(schema, vec![]).is_err());
    /// # Ok::<(), tormenta::record::RecordError>(())
    /// ```
    pub fn of(schema: Interned, values: Vec<Value>) -> Result<Self, RecordError> {
        Record::of_interned(schema, values).map(Self)
    }

    /// The value of the field at this position.
    ///
    /// ```
    /// # use tormenta::record::{Interned, Schema};
    /// # let schema = Interned::new(Schema::new("Row", &[("count", "int")]));
    /// let row = tormenta_flow::Row::of(schema, vec![3.into()])?;
    /// assert_eq!(row.at(0).as_int(), Some(3));
    /// # Ok::<(), tormenta::record::RecordError>(())
    /// ```
    ///
    /// # Panics
    /// If there is no such position.
    #[inline]
    #[must_use]
    pub fn at(&self, at: usize) -> &Value {
        &self.0.values()[at]
    }

    /// The values, in the order of the fields.
    ///
    /// ```
    /// # use tormenta::record::{Interned, Schema};
    /// # let schema = Interned::new(Schema::new("Row", &[("count", "int")]));
    /// let row = tormenta_flow::Row::of(schema, vec![3.into()])?;
    /// assert_eq!(row.values().len(), 1);
    /// # Ok::<(), tormenta::record::RecordError>(())
    /// ```
    #[must_use]
    pub fn values(&self) -> &[Value] {
        self.0.values()
    }

    /// The values alone, to be changed without a copy.
    ///
    /// ```
    /// # use tormenta::record::{Interned, Schema};
    /// # let schema = Interned::new(Schema::new("Row", &[("count", "int")]));
    /// let row = tormenta_flow::Row::of(schema, vec![3.into()])?;
    /// assert_eq!(row.into_values(), [3.into()]);
    /// # Ok::<(), tormenta::record::RecordError>(())
    /// ```
    #[must_use]
    pub fn into_values(self) -> Vec<Value> {
        self.0.into_values()
    }

    /// The value of a field.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use tormenta::record::{Record, Schema};
    /// # let record = Record::new(Arc::new(Schema::new("Row", &[])), vec![]).unwrap();
    /// assert_eq!(tormenta_flow::Row::from(record).get("word"), None);
    /// ```
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }

    /// The record.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use tormenta::record::{Record, Schema};
    /// # let record = Record::new(Arc::new(Schema::new("Row", &[])), vec![]).unwrap();
    /// assert_eq!(tormenta_flow::Row::from(record).record().to_string(), "{}");
    /// ```
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.0
    }
}

impl From<Record> for Row {
    fn from(record: Record) -> Self {
        Self(record)
    }
}

thread_local! {
    /// The schema of the rows that are being declared on this thread.
    static DECLARED: RefCell<Option<Arc<Schema>>> = const { RefCell::new(None) };
}

/// Has [`Tuple::schema`] of rows answer with this shape meanwhile. A schema belongs to a type, but
/// what a row has is up to the flow; whoever asks for it, asks when it is declared.
pub(crate) fn declaring<R>(shape: Option<&Shape>, declare: impl FnOnce() -> R) -> R {
    let schema = shape.map(|shape| Arc::clone(&shape.schema()));
    let before = DECLARED.replace(schema);
    let result = declare();
    DECLARED.set(before);
    result
}

impl Tuple for Row {
    fn schema() -> Arc<Schema> {
        let declared = DECLARED.with_borrow(Clone::clone);
        declared.unwrap_or_else(|| Arc::new(Schema::new("Row", &[])))
    }

    fn to_record(&self) -> Result<Record, RecordError> {
        Ok(self.0.clone())
    }
}

/// The two streams of a bolt that sorts its rows.
#[derive(Streams, Clone, Debug)]
pub(crate) enum Sorted {
    /// Those that are as they should be.
    Default(Row),
    /// Those that are not.
    Rejected(Row),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Kind;

    #[test]
    fn the_schema_is_that_of_what_is_declared() {
        let shape = Shape::of([("n", Kind::Int)]);
        declaring(Some(&shape), || {
            assert_eq!(Row::schema().to_string(), "Row(n: int)");
            declaring(None, || assert_eq!(Row::schema().to_string(), "Row()"));
            assert_eq!(Row::schema().to_string(), "Row(n: int)");
        });
        assert_eq!(Row::schema().to_string(), "Row()");
    }

    #[test]
    fn a_row_goes_through_json_as_its_fields() {
        let row = Row::new(Shape::of([("n", Kind::Int)]).schema(), vec![7.into()]);
        let json = serde_json::to_string(&row).expect("JSON");
        assert_eq!(json, "{\"n\":7}");
        let back: Row = serde_json::from_str(&json).expect("a row");
        assert_eq!(back.values(), row.values());
    }
}
