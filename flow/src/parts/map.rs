//! Simple things that are done with one field, or with two.

use tormenta::{
    Bolt, Emitter, Result, Stream,
    record::{Interned, Value},
};

use super::{filter::Scalar, time::to_iso};
use crate::{
    plan::{Inputs, Out, Part, Site},
    read::{
        kinds::Field,
        notes::At,
        params::{choice, component},
    },
    row::Row,
    shape::{Kind, Shape, Slot},
};

component! {
    /// Changes one field, or makes a new one of it.
    Map: bolt "map", "the rows as they came, with the field changed or added";

    /// The field to change.
    field: Field, required, "\"url\"";
    /// What is done with it. `before` and `after` cut a text at the first `argument`; `divide`
    /// rounds down; `get` takes a part of what is nested, as in `user.tags.0`; `iso` makes
    /// `2026-11-20T16:30:00Z` of milliseconds. What cannot be done gives null.
    op: Op, required, "\"lower\"";
    /// What it is done with: a text for `before`, `after`, `prefix` and `get`, a number to
    /// calculate with.
    argument: Option<Scalar>, optional, "\"?\"";
    /// A field that it is done with, in place of `argument`.
    with: Option<Field>, optional, "\"bytes\"";
    /// A new field for the result; unless set, it takes the place of the old.
    into: Option<String>, optional, "\"path\"";
}

choice! {
    /// What can be done with a field.
    Op {
        Lower = "lower",
        Upper = "upper",
        Trim = "trim",
        Length = "length",
        Before = "before",
        After = "after",
        Prefix = "prefix",
        Get = "get",
        Int = "int",
        Float = "float",
        Text = "text",
        Iso = "iso",
        Add = "add",
        Subtract = "subtract",
        Multiply = "multiply",
        Divide = "divide",
    }
}

impl Op {
    /// What it wants beside the field, in words.
    fn wants(self) -> &'static str {
        match self {
            Self::Before | Self::After | Self::Prefix | Self::Get => "a text",
            Self::Add | Self::Subtract | Self::Multiply | Self::Divide => "a number",
            _ => "none",
        }
    }

    /// What comes of a field of this kind with another of that; `None` if it is not for such
    /// fields.
    fn kind(self, from: Kind, with: Kind) -> Option<Kind> {
        let is_text = matches!(from, Kind::Text | Kind::Any);
        match self {
            Self::Lower | Self::Upper | Self::Trim | Self::Before | Self::After | Self::Prefix => {
                is_text.then_some(Kind::Text)
            }
            Self::Length => is_text.then_some(Kind::Int),
            Self::Get => (from == Kind::Any).then_some(Kind::Any),
            Self::Int => Some(Kind::Int),
            Self::Float => Some(Kind::Float),
            Self::Text => Some(Kind::Text),
            Self::Iso => matches!(from, Kind::Int | Kind::Any).then_some(Kind::Text),
            Self::Add | Self::Subtract | Self::Multiply | Self::Divide => match (from, with) {
                (Kind::Int, Kind::Int) => Some(Kind::Int),
                _ => from.is_number().then_some(Kind::Float),
            },
        }
    }
}

impl Map {
    /// The kind of what it is done with, if that is as it should be.
    fn second(&self, inputs: &mut Inputs<'_>) -> Option<Kind> {
        if let (Some(_), Some(field)) = (&self.argument, &self.with) {
            let why = "`argument` and `with` exclude each other; keep one of them";
            inputs.notes.add(&field.span, why);
            return None;
        }
        let (kind, found) = match (&self.argument, &self.with) {
            (None, None) => (Kind::Any, "none"),
            (_, Some(field)) => match inputs.field(field)?.kind {
                Kind::Any => (Kind::Any, self.op.wants()),
                kind @ Kind::Text => (kind, "a text"),
                kind @ (Kind::Int | Kind::Float) => (kind, "a number"),
                kind @ Kind::Bool => (kind, "a boolean"),
            },
            (Some(At { value, .. }), None) => match value {
                Value::Bytes(text) if !text.is_empty() => (Kind::Text, "a text"),
                Value::Bytes(_) => (Kind::Text, "an empty text"),
                Value::Int(0) if self.op == Op::Divide => (Kind::Int, "zero"),
                Value::Int(_) => (Kind::Int, "a number"),
                Value::Float(_) => (Kind::Float, "a number"),
                _ => (Kind::Bool, "a boolean"),
            },
        };
        let wanted = self.op.wants();
        if wanted != found {
            let (name, span) = match (&self.argument, &self.with) {
                (_, Some(field)) => ("with", &field.span),
                (Some(argument), None) => ("argument", &argument.span),
                (None, None) => ("argument", inputs.header),
            };
            let why = format!("`{name}` is {found} where {wanted} is wanted; see `op`");
            inputs.notes.add(span, why);
            return None;
        }
        Some(kind)
    }

