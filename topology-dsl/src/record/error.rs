//! What can go wrong between a Rust type, a [`Record`](super::Record) and the world outside.
//!
//! serde reports a mistake from the inside out: the innermost value knows what it found, each
//! layer around it knows one more name. So every variant carries a `field` path that grows on the
//! way up (`order.lines[3].price`), and the reader learns where to look, not only what was wrong.

mod report;

use std::fmt;

pub(super) use report::one_of;

/// Why a value could not become a [`Record`](super::Record), or a record a value.
///
/// `field` is the path from the record down to the culprit, such as `order.lines[3].price`; it is
/// empty when the whole value is meant.
///
/// ```
/// use std::sync::Arc;
/// use tormenta_dsl::record::{Record, RecordError, Schema};
///
/// let schema = Arc::new(Schema::new("Count", &[("n", "u32")]));
/// let error = Record::new(schema, vec![]).unwrap_err();
/// assert!(matches!(error, RecordError::Arity { expected: 1, found: 0, .. }));
/// assert_eq!(error.to_string(), "schema `Count` has 1 field, found 0 values");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// There are more or fewer values than the schema has fields.
    Arity {
        /// Name of the schema.
        schema: String,
        /// Number of fields in the schema.
        expected: usize,
        /// Number of values given.
        found: usize,
    },
    /// A field that is needed is not there.
    Missing {
        /// Path of the field.
        field: String,
    },
    /// A field is there that nobody asked for.
    Unknown {
        /// Path of the field.
        field: String,
        /// The fields that would have been understood.
        expected: String,
    },
    /// A field name occurs twice.
    Duplicate {
        /// Path of the field.
        field: String,
    },
    /// A value is of another kind, or out of range.
    Type {
        /// Path of the field.
        field: String,
        /// What the target wanted.
        expected: String,
        /// What was there.
        found: String,
    },
    /// Text was wanted, and the bytes found are not UTF-8.
    Utf8 {
        /// Path of the field.
        field: String,
        /// How many bytes at the start are valid, in bytes.
        valid_up_to: usize,
    },
    /// A Rust type that has no counterpart in [`Value`](super::Value), such as `u128`.
    Unsupported {
        /// Path of the field.
        field: String,
        /// The Rust type.
        what: &'static str,
    },
    /// Lists and maps are nested more deeply than [`Value::DEPTH_MAX`](super::Value::DEPTH_MAX).
    Depth {
        /// Path of the field.
        field: String,
        /// The bound, in levels.
        depth_max: usize,
    },
    /// Something that a type's own serde code had to say.
    Custom {
        /// Path of the field.
        field: String,
        /// Its words.
        message: String,
    },
}

impl RecordError {
    /// The path of the field at fault, or `None` when the whole value is.
    ///
    /// ```
    /// use tormenta_dsl::record::{RecordError, Value};
    ///
    /// let value = Value::from(vec![1, 300]);
    /// let error = value.to::<Vec<u8>>().unwrap_err();
    /// assert_eq!(error.field(), Some("[1]"));
    /// ```
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Arity { .. } => None,
            Self::Missing { field }
            | Self::Unknown { field, .. }
            | Self::Duplicate { field }
            | Self::Type { field, .. }
            | Self::Utf8 { field, .. }
            | Self::Unsupported { field, .. }
            | Self::Depth { field, .. }
            | Self::Custom { field, .. } => Some(field.as_str()).filter(|path| !path.is_empty()),
        }
    }

    /// The same error, seen from the map or struct in which `name` stands.
    pub(super) fn within(mut self, name: &str) -> Self {
        if let Some(path) = self.path_mut() {
            let dot = if path.is_empty() || path.starts_with('[') { "" } else { "." };
            *path = format!("{name}{dot}{path}");
        }
        self
    }

    /// The same error, seen from the list of which it is element `index`.
    pub(super) fn within_index(self, index: usize) -> Self {
        self.within(&format!("[{index}]"))
    }

    pub(super) fn unsupported(what: &'static str) -> Self {
        Self::Unsupported { field: String::new(), what }
    }

    pub(super) fn mismatch(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Type { field: String::new(), expected: expected.into(), found: found.into() }
    }

    fn path_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Arity { .. } => None,
            Self::Missing { field }
            | Self::Unknown { field, .. }
            | Self::Duplicate { field }
            | Self::Type { field, .. }
            | Self::Utf8 { field, .. }
            | Self::Unsupported { field, .. }
            | Self::Depth { field, .. }
            | Self::Custom { field, .. } => Some(field),
        }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Missing { field } = self {
            return write!(f, "field `{field}` is missing");
        }
        if let Some(path) = self.field() {
            write!(f, "field `{path}`: ")?;
        }
        match self {
            Self::Arity { schema, expected, found } => {
                let (fields, values) = (plural(*expected), plural(*found));
                write!(f, "schema `{schema}` has {expected} field{fields}, ")?;
                write!(f, "found {found} value{values}")
            }
            Self::Missing { .. } => Ok(()),
            Self::Unknown { expected, .. } => write!(f, "unknown, expected {expected}"),
            Self::Duplicate { .. } => f.write_str("occurs twice"),
            Self::Type { expected, found, .. } => write!(f, "expected {expected}, found {found}"),
            Self::Utf8 { valid_up_to, .. } => {
                write!(f, "expected text, found bytes that are not UTF-8 at offset {valid_up_to}")
            }
            Self::Unsupported { what, .. } => write!(f, "{what} has no counterpart in a record"),
            Self::Depth { depth_max, .. } => write!(f, "nested more than {depth_max} levels deep"),
            Self::Custom { message, .. } => f.write_str(message),
        }
    }
}

/// The ending of a noun of which there are `count`.
fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

impl std::error::Error for RecordError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_grows_from_the_inside_out() {
        let error = RecordError::mismatch("u32", "null").within("price").within_index(3);
        let error = error.within("lines").within("order");
        assert_eq!(error.field(), Some("order.lines[3].price"));
        assert_eq!(error.to_string(), "field `order.lines[3].price`: expected u32, found null");
    }

    #[test]
    fn every_message_is_one_lower_case_clause() {
        let field = || "n".to_owned();
        let all = [
            (RecordError::Missing { field: field() }, "field `n` is missing"),
            (
                RecordError::Unknown { field: field(), expected: one_of(&["a", "b"]) },
                "field `n`: unknown, expected one of `a`, `b`",
            ),
            (RecordError::Duplicate { field: field() }, "field `n`: occurs twice"),
            (
                RecordError::Utf8 { field: field(), valid_up_to: 4 },
                "field `n`: expected text, found bytes that are not UTF-8 at offset 4",
            ),
            (
                RecordError::unsupported("u128").within("n"),
                "field `n`: u128 has no counterpart in a record",
            ),
            (
                RecordError::Depth { field: field(), depth_max: 128 },
                "field `n`: nested more than 128 levels deep",
            ),
            (<RecordError as serde::de::Error>::custom("not a port"), "not a port"),
        ];
        for (error, text) in all {
            assert_eq!(error.to_string(), text);
        }
    }
}
