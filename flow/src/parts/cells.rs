//! Rows of files whose columns are known when the flow is read.
//!
//! `CsvRows` and `JsonLines` deserialize tuples of a type, and a type is given no arguments. So the
//! columns are put where the type finds them, for as long as the spout is polled: deserializing
//! neither waits nor leaves the thread. In return all that those spouts know holds here too: files
//! without the right columns are refused before their first row, and bad rows are named.

use std::{
    cell::RefCell,
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
};

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Unexpected, Visitor},
};
use tormenta::{
    Context, Failure, Result, Spout, Tuple,
    record::{Interned, Record, RecordError, Schema, Value},
};

use crate::{
    row::Row,
    shape::{Kind, Shape},
};

/// The columns that are wanted.
#[derive(Debug)]
pub(crate) struct Wanted {
    schema: Interned,
    /// The same names, as serde wants them.
    names: &'static [&'static str],
    kinds: Vec<Kind>,
    /// Whether values are texts, as in CSV, whatever they mean.
    is_text: bool,
}

impl Wanted {
    /// serde wants names that live for ever. They are leaked, a few for each spout that is
    /// declared; no input can make them more.
    pub(crate) fn new(shape: &Shape, is_text: bool) -> Arc<Self> {
        let names: Vec<&'static str> =
            shape.names().map(|name| &*Box::leak(name.to_owned().into_boxed_str())).collect();
        Arc::new(Self {
            schema: shape.schema(),
            names: Box::leak(names.into_boxed_slice()),
            kinds: shape.fields().map(|(_, kind)| kind).collect(),
            is_text,
        })
    }
}

thread_local! {
    static WANTED: RefCell<Option<Arc<Wanted>>> = const { RefCell::new(None) };
}

/// A row as it is read.
#[derive(Clone, Debug)]
pub(crate) struct Cells(pub(crate) Row);

impl Tuple for Cells {
    fn schema() -> Arc<Schema> {
        Row::schema()
    }

    fn to_record(&self) -> Result<Record, RecordError> {
        self.0.to_record()
    }
}

impl Serialize for Cells {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Cells {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(wanted) = WANTED.with_borrow(Clone::clone) else {
            return Err(D::Error::custom("no columns are wanted here"));
        };
        deserializer.deserialize_struct("Row", wanted.names, Columns(&wanted))
    }
}

struct Columns<'a>(&'a Arc<Wanted>);

impl<'de> Visitor<'de> for Columns<'_> {
    type Value = Cells;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cells, A::Error> {
        let wanted = self.0;
        let mut values: Vec<Option<Value>> = vec![None; wanted.names.len()];
        // Rows of a file have their columns in the same order.
        let mut expected = 0;
        while let Some(column) = map.next_key_seed(Column { wanted, expected })? {
            let Some(column) = column else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            expected = column + 1;
            let (kind, is_text) = (wanted.kinds[column], wanted.is_text);
            if values[column].is_some() {
                return Err(A::Error::duplicate_field(wanted.names[column]));
            }
            values[column] = Some(map.next_value_seed(Cell { kind, is_text })?);
        }
        let mut row = Vec::with_capacity(values.len());
        for (value, name) in values.into_iter().zip(wanted.names) {
            match value {
                Some(value) => row.push(value),
                // A column of a table is there or not; a field of an object is null.
                None if wanted.is_text => return Err(A::Error::missing_field(name)),
                None => row.push(Value::Null),
            }
        }
        Ok(Cells(Row::new(wanted.schema, row)))
    }
}

/// Which of the columns a name is.
struct Column<'a> {
    wanted: &'a Wanted,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for Column<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Column<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a column")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Option<usize>, E> {
        self.visit_bytes(name.as_bytes())
    }

    fn visit_bytes<E: serde::de::Error>(self, name: &[u8]) -> Result<Option<usize>, E> {
        let names = self.wanted.names;
        if names.get(self.expected).is_some_and(|expected| expected.as_bytes() == name) {
            return Ok(Some(self.expected));
        }
        Ok(names.iter().position(|wanted| wanted.as_bytes() == name))
    }
}

/// A value of a kind.
struct Cell {
    kind: Kind,
    is_text: bool,
}

impl<'de> DeserializeSeed<'de> for Cell {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match (self.is_text, self.kind) {
            (true, Kind::Text | Kind::Any) => deserializer.deserialize_bytes(self),
            (true, Kind::Bool) => opt::<D, bool>(deserializer),
            (true, Kind::Int) => opt::<D, i64>(deserializer),
            (true, Kind::Float) => opt::<D, f64>(deserializer),
            (false, _) => deserializer.deserialize_any(self),
        }
    }
}

fn opt<'de, D, T>(deserializer: D) -> Result<Value, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Into<Value>,
{
    Option::<T>::deserialize(deserializer).map(Value::from)
}

