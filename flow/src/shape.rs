//! The shape of the rows of a stream, known before anything runs.

use std::{fmt, sync::Arc};

use tormenta::record::{Field, Interned, Schema, Value};

/// What the values of a field are. Any of them may be null as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Text or bytes.
    Text,
    Int,
    Float,
    Bool,
    /// Whatever comes.
    Any,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Text, Self::Int, Self::Float, Self::Bool, Self::Any];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Any => "any",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it can be counted with.
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Any)
    }

    /// Reads a text as this. An empty one is null, but for texts.
    pub(crate) fn parse(self, text: &bytes::Bytes) -> Option<Value> {
        if self == Self::Text {
            return Some(Value::Bytes(text.clone()));
        }
        let text = std::str::from_utf8(text).ok()?.trim();
        if text.is_empty() {
            return Some(Value::Null);
        }
        match self {
            Self::Int => text.parse::<i64>().ok().map(Value::Int),
            Self::Float => text.parse::<f64>().ok().map(Value::Float),
            Self::Bool => text.parse::<bool>().ok().map(Value::Bool),
            Self::Text | Self::Any => Some(Value::Text(text.to_owned())),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The names and kinds of the fields of a row, in order.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    schema: Interned,
    kinds: Arc<[Kind]>,
}

impl Shape {
    /// A shape of these fields; of two with one name, the first.
    pub(crate) fn new(fields: impl IntoIterator<Item = (String, Kind)>) -> Self {
        let mut kept: Vec<(String, Kind)> = Vec::new();
        for (name, kind) in fields {
            if !kept.iter().any(|(other, _)| *other == name) {
                kept.push((name, kind));
            }
        }
        let kinds = kept.iter().map(|(_, kind)| *kind).collect();
        let fields = kept.into_iter().map(|(name, kind)| Field::new(name, kind.name())).collect();
        let schema = Schema::from_fields("Row", fields).unwrap_or_else(|_| Schema::new("Row", &[]));
        Self { schema: Interned::new(schema), kinds }
    }

    /// A shape that is written in code.
    pub(crate) fn of<const N: usize>(fields: [(&str, Kind); N]) -> Self {
        Self::new(fields.map(|(name, kind)| (name.to_owned(), kind)))
    }

    pub(crate) fn schema(&self) -> Interned {
        self.schema
    }

    pub(crate) fn schema_ref(&self) -> &Schema {
        &self.schema
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.names().zip(self.kinds.iter().copied())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.schema.fields().iter().map(|field| field.name.as_ref())
    }

    pub(crate) fn find(&self, name: &str) -> Option<Slot> {
        let at = self.schema.position(name)?;
        Some(Slot { at, kind: self.kinds[at] })
    }
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.schema.fmt(f)
    }
}

/// A field that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Where in the row.
    pub(crate) at: usize,
    pub(crate) kind: Kind,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_and_never_twice() {
        let shape = Shape::of([("a", Kind::Text), ("n", Kind::Int), ("a", Kind::Bool)]);
        assert_eq!(shape.to_string(), "Row(a: text, n: int)");
        assert_eq!(shape.find("n"), Some(Slot { at: 1, kind: Kind::Int }));
        assert_eq!(shape.find("x"), None);
    }

    #[test]
    fn texts_are_read_as_their_kind() {
        let text = |text: &'static str| bytes::Bytes::from_static(text.as_bytes());
        assert_eq!(Kind::Int.parse(&text(" -7 ")), Some(Value::Int(-7)));
        assert_eq!(Kind::Float.parse(&text("1e3")), Some(Value::Float(1000.0)));
        assert_eq!(Kind::Bool.parse(&text("true")), Some(Value::Bool(true)));
        assert_eq!(Kind::Int.parse(&text("")), Some(Value::Null));
        assert_eq!(Kind::Text.parse(&text("")), Some(Value::from(&b""[..])));
        assert_eq!(Kind::Int.parse(&text("7.5")), None);
        assert_eq!(Kind::Int.parse(&text("x")), None);
    }
}
