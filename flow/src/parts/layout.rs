//! How rows look as lines.

use std::{io::Write as _, sync::Arc};

use tormenta::{bolts::csv_field, record::Value};

use crate::{
    read::{
        document::{Item, Node},
        notes::{At, Notes},
        params::{Param, Wrong, choice},
        suggest::suggest,
    },
    row::Row,
    shape::Shape,
};

choice! {
    /// How a row looks where no template says so.
    Style {
        Json = "json",
        Tsv = "tsv",
        Csv = "csv",
    }
}

/// A line with fields in it: `{rank} {url}`.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
    at: At<()>,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    /// A field, and how wide it is at least; to the right if that is negative.
    Field(String, i32),
}

impl Param for Template {
    const KIND: &'static str =
        "a text with fields in braces, and widths if that helps: `{rank:3} {url:-30}`";

    fn read(node: &Node) -> Result<Self, Wrong> {
        let Item::Text(text, _) = &node.value else { return Err(Wrong::Kind) };
        let refuse = |why: String| Err(Wrong::value(&node.span, why));
        let (mut pieces, mut rest) = (Vec::new(), text.as_str());
        while let Some(at) = rest.find(['{', '}']) {
            if at > 0 {
                pieces.push(Piece::Text(rest[..at].to_owned()));
            }
            let (brace, after) = rest[at..].split_at(1);
            if let Some(after) = after.strip_prefix(brace) {
                pieces.push(Piece::Text(brace.to_owned()));
                rest = after;
                continue;
            }
            let Some((inside, after)) = after.split_once('}').filter(|_| brace == "{") else {
                return refuse(
                    "a brace is not closed; write `{field}`, or `{{` for a brace".into(),
                );
            };
            let (name, width) = inside.split_once(':').unwrap_or((inside, "0"));
            let Some(width) = width.parse().ok().filter(|width: &i32| width.abs() <= 1_000) else {
                return refuse(format!(
                    "`{width}` is no width; write a number, as in `{{{name}:8}}`"
                ));
            };
            pieces.push(Piece::Field(name.trim().to_owned(), width));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self { pieces, at: At { value: (), span: node.span.clone() } })
    }
}

impl Template {
    /// Notes fields that are not there.
    pub(crate) fn check(&self, shape: &Shape, notes: &mut Notes) {
        for piece in &self.pieces {
            let Piece::Field(name, _) = piece else { continue };
            if shape.find(name).is_none() {
                let mend = suggest(name, shape.names());
                notes.add(&self.at.span, format!("there is no field `{name}`; {mend}"));
            }
        }
    }
}

/// Adds a row to a line.
pub(crate) type Layout = Arc<dyn Fn(&Row, &mut Vec<u8>) + Send + Sync>;

/// How rows of this shape are written. On a terminal, which would obey them, control characters
/// are written as `?`.
pub(crate) fn layout(
    style: Style,
    template: Option<&Template>,
    shape: &Shape,
    tame: bool,
) -> Layout {
    let write: Layout = match (template, style) {
        (Some(template), _) => filled(template, shape),
        (None, Style::Json) => Arc::new(json),
        (None, Style::Tsv) => Arc::new(tsv),
        (None, Style::Csv) => Arc::new(csv),
    };
    if !tame {
        return write;
    }
    Arc::new(move |row, line| {
        let start = line.len();
        write(row, line);
        blank(&mut line[start..], |byte| (byte < b' ' && byte != b'\t') || byte == 0x7f, b'?');
    })
}

/// A piece of a template whose field was found.
enum Filled {
    Text(Vec<u8>),
    /// Where the field is, and how wide.
    Field(usize, i32),
}

fn filled(template: &Template, shape: &Shape) -> Layout {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => Some(Filled::Text(text.clone().into_bytes())),
        Piece::Field(name, width) => shape.find(name).map(|slot| Filled::Field(slot.at, *width)),
    };
    let pieces: Vec<Filled> = template.pieces.iter().filter_map(piece).collect();
    Arc::new(move |row, line| {
        for piece in &pieces {
            match piece {
                Filled::Text(text) => line.extend_from_slice(text),
                Filled::Field(at, width) => padded(row.at(*at), *width, line),
            }
        }
    })
}