    /// Says why an operation is not for a field.
    fn refuse(&self, slot: Slot, inputs: &mut Inputs<'_>) {
        let field = &self.field.value;
        let mend = match self.op {
            Op::Get => "only `any` has parts; read it as `any`",
            Op::Iso => "a time is a whole number of milliseconds; make one with `parse-time`",
            _ => "which this is not for; make it a text or a number before",
        };
        inputs.notes.add(&self.field.span, format!("`{field}` is {}, {mend}", slot.kind));
    }
}

impl Part for Map {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        let (second, slot) = (self.second(inputs), inputs.field(&self.field)?);
        let Some(kind) = self.op.kind(slot.kind, second.unwrap_or(Kind::Any)) else {
            self.refuse(slot, inputs);
            return None;
        };
        let shape = inputs.shape()?;
        let target = self.into.as_deref().unwrap_or(&self.field.value);
        let fields = shape
            .fields()
            .map(|(name, old)| (name.to_owned(), if name == target { kind } else { old }));
        let fields: Vec<_> = fields.collect();
        let new = [(target.to_owned(), kind)];
        Some(vec![Out::main(Shape::new(fields.into_iter().chain(new)))])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let target = self.into.as_deref().unwrap_or(&self.field.value);
        let argument = self.argument.as_ref().map_or(Value::Null, |at| at.value.clone());
        let bolt = MapBolt {
            from: site.slot(&self.field).at,
            to: site.shape().find(target).map(|slot| slot.at),
            op: self.op,
            with: match &self.with {
                Some(field) => Second::Field(site.slot(field).at),
                None => Second::Constant(argument),
            },
            schema: site.out().schema(),
        };
        vec![*site.bolt(bolt)]
    }
}

/// What it is done with.
#[derive(Clone)]
enum Second {
    Constant(Value),
    Field(usize),
}

#[derive(Clone)]
struct MapBolt {
    from: usize,
    /// `None` if the result is a new field.
    to: Option<usize>,
    op: Op,
    with: Second,
    schema: Interned,
}

impl Bolt for MapBolt {
    type Input = Row;
    type Output = Row;

    #[inline]
    async fn execute(&mut self, row: Row, out: &Emitter<Row>) -> Result {
        let with = match &self.with {
            Second::Constant(value) => value,
            Second::Field(at) => row.at(*at),
        };
        let value = apply(self.op, row.at(self.from), with);
        let mut values = row.into_values();
        match self.to {
            Some(to) => values[to] = value,
            None => values.push(value),
        }
        out.emit(Row::new(self.schema, values)).await
    }
}

fn apply(op: Op, value: &Value, argument: &Value) -> Value {
    let result = match op {
        Op::Lower => {
            value.as_bytes().map(|text| cased(text, str::to_lowercase, <[u8]>::to_ascii_lowercase))
        }
        Op::Upper => {
            value.as_bytes().map(|text| cased(text, str::to_uppercase, <[u8]>::to_ascii_uppercase))
        }
        Op::Trim => value.as_bytes().map(|text| Value::from(text.trim_ascii())),
        Op::Length => value.as_bytes().map(|text| Value::from(text.len())),
        Op::Before => cut(value, argument, |text, at, _| &text[..at], |text| text),
        Op::After => cut(value, argument, |text, at, len| &text[at + len..], |_| b""),
        Op::Prefix => value
            .as_bytes()
            .zip(argument.as_bytes())
            .map(|(text, prefix)| Value::from(&[prefix, text].concat()[..])),
        Op::Get => argument.as_text().and_then(|path| part(value, path)),
        Op::Int => to_int(value).map(Value::Int),
        Op::Float => to_float(value).map(Value::Float),
        Op::Text => Some(to_text(value)),
        Op::Iso => value.as_int().and_then(to_iso).map(Value::Text),
        Op::Add | Op::Subtract | Op::Multiply | Op::Divide => calculate(op, value, argument),
    };
    result.unwrap_or(Value::Null)
}

/// A text up to or from the first place of another in it.
fn cut(
    value: &Value,
    at: &Value,
    found: fn(&[u8], usize, usize) -> &[u8],
    lost: fn(&[u8]) -> &[u8],
) -> Option<Value> {
    let (text, separator) = (value.as_bytes()?, at.as_bytes()?);
    let kept = match memchr::memmem::find(text, separator) {
        Some(at) => found(text, at, separator.len()),
        None => lost(text),
    };
    Some(Value::from(kept))
}

