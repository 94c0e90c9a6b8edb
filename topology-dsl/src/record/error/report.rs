//! serde's own complaints in our words.

use std::fmt;

use serde::{de, ser};

use super::{RecordError, plural};

impl ser::Error for RecordError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom { field: String::new(), message: message.to_string() }
    }
}

impl de::Error for RecordError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        ser::Error::custom(message)
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::mismatch(expected.to_string(), name_found(found))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::mismatch(expected.to_string(), name_found(found))
    }

    fn invalid_length(length: usize, expected: &dyn de::Expected) -> Self {
        let elements = plural(length);
        Self::mismatch(expected.to_string(), format!("{length} element{elements}"))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::mismatch(one_of(expected), format!("variant `{variant}`"))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::Unknown { field: field.to_owned(), expected: one_of(expected) }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing { field: field.to_owned() }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Duplicate { field: field.to_owned() }
    }
}

/// serde's name for what was found, in the words of `Value` where they differ.
fn name_found(found: de::Unexpected<'_>) -> String {
    match found {
        de::Unexpected::Unit => "null".to_owned(),
        de::Unexpected::Bytes(_) => "bytes".to_owned(),
        de::Unexpected::Seq => "a list".to_owned(),
        de::Unexpected::Map => "a map".to_owned(),
        other => other.to_string(),
    }
}

/// ``one of `a`, `b` ``: how a closed list of names reads in a message.
pub(in crate::record) fn one_of<T: AsRef<str>>(names: &[T]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match quoted.as_slice() {
        [] => "none".to_owned(),
        [only] => only.clone(),
        several => format!("one of {}", several.join(", ")),
    }
}