macro_rules! cell {
    ($($visit:ident $type:ty, $($kind:ident)|+, $unexpected:ident;)*) => {$(
        fn $visit<E: serde::de::Error>(self, value: $type) -> Result<Value, E> {
            match self.kind {
                $(Kind::$kind)|+ => Ok(Value::from(value)),
                _ => Err(E::invalid_type(Unexpected::$unexpected(value), &self)),
            }
        }
    )*};
}

impl<'de> Visitor<'de> for Cell {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())
    }

    cell! {
        visit_str &str, Text | Any, Str;
        visit_bool bool, Bool | Any, Bool;
        visit_f64 f64, Float | Any, Float;
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Value, E> {
        match self.kind {
            Kind::Int | Kind::Any => Ok(Value::Int(number)),
            Kind::Float => Ok(Value::Float(number as f64)),
            _ => Err(E::invalid_type(Unexpected::Signed(number), &self)),
        }
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
        match self.kind {
            Kind::Int | Kind::Any => Ok(Value::from(number)),
            Kind::Float => Ok(Value::Float(number as f64)),
            _ => Err(E::invalid_type(Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(Bytes::copy_from_slice(bytes)))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        match self.kind {
            Kind::Any => Value::deserialize(serde::de::value::MapAccessDeserializer::new(map)),
            _ => Err(A::Error::invalid_type(Unexpected::Map, &self)),
        }
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<Value, A::Error> {
        match self.kind {
            Kind::Any => Value::deserialize(serde::de::value::SeqAccessDeserializer::new(seq)),
            _ => Err(A::Error::invalid_type(Unexpected::Seq, &self)),
        }
    }
}

/// Reads rows from JSON text by hand, for bolts.
pub(crate) fn from_json(wanted: &Arc<Wanted>, text: &[u8]) -> serde_json::Result<Row> {
    with(wanted, || serde_json::from_slice::<Cells>(text)).map(|cells| cells.0)
}

fn with<R>(wanted: &Arc<Wanted>, work: impl FnOnce() -> R) -> R {
    let before = WANTED.replace(Some(wanted.clone()));
    let result = work();
    WANTED.set(before);
    result
}

/// Polls a future while the columns are there.
async fn wanting<F: Future>(wanted: &Arc<Wanted>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|waking| with(wanted, || future.as_mut().poll(waking))).await
}

/// A spout of [`Cells`] that knows its columns.
#[derive(Clone)]
pub(crate) struct Tabular<S> {
    spout: S,
    wanted: Arc<Wanted>,
}

impl<S: Spout<Output = Cells>> Tabular<S> {
    pub(crate) fn new(spout: S, wanted: Arc<Wanted>) -> Self {
        Self { spout, wanted }
    }
}

impl<S: Spout<Output = Cells>> Spout for Tabular<S> {
    type Output = Row;
    type Id = S::Id;

    async fn prepare(&mut self, cx: &Context) -> Result {
        wanting(&self.wanted, self.spout.prepare(cx)).await
    }

    async fn next(&mut self) -> Result<Option<(Row, S::Id)>> {
        let next = wanting(&self.wanted, self.spout.next()).await?;
        Ok(next.map(|(cells, id)| (cells.0, id)))
    }

    fn is_replay(&self, id: &S::Id) -> bool {
        self.spout.is_replay(id)
    }

    fn acked(&mut self, id: S::Id) {
        self.spout.acked(id);
    }

    fn failed(&mut self, id: S::Id, why: Failure) {
        self.spout.failed(id, why);
    }

    fn activated(&mut self) {
        self.spout.activated();
    }

    fn deactivated(&mut self) {
        self.spout.deactivated();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Arc<Wanted> {
        let shape = Shape::of([("page", Kind::Text), ("delta", Kind::Int), ("x", Kind::Any)]);
        Wanted::new(&shape, false)
    }

    #[test]
    fn fields_are_found_in_any_order() {
        let row =
            from_json(&wanted(), b"{\"delta\":-3,\"more\":[1],\"page\":\"a\"}").expect("a row");
        assert_eq!(row.record().to_string(), "{page: \"a\", delta: -3, x: null}");
        let row = from_json(&wanted(), b"{\"x\":{\"a\":[1,null]},\"page\":null}").expect("a row");
        assert_eq!(row.record().to_string(), "{page: null, delta: null, x: {a: [1, null]}}");
    }

    #[test]
    fn other_kinds_are_refused() {
        for text in ["{\"page\":1}", "{\"delta\":\"1\"}", "{\"delta\":1.5}", "{\"page\":[]}", "7"] {
            assert!(from_json(&wanted(), text.as_bytes()).is_err(), "{text}");
        }
        let twice = from_json(&wanted(), b"{\"page\":\"a\",\"page\":\"b\"}").expect_err("twice");
        assert!(twice.to_string().contains("page"), "{twice}");
        assert!(serde_json::from_str::<Cells>("{}").is_err());
    }
}
