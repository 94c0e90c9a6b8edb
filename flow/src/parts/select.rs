//! Fields: which, under which names, and simple things that are done with one of them.

use std::sync::Arc;

use tormenta::{
    Bolt, Emitter, Result, Stream,
    bolts::map,
    record::{Schema, Value},
};

use crate::{
    plan::{Inputs, Out, Part, Site},
    read::{
        document::{Item, Node},
        kinds::Field,
        notes::At,
        params::{Param, Wrong, choice, component},
    },
    row::Row,
    shape::{Kind, Shape, Slot},
};

component! {
    /// Some of the fields, in another order or under other names.
    Select: bolt "select", "the fields that are named";

    /// The fields to keep, in this order: `"name"`, or `"new = old"` under another name.
    fields: Renames, required, "[\"url\", \"bytes = size\"]";
}

component! {
    /// Changes one field, or makes a new one of it.
    Map: bolt "map", "the rows as they came, with the field changed or added";

    /// The field to change.
    field: Field, required, "\"url\"";
    /// What is done with it. `before` and `after` cut a text at the first `argument`; `divide`
    /// rounds down. What cannot be done gives null.
    op: Op, required, "\"lower\"";
    /// What it is done with: a text for `before`, `after` and `prefix`, a number to calculate with.
    argument: Option<Argument>, optional, "\"?\"";
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
        Int = "int",
        Float = "float",
        Text = "text",
        Add = "add",
        Multiply = "multiply",
        Divide = "divide",
    }
}

/// New names and the old ones.
#[derive(Debug, Clone)]
pub(crate) struct Renames(Vec<(String, Field)>);

impl Param for Renames {
    const KIND: &'static str = "a list of fields, `\"name\"` or `\"new = old\"`";

    fn read(node: &Node) -> Result<Self, Wrong> {
        let Item::List(items) = &node.value else { return Err(Wrong::Kind) };
        let mut renames: Vec<(String, Field)> = Vec::new();
        for item in items {
            let text = String::read(item)?;
            let (new, old) = text.split_once('=').unwrap_or((&text, &text));
            let (new, value) = (new.trim().to_owned(), old.trim().to_owned());
            if new.is_empty() || renames.iter().any(|(other, _)| *other == new) {
                let why = format!("`{text}` gives a field no name of its own; each needs one");
                return Err(Wrong::value(&item.span, why));
            }
            renames.push((new, At { value, span: item.span.clone() }));
        }
        match renames.is_empty() {
            true => Err(Wrong::value(&node.span, "the list is empty; name at least one field")),
            false => Ok(Self(renames)),
        }
    }
}

/// A text or a number, and where it stands.
pub(crate) type Argument = super::filter::Scalar;

impl Part for Select {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        let slots: Vec<Option<Slot>> =
            self.fields.0.iter().map(|(_, old)| inputs.field(old)).collect();
        let slots: Option<Vec<Slot>> = slots.into_iter().collect();
        let fields = self.fields.0.iter().zip(slots?);
        let shape = Shape::new(fields.map(|((new, _), slot)| (new.clone(), slot.kind)));
        Some(vec![Out::main(shape)])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let picked: Vec<usize> = self.fields.0.iter().map(|(_, old)| site.slot(old).at).collect();
        let schema = site.out().schema().clone();
        let select = move |row: Row| {
            Row::new(&schema, picked.iter().map(|at| row.at(*at).clone()).collect())
        };
        vec![*site.bolt(map(select))]
    }
}

impl Map {
    /// What comes of a field of this kind; `None` if it is not for such fields.
    fn kind(&self, from: Kind) -> Option<Kind> {
        let is_text = matches!(from, Kind::Text | Kind::Any);
        match self.op {
            Op::Lower | Op::Upper | Op::Trim | Op::Before | Op::After | Op::Prefix => {
                is_text.then_some(Kind::Text)
            }
            Op::Length => is_text.then_some(Kind::Int),
            Op::Int => Some(Kind::Int),
            Op::Float => Some(Kind::Float),
            Op::Text => Some(Kind::Text),
            Op::Add | Op::Multiply | Op::Divide => match (from, &self.argument) {
                (Kind::Int, Some(At { value: Value::Int(_), .. })) => Some(Kind::Int),
                (kind, _) => kind.is_number().then_some(Kind::Float),
            },
        }
    }

    fn check_argument(&self, inputs: &mut Inputs<'_>) {
        let wanted = match self.op {
            Op::Before | Op::After | Op::Prefix => "a text",
            Op::Add | Op::Multiply | Op::Divide => "a number",
            _ => "none",
        };
        let found = match self.argument.as_ref().map(|argument| &argument.value) {
            None => "none",
            Some(Value::Bytes(text)) if !text.is_empty() => "a text",
            Some(Value::Int(0)) if self.op == Op::Divide => "zero",
            Some(Value::Int(_) | Value::Float(_)) => "a number",
            Some(_) => "something else",
        };
        if wanted != found {
            let span = self.argument.as_ref().map_or(inputs.header, |argument| &argument.span);
            let why = format!("`argument` is {found} where {wanted} is wanted; see `op`");
            inputs.notes.add(span, why);
        }
    }
}

impl Part for Map {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        self.check_argument(inputs);
        let slot = inputs.field(&self.field)?;
        let Some(kind) = self.kind(slot.kind) else {
            let why = format!(
                "`{}` is {}, which this is not for; make it a text or a number before",
                self.field.value, slot.kind
            );
            inputs.notes.add(&self.field.span, why);
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
        let bolt = MapBolt {
            from: site.slot(&self.field).at,
            to: site.shape().find(target).map(|slot| slot.at),
            op: self.op,
            argument: self.argument.as_ref().map_or(Value::Null, |at| at.value.clone()),
            schema: site.out().schema().clone(),
        };
        vec![*site.bolt(bolt)]
    }
}

#[derive(Clone)]
struct MapBolt {
    from: usize,
    /// `None` if the result is a new field.
    to: Option<usize>,
    op: Op,
    argument: Value,
    schema: Arc<Schema>,
}

impl Bolt for MapBolt {
    type Input = Row;
    type Output = Row;

    #[inline]
    async fn execute(&mut self, row: Row, out: &Emitter<Row>) -> Result {
        let value = apply(self.op, row.at(self.from), &self.argument);
        let mut values = row.into_values();
        match self.to {
            Some(to) => values[to] = value,
            None => values.push(value),
        }
        out.emit(Row::new(&self.schema, values)).await
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
        Op::Int => to_int(value).map(Value::Int),
        Op::Float => to_float(value).map(Value::Float),
        Op::Text => Some(to_text(value)),
        Op::Add | Op::Multiply | Op::Divide => calculate(op, value, argument),
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
            Op::Multiply => a.checked_mul(*b),
            _ => a.checked_div_euclid(*b),
        };
        return result.map(Value::Int);
    }
    let (a, b) = (a.as_float()?, b.as_float()?);
    Some(Value::Float(match op {
        Op::Add => a + b,
        Op::Multiply => a * b,
        _ => a / b,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_does_what_it_says() {
        let cases: [(Op, Value, Value, Value); 16] = [
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
        ] {
            assert_eq!(apply(op, &value, &argument), Value::Null, "{op:?} {value}");
        }
    }

    fn b(text: &str) -> Value {
        Value::from(text.as_bytes())
    }
}