fn json(row: &Row, line: &mut Vec<u8>) {
    let before = line.len();
    // A row is values that JSON has, or null; nothing is left that could fail.
    if serde_json::to_writer(&mut *line, row.record()).is_err() {
        line.truncate(before);
        line.extend_from_slice(b"null");
    }
}

fn tsv(row: &Row, line: &mut Vec<u8>) {
    for (index, value) in row.values().iter().enumerate() {
        if index > 0 {
            line.push(b'\t');
        }
        let start = line.len();
        plain(value, line);
        // A tab or an end of line in a value would be taken for one of ours.
        blank(&mut line[start..], |byte| matches!(byte, b'\t' | b'\n' | b'\r'), b' ');
    }
}

fn csv(row: &Row, line: &mut Vec<u8>) {
    let mut text = Vec::new();
    for (index, value) in row.values().iter().enumerate() {
        if index > 0 {
            line.push(b',');
        }
        text.clear();
        plain(value, &mut text);
        csv_field(&text, line);
    }
}

fn blank(text: &mut [u8], is_bad: impl Fn(u8) -> bool, with: u8) {
    text.iter_mut().filter(|byte| is_bad(**byte)).for_each(|byte| *byte = with);
}

/// A value as text, as it is; null is nothing, and what is nested is JSON.
fn plain(value: &Value, line: &mut Vec<u8>) {
    match value {
        Value::Null => {}
        Value::Text(text) => line.extend_from_slice(text.as_bytes()),
        Value::Bytes(bytes) => line.extend_from_slice(bytes),
        Value::List(_) | Value::Map(_) => {
            // Writing into memory does not fail.
            let _ = serde_json::to_writer(line, value);
        }
        other => {
            let _ = write!(line, "{other}");
        }
    }
}

/// A value at the left of a column; numbers, and negative widths, at its right end.
fn padded(value: &Value, width: i32, line: &mut Vec<u8>) {
    let start = line.len();
    plain(value, line);
    let letters = String::from_utf8_lossy(&line[start..]).chars().count();
    let missing = (width.unsigned_abs() as usize).saturating_sub(letters);
    let is_number = matches!(value, Value::Int(_) | Value::UInt(_) | Value::Float(_));
    let place = if is_number == (width > 0) { start } else { line.len() };
    line.splice(place..place, std::iter::repeat_n(b' ', missing));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{read::document::parse_value, shape::Kind};

    fn line(style: Style, template: Option<&str>, tame: bool) -> String {
        let shape = Shape::of([("n", Kind::Int), ("t", Kind::Text), ("x", Kind::Any)]);
        let template = template.map(|text| {
            Template::read(&parse_value(&format!("'{text}'")).expect("TOML")).expect("a template")
        });
        let nested = Value::List(vec![1.into(), "b".into()]);
        let row = Row::new(shape.schema(), vec![7.into(), "a\t\"b\x1b".into(), nested]);
        let mut line = Vec::new();
        layout(style, template.as_ref(), &shape, tame)(&row, &mut line);
        String::from_utf8(line).expect("text")
    }

    #[test]
    fn a_row_as_a_line() {
        let json = "{\"n\":7,\"t\":\"a\\t\\\"b\\u001b\",\"x\":[1,\"b\"]}";
        assert_eq!(line(Style::Json, None, false), json);
        assert_eq!(line(Style::Tsv, None, false), "7\ta \"b\x1b\t[1,\"b\"]");
        assert_eq!(line(Style::Csv, None, true), "7,\"a\t\"\"b?\",\"[1,\"\"b\"\"]\"");
        assert_eq!(
            line(Style::Json, Some("{{{n:3}|{n:-3}|{t:6}|{t:-6}}}"), true),
            "{  7|7  |a\t\"b? | a\t\"b?}"
        );
    }

    #[test]
    fn templates_are_checked() {
        for (text, says) in [("{a", "not closed"), ("a}", "not closed"), ("{a:x}", "no width")] {
            let node = parse_value(&format!("'{text}'")).expect("TOML");
            let Err(Wrong::Value(_, why)) = Template::read(&node) else { panic!("{text}") };
            assert!(why.contains(says), "{text}: {why}");
        }
    }
}
