//! Whether the columns of a file are the fields of a type, before there is a row.
//!
//! serde knows which fields a type wants, under which names, and which of them may be missing, but
//! tells only whom it deserializes from. So this file is a deserializer: it offers a row with the
//! given columns and harmless values, and listens to what is asked for. A missing field is noted
//! and offered in the next round, so that all of them are found.

use std::fmt;

use serde::{
    de::{self, DeserializeOwned, DeserializeSeed, MapAccess, Visitor, value::StrDeserializer},
    forward_to_deserialize_any,
};

/// Rounds at most: types with more required fields than this are told in part.
const ROUNDS_MAX: usize = 1_000;

/// What a type makes of some columns.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fit {
    /// The names of its fields, aliases included; `None` if it takes columns of any name.
    pub(crate) fields: Option<&'static [&'static str]>,
    /// Fields that it cannot do without and that are not there.
    pub(crate) missing: Vec<&'static str>,
    /// A column that it does not want, or wants only once.
    pub(crate) refused: Option<String>,
}

/// Offers these columns to a type.
pub(crate) fn fit<T: DeserializeOwned>(columns: &[&str]) -> Fit {
    let mut fit = Fit::default();
    for _ in 0..ROUNDS_MAX {
        let mut names = columns.to_vec();
        names.extend(&fit.missing);
        match T::deserialize(Offer { columns: &names, fields: &mut fit.fields }) {
            Err(No::Missing(name)) if !fit.missing.contains(&name) => fit.missing.push(name),
            Err(No::Refused(why)) => {
                fit.refused = Some(why);
                break;
            }
            // Values may be refused here that a real row will not have.
            Ok(_) | Err(_) => break,
        }
    }
    fit
}

struct Offer<'a> {
    columns: &'a [&'a str],
    fields: &'a mut Option<&'static [&'static str]>,
}

impl<'de> de::Deserializer<'de> for Offer<'_> {
    type Error = No;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, No> {
        visitor.visit_map(Columns { rest: self.columns })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, No> {
        *self.fields = Some(fields);
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Columns<'a> {
    rest: &'a [&'a str],
}

impl<'de> MapAccess<'de> for Columns<'_> {
    type Error = No;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, No> {
        let Some(name) = self.rest.first() else { return Ok(None) };
        seed.deserialize(StrDeserializer::<No>::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, No> {
        self.rest = &self.rest[1..];
        seed.deserialize(Harmless)
    }
}

/// A value of whatever type is asked for.
struct Harmless;

macro_rules! harmless {
    ($($deserialize:ident $visit:ident $value:expr;)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, No> {
            visitor.$visit($value)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Harmless {
    type Error = No;

    harmless! {
        deserialize_any visit_str "";
        deserialize_bool visit_bool false;
        deserialize_i8 visit_i8 0;
        deserialize_i16 visit_i16 0;
        deserialize_i32 visit_i32 0;
        deserialize_i64 visit_i64 0;
        deserialize_i128 visit_i128 0;
        deserialize_u8 visit_u8 0;
        deserialize_u16 visit_u16 0;
        deserialize_u32 visit_u32 0;
        deserialize_u64 visit_u64 0;
        deserialize_u128 visit_u128 0;
        deserialize_f32 visit_f32 0.0;
        deserialize_f64 visit_f64 0.0;
        deserialize_char visit_char ' ';
        deserialize_str visit_str "";
        deserialize_string visit_str "";
        deserialize_bytes visit_bytes b"";
        deserialize_byte_buf visit_bytes b"";
        deserialize_identifier visit_str "";
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, No> {
        visitor.visit_none()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, No> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, No> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, No> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! { unit_struct seq tuple tuple_struct map struct enum }
}

/// Why a type refused what it was offered.
#[derive(Debug)]
enum No {
    Missing(&'static str),
    Refused(String),
    Other,
}

impl fmt::Display for No {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for No {}

impl de::Error for No {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::Refused(format!("the column `{field}`, which is not wanted"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Refused(format!("the column `{field}` twice"))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only its shape is looked at")]
    struct Swipe {
        card: u64,
        #[serde(rename = "amt")]
        cents: f64,
        note: Option<String>,
        #[serde(default)]
        kind: Kind,
        #[serde(alias = "shop")]
        merchant: String,
    }

    #[derive(Deserialize, Default)]
    enum Kind {
        #[default]
        Chip,
    }

    #[test]
    fn all_that_is_missing_is_found_and_what_may_be_is_not() {
        assert_eq!(fit::<Swipe>(&[]).missing, ["card", "amt", "merchant"]);
        assert_eq!(fit::<Swipe>(&["cents", "shop", "zip"]).missing, ["card", "amt"]);
        let whole = fit::<Swipe>(&["card", "amt", "merchant"]);
        assert_eq!((whole.missing.len(), whole.refused), (0, None));
    }

    #[test]
    fn a_column_that_is_there_twice_is_refused() {
        let refused = fit::<Swipe>(&["card", "amt", "card"]).refused;
        assert_eq!(refused.as_deref(), Some("the column `card` twice"));
    }

    #[test]
    fn types_may_be_strict_or_take_anything() {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code, reason = "only its shape is looked at")]
        struct Strict {
            a: u8,
        }
        let refused = fit::<Strict>(&["a", "b"]).refused;
        assert_eq!(refused.as_deref(), Some("the column `b`, which is not wanted"));
        let any = fit::<std::collections::BTreeMap<String, String>>(&["a"]);
        assert_eq!(any, Fit::default());
    }
}
