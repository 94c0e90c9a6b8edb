//! How values and records look to people: JSON with fewer quotes, and with bytes.
//!
//! For logs, dead letters and the command line. It is not a format: nothing reads it back.

use std::fmt;

use super::Record;
use super::value::Value;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::UInt(number) => write!(f, "{number}"),
            // Debug keeps the point in 3.0, so that a float is seen to be one.
            Self::Float(number) => write!(f, "{number:?}"),
            // Debug escapes control characters, so that a log line stays one line.
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Bytes(bytes) => fmt_bytes(f, bytes),
            Self::List(items) => fmt_list(f, items),
            Self::Map(entries) => {
                fmt_entries(f, entries.iter().map(|(name, value)| (name.as_str(), value)))
            }
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_entries(f, self.iter())
    }
}

fn fmt_bytes(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return write!(f, "b{text:?}");
    }
    f.write_str("0x")?;
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn fmt_list(f: &mut fmt::Formatter<'_>, items: &[Value]) -> fmt::Result {
    f.write_str("[")?;
    for (index, item) in items.iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        write!(f, "{comma}{item}")?;
    }
    f.write_str("]")
}

fn fmt_entries<'a>(
    f: &mut fmt::Formatter<'_>,
    entries: impl Iterator<Item = (&'a str, &'a Value)>,
) -> fmt::Result {
    f.write_str("{")?;
    for (index, (name, value)) in entries.enumerate() {
        f.write_str(if index > 0 { ", " } else { "" })?;
        if is_identifier(name) {
            f.write_str(name)?;
        } else {
            write!(f, "{name:?}")?;
        }
        write!(f, ": {value}")?;
    }
    f.write_str("}")
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::super::Schema;
    use super::*;

    #[test]
    fn every_case_prints_as_agreed() {
        let map = BTreeMap::from([("a b".to_owned(), Value::Null), ("n".to_owned(), 1.into())]);
        let golden = [
            (Value::Null, "null"),
            (Value::from(true), "true"),
            (Value::from(-7), "-7"),
            (Value::from(u64::MAX), "18446744073709551615"),
            (Value::from(3.0), "3.0"),
            (Value::from(f64::NAN), "NaN"),
            (Value::from("a \"b\"\nc"), r#""a \"b\"\nc""#),
            (Value::from(b"storm".as_slice()), r#"b"storm""#),
            (Value::from(b"\x00\xff".as_slice()), "0x00ff"),
            (Value::from(vec![1, 2]), "[1, 2]"),
            (Value::from(Vec::<u8>::new()), "[]"),
            (Value::Map(map), r#"{"a b": null, n: 1}"#),
        ];
        for (value, text) in golden {
            assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn a_record_prints_its_fields_in_schema_order() {
        let schema = Arc::new(Schema::new("Count", &[("word", "String"), ("n", "u64")]));
        let record = Record::new(schema, vec!["storm".into(), 3.into()]).unwrap();
        assert_eq!(record.to_string(), r#"{word: "storm", n: 3}"#);
        let tick = Record::new(Arc::new(Schema::new("Tick", &[])), vec![]).unwrap();
        assert_eq!(tick.to_string(), "{}");
    }
}
