//! Tuples as lines of JSON and of CSV.

use std::io::Write as _;

use tormenta_dsl::{
    Error, Result, Streams, Tuple,
    record::{Record, Value},
};

/// The tuple as a JSON object. No end of line is inside.
pub(crate) fn json<T: Streams>(tuple: &T, line: &mut Vec<u8>) -> Result {
    let record = tuple.to_record().map_err(Error::poison)?;
    serde_json::to_writer(line, &record).map_err(Error::poison)
}

/// The names of the fields, and the end of the line.
pub(crate) fn csv_header<T: Tuple>() -> Vec<u8> {
    let mut line = Vec::new();
    for (index, field) in T::schema().fields().iter().enumerate() {
        if index > 0 {
            line.push(b',');
        }
        csv_field(field.name.as_bytes(), &mut line);
    }
    line.push(b'\n');
    line
}

/// The values of the fields, as RFC 4180 has them but for the end of the line, which is not here.
pub(crate) fn csv<T: Streams>(tuple: &T, line: &mut Vec<u8>) -> Result {
    let record: Record = tuple.to_record().map_err(Error::poison)?;
    let before = line.len();
    for (index, value) in record.values().iter().enumerate() {
        if index > 0 {
            line.push(b',');
        }
        csv_value(value, line)?;
    }
    // One empty field would be an empty line, which readers skip.
    if line.len() == before {
        line.extend_from_slice(b"\"\"");
    }
    Ok(())
}

fn csv_value(value: &Value, line: &mut Vec<u8>) -> Result {
    match value {
        Value::Null => {}
        Value::Bool(truth) => write!(line, "{truth}")?,
        Value::Int(number) => write!(line, "{number}")?,
        Value::UInt(number) => write!(line, "{number}")?,
        Value::Float(number) => write!(line, "{number}")?,
        Value::Text(text) => csv_field(text.as_bytes(), line),
        Value::Bytes(bytes) => csv_field(bytes, line),
        // Lists and maps, in the one notation that everybody reads.
        nested => csv_field(&serde_json::to_vec(nested).map_err(Error::poison)?, line),
    }
    Ok(())
}

/// Adds a field of CSV to a line: in quotes, with its own quotes doubled, where it holds a comma, a
/// quote or the end of a line (RFC 4180).
///
/// ```
/// let mut line = b"7,".to_vec();
/// tormenta_bolts::csv_field(b"say \"hi\"", &mut line);
/// assert_eq!(line, br#"7,"say ""hi""""#);
/// ```
pub fn csv_field(text: &[u8], line: &mut Vec<u8>) {
    if !text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        return line.extend_from_slice(text);
    }
    line.push(b'"');
    for byte in text {
        if *byte == b'"' {
            line.push(b'"');
        }
        line.push(*byte);
    }
    line.push(b'"');
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Tuple, Clone, Serialize, Deserialize)]
    struct Row {
        name: String,
        raw: Bytes,
        n: Option<i64>,
        parts: Vec<u8>,
    }

    fn row(name: &str, raw: &'static [u8]) -> Row {
        Row { name: name.into(), raw: Bytes::from_static(raw), n: None, parts: vec![1, 2] }
    }

    #[test]
    fn json_is_one_line() {
        let mut line = Vec::new();
        json(&row("a\n\"b\"", b"raw"), &mut line).expect("json");
        let text = String::from_utf8(line).expect("text");
        assert_eq!(text, r#"{"name":"a\n\"b\"","raw":"raw","n":null,"parts":[1,2]}"#);
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        let mut line = csv_header::<Row>();
        csv(&row("a,\n\"b\"", b"\xff"), &mut line).expect("csv");
        assert_eq!(line, b"name,raw,n,parts\n\"a,\n\"\"b\"\"\",\xff,,\"[1,2]\"");
        let mut line = Vec::new();
        csv(&String::new(), &mut line).expect("csv");
        assert_eq!(line, b"\"\"");
    }
}
