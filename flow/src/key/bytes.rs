//! Keys as bytes: written, and read again.
//!
//! ```text
//! null      0                          text, alone    5, its bytes
//! bool      1, 0 or 1                  text, of many  6, its bytes with 0 as 0 255, then 0 0
//! int       2, 8 bytes, sign flipped   float          4, 8 bytes, flipped so that they are ordered
//! above i64 3, 8 bytes                 what is nested is the text of its JSON
//! ```

use std::borrow::Cow;

use bytes::Bytes;
use tormenta::record::Value;

pub(super) const NULL: u8 = 0;
pub(super) const BOOL: u8 = 1;
pub(super) const INT: u8 = 2;
pub(super) const UINT: u8 = 3;
pub(super) const FLOAT: u8 = 4;
pub(super) const TEXT: u8 = 5;
pub(super) const PART: u8 = 6;

pub(super) const SIGN: u64 = 1 << 63;

/// Adds a value to a key.
pub(super) fn write(value: &Value, is_alone: bool, bytes: &mut Vec<u8>) {
    let mut word = |tag: u8, word: u64| {
        bytes.push(tag);
        bytes.extend_from_slice(&word.to_be_bytes());
    };
    match value {
        Value::Null => bytes.push(NULL),
        Value::Bool(truth) => bytes.extend_from_slice(&[BOOL, u8::from(*truth)]),
        Value::Int(number) => word(INT, *number as u64 ^ SIGN),
        Value::UInt(number) => word(UINT, *number),
        Value::Float(number) => {
            let bits = normal(*number);
            word(FLOAT, if bits & SIGN == 0 { bits | SIGN } else { !bits });
        }
        Value::Text(text) => write_text(text.as_bytes(), is_alone, bytes),
        Value::Bytes(text) => write_text(text, is_alone, bytes),
        nested => write_text(&nested_text(nested), is_alone, bytes),
    }
}

fn write_text(text: &[u8], is_alone: bool, bytes: &mut Vec<u8>) {
    if is_alone {
        bytes.push(TEXT);
        bytes.extend_from_slice(text);
        return;
    }
    bytes.push(PART);
    for (index, piece) in text.split(|byte| *byte == 0).enumerate() {
        if index > 0 {
            bytes.extend_from_slice(&[0, 255]);
        }
        bytes.extend_from_slice(piece);
    }
    bytes.extend_from_slice(&[0, 0]);
}

/// The bits of a float, of which equal ones have the same.
pub(super) fn normal(number: f64) -> u64 {
    if number.is_nan() { f64::NAN.to_bits() } else { (number + 0.0).to_bits() }
}

/// What is nested, in the one notation that is the same for equal values.
#[cold]
pub(super) fn nested_text(value: &Value) -> Bytes {
    Bytes::from(same(value).to_string())
}

/// A value as the one that stands for all that are the same key: text and bytes are one here as
/// well, and so are `0.0` and `-0.0`.
fn same(value: &Value) -> Value {
    match value {
        Value::Float(number) => Value::Float(f64::from_bits(normal(*number))),
        Value::Bytes(_) => value.as_text().map_or_else(|| value.clone(), Value::from),
        Value::List(items) => Value::List(items.iter().map(same).collect()),
        Value::Map(entries) => {
            Value::Map(entries.iter().map(|(name, value)| (name.clone(), same(value))).collect())
        }
        other => other.clone(),
    }
}

/// One value of a key.
pub(super) enum Part<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Text(Cow<'a, [u8]>),
}

/// Reads a key. Bytes that are none end it.
pub(super) struct Parts<'a>(pub(super) &'a [u8]);

impl<'a> Parts<'a> {
    fn word(&mut self) -> Option<u64> {
        let (word, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*word))
    }

    /// A text with an end, behind which more may come.
    fn part(&mut self) -> Cow<'a, [u8]> {
        let (all, mut at) = (self.0, 0);
        let mut owned: Option<Vec<u8>> = None;
        loop {
            let Some(zero) = memchr::memchr(0, &all[at..]).map(|zero| at + zero) else {
                self.0 = &[];
                return Cow::Borrowed(all);
            };
            self.0 = all.get(zero + 2..).unwrap_or_default();
            if all.get(zero + 1) != Some(&255) {
                return match owned {
                    None => Cow::Borrowed(&all[..zero]),
                    Some(mut text) => {
                        text.extend_from_slice(&all[at..zero]);
                        Cow::Owned(text)
                    }
                };
            }
            owned.get_or_insert_default().extend_from_slice(&all[at..=zero]);
            at = zero + 2;
        }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let (tag, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(match *tag {
            NULL => Part::Null,
            BOOL => {
                let (truth, rest) = rest.split_first()?;
                self.0 = rest;
                Part::Bool(*truth != 0)
            }
            INT => Part::Int((self.word()? ^ SIGN) as i64),
            UINT => Part::UInt(self.word()?),
            FLOAT => {
                let bits = self.word()?;
                let bits = if bits & SIGN == 0 { !bits } else { bits ^ SIGN };
                Part::Float(f64::from_bits(bits))
            }
            PART => Part::Text(self.part()),
            _ => Part::Text(Cow::Borrowed(std::mem::take(&mut self.0))),
        })
    }
}
