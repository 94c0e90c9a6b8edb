//! The shape of a record: a name and an ordered list of fields.
//!
//! A schema is written once per tuple type and shared by an `Arc`. Its fingerprint stands for it
//! wherever two builds must agree without comparing text: saved state, links between workers.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::error::RecordError;

/// The field in which a value that has no fields of its own is kept: a number, a list, an enum.
pub(super) const LONE: &str = "value";

/// One field of a [`Schema`].
///
/// ```
/// use tormenta_dsl::record::Field;
///
/// let field = Field::new("word", "Bytes");
/// assert_eq!(field.to_string(), "word: Bytes");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Field {
    /// The name, unique within its schema.
    pub name: Cow<'static, str>,
    /// The Rust type as written, for people and for the fingerprint; nothing is checked by it.
    pub kind: Cow<'static, str>,
}

impl Field {
    /// A field called `name` whose Rust type is written `kind`.
    ///
    /// ```
    /// use tormenta_dsl::record::Field;
    ///
    /// assert_eq!(Field::new("n", "u32").kind, "u32");
    /// ```
    pub fn new(name: impl Into<Cow<'static, str>>, kind: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), kind: kind.into() }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.kind)
    }
}

/// The name and the ordered fields of a [`Record`](super::Record).
///
/// ```
/// use tormenta_dsl::record::Schema;
///
/// let schema = Schema::new("Count", &[("word", "Bytes"), ("n", "u64")]);
/// assert_eq!(schema.name(), "Count");
/// assert_eq!(schema.position("n"), Some(1));
/// assert_eq!(schema.to_string(), "Count(word: Bytes, n: u64)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "SchemaParts")]
pub struct Schema {
    name: Cow<'static, str>,
    fields: Vec<Field>,
}

/// What is read before it is known to be a schema.
#[derive(Deserialize)]
#[serde(rename = "Schema")]
struct SchemaParts {
    name: Cow<'static, str>,
    fields: Vec<Field>,
}

impl TryFrom<SchemaParts> for Schema {
    type Error = RecordError;

    fn try_from(parts: SchemaParts) -> Result<Self, RecordError> {
        Self::from_fields(parts.name, parts.fields)
    }
}

impl Schema {
    /// The schema of a type known at compile time; `fields` are pairs of name and Rust type.
    ///
    /// # Panics
    ///
    /// When a field name occurs twice: the list is written by a programmer or a macro, so this is
    /// a bug. Use [`Schema::from_fields`] for lists that come from outside.
    ///
    /// ```
    /// use tormenta_dsl::record::Schema;
    ///
    /// assert_eq!(Schema::new("Tick", &[]).fields().len(), 0);
    /// ```
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        fields: &[(&'static str, &'static str)],
    ) -> Self {
        let name = name.into();
        let fields: Vec<Field> = fields.iter().map(|&(n, kind)| Field::new(n, kind)).collect();
        let twice = duplicate(&fields);
        assert!(twice.is_none(), "schema `{name}` has two fields called `{}`", twice.unwrap_or(""));
        Self { name, fields }
    }

    /// A schema whose fields are known only at run time, for example from a TOML file.
    ///
    /// # Errors
    ///
    /// [`RecordError::Duplicate`] when a field name occurs twice.
    ///
    /// ```
    /// use tormenta_dsl::record::{Field, Schema};
    ///
    /// let field = |name: &str| Field::new(name.to_owned(), "Value");
    /// assert!(Schema::from_fields("Row", vec![field("a"), field("b")]).is_ok());
    /// assert!(Schema::from_fields("Row", vec![field("a"), field("a")]).is_err());
    /// ```
    pub fn from_fields(
        name: impl Into<Cow<'static, str>>,
        fields: Vec<Field>,
    ) -> Result<Self, RecordError> {
        match duplicate(&fields) {
            Some(field) => Err(RecordError::Duplicate { field: field.to_owned() }),
            None => Ok(Self { name: name.into(), fields }),
        }
    }

    /// The name, as a rule that of the Rust type.
    ///
    /// ```
    /// # use tormenta_dsl::record::Schema;
    /// assert_eq!(Schema::new("Count", &[("n", "u64")]).name(), "Count");
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The fields, in the order in which a record keeps its values.
    ///
    /// ```
    /// # use tormenta_dsl::record::Schema;
    /// assert_eq!(Schema::new("Count", &[("n", "u64")]).fields()[0].name, "n");
    /// ```
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Where the field called `name` stands, counted from 0.
    ///
    /// ```
    /// # use tormenta_dsl::record::Schema;
    /// assert_eq!(Schema::new("Count", &[("n", "u64")]).position("m"), None);
    /// ```
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// A number that two builds share exactly when they agree on name, fields, order and types.
    ///
    /// It is the XXH3 (64 bit, seed 0) of `name(field:kind,...)`. White space in a type counts
    /// only between two words, so `Vec < u8 >` from a macro equals `Vec<u8>` from a person.
    /// Computed at each call; keep it if you need it per tuple.
    ///
    /// ```
    /// use tormenta_dsl::record::Schema;
    ///
    /// let tight = Schema::new("Blob", &[("data", "Vec<u8>")]);
    /// let loose = Schema::new("Blob", &[("data", "Vec < u8 >")]);
    /// assert_eq!(tight.fingerprint(), loose.fingerprint());
    /// ```
    pub fn fingerprint(&self) -> u64 {
        xxh3_64(self.canonical().as_bytes())
    }

    pub(super) fn canonical(&self) -> String {
        let mut text = format!("{}(", self.name);
        for (position, field) in self.fields.iter().enumerate() {
            if position > 0 {
                text.push(',');
            }
            text.push_str(&field.name);
            text.push(':');
            push_kind(&mut text, &field.kind);
        }
        text.push(')');
        text
    }

    /// Whether this is the schema of a value that has no fields of its own.
    pub(super) fn is_lone(&self) -> bool {
        matches!(self.fields.as_slice(), [only] if only.name == LONE)
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (position, field) in self.fields.iter().enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            write!(f, "{comma}{field}")?;
        }
        f.write_str(")")
    }
}

fn duplicate(fields: &[Field]) -> Option<&str> {
    let mut seen = std::collections::HashSet::new();
    fields.iter().map(|field| field.name.as_ref()).find(|name| !seen.insert(*name))
}

/// Appends `kind` without the white space that rustc's token printer is free to change.
fn push_kind(text: &mut String, kind: &str) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let start = text.len();
    for part in kind.split_whitespace() {
        let before = text[start..].chars().next_back();
        if before.is_some_and(is_word) && part.starts_with(is_word) {
            text.push(' ');
        }
        text.push_str(part);
    }
}