/// Text is changed as text if it is UTF-8, and letter by letter of ASCII if not.
fn cased(text: &[u8], whole: fn(&str) -> String, letter: fn(&[u8]) -> Vec<u8>) -> Value {
    match std::str::from_utf8(text) {
        Ok(text) => Value::Bytes(whole(text).into()),
        Err(_) => Value::Bytes(letter(text).into()),
    }
}

/// A part of what is nested: names of objects and positions in lists, with points between.
fn part(value: &Value, path: &str) -> Option<Value> {
    let step = |value: &'_ Value, name: &str| match value {
        Value::Map(entries) => entries.get(name).cloned(),
        Value::List(items) => items.get(name.parse::<usize>().ok()?).cloned(),
        _ => None,
    };
    let mut names = path.split('.');
    let first = step(value, names.next()?)?;
    names.try_fold(first, |value, name| step(&value, name))
}

fn to_int(value: &Value) -> Option<i64> {
    match value {
        Value::Float(number) => {
            let whole = number.trunc();
            let is_inside = (i64::MIN as f64..i64::MAX as f64).contains(&whole);
            is_inside.then_some(whole as i64)
        }
        Value::Bool(truth) => Some(i64::from(*truth)),
        _ => value.as_int().or_else(|| value.as_text()?.trim().parse().ok()),
    }
}

fn to_float(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_text()?.trim().parse().ok())
}

fn to_text(value: &Value) -> Value {
    match value {
        Value::Null | Value::Text(_) | Value::Bytes(_) => value.clone(),
        other => Value::Text(other.to_string()),
    }
}

/// Whole numbers stay whole; what does not fit, and what is divided by zero, is none.
fn calculate(op: Op, a: &Value, b: &Value) -> Option<Value> {
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        let result = match op {
            Op::Add => a.checked_add(*b),
            Op::Subtract => a.checked_sub(*b),
            Op::Multiply => a.checked_mul(*b),
            _ => a.checked_div_euclid(*b),
        };
        return result.map(Value::Int);
    }
    let (a, b) = (a.as_float()?, b.as_float()?);
    Some(Value::Float(match op {
        Op::Add => a + b,
        Op::Subtract => a - b,
        Op::Multiply => a * b,
        _ => a / b,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_does_what_it_says() {
        let cases: [(Op, Value, Value, Value); 19] = [
            (Op::Lower, "\u{c4}B".into(), Value::Null, b("\u{e4}b")),
            (Op::Upper, b("ab"), Value::Null, b("AB")),
            (Op::Trim, " a ".into(), Value::Null, b("a")),
            (Op::Length, "abc".into(), Value::Null, 3.into()),
            (Op::Before, "/a?b?c".into(), b("?"), b("/a")),
            (Op::Before, "/a".into(), b("?"), b("/a")),
            (Op::After, "/a?b?c".into(), b("?"), b("b?c")),
            (Op::After, "/a".into(), b("?"), b("")),
            (Op::Prefix, "b".into(), b("a"), b("ab")),
            (Op::Int, " 7".into(), Value::Null, 7.into()),
            (Op::Int, (-2.9).into(), Value::Null, (-2).into()),
            (Op::Float, "1.5".into(), Value::Null, 1.5.into()),
            (Op::Text, 7.into(), Value::Null, "7".into()),
            (Op::Divide, (-7).into(), 2.into(), (-4).into()),
            (Op::Multiply, 3.into(), 0.5.into(), 1.5.into()),
            (Op::Add, 3.into(), 4.into(), 7.into()),
            (Op::Subtract, 3.into(), 4.into(), (-1).into()),
            (Op::Iso, 1_795_188_600_500_i64.into(), Value::Null, "2026-11-20T15:30:00.500Z".into()),
            (Op::Get, nested(), b("user.tags.1"), "y".into()),
        ];
        for (op, value, argument, expected) in cases {
            assert_eq!(apply(op, &value, &argument), expected, "{op:?} {value}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_null() {
        let big = Value::from(f64::MAX);
        for (op, value, argument) in [
            (Op::Lower, Value::from(1), Value::Null),
            (Op::Int, "x".into(), Value::Null),
            (Op::Int, big, Value::Null),
            (Op::Add, i64::MAX.into(), 1.into()),
            (Op::Divide, 1.into(), 0.into()),
            (Op::Add, Value::Null, 1.into()),
            (Op::Get, nested(), b("user.tags.2")),
            (Op::Get, nested(), b("user.name.x")),
            (Op::Iso, i64::MAX.into(), Value::Null),
        ] {
            assert_eq!(apply(op, &value, &argument), Value::Null, "{op:?} {value}");
        }
    }

    fn nested() -> Value {
        let text = "{\"user\": {\"name\": \"a\", \"tags\": [\"x\", \"y\"]}}";
        serde_json::from_str(text).expect("JSON")
    }

    fn b(text: &str) -> Value {
        Value::from(text.as_bytes())
    }
}
