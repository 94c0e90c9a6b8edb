//! Rows for which something is true.

use std::cmp::Ordering;

use memchr::memmem;
use tormenta::{Bolt, Emitter, Result, Stream, record::Value};

use crate::{
    plan::{Inputs, Out, Part, Site},
    read::{
        document::{Item, Node},
        kinds::Field,
        notes::{At, Span},
        params::{Param, Wrong, choice, component},
    },
    row::{Row, Sorted},
    shape::{Kind, Slot},
};

component! {
    /// The rows whose field compares with a value as it should. The others go to the stream
    /// `rejected`. Null compares with nothing.
    Filter: bolt "filter", "the rows as they came; rejected: the others";

    /// The field to look at.
    field: Field, required, "\"status\"";
    /// How it must compare.
    op: Op, or "\"==\"", "\">=\"";
    /// The value to compare with; not with `exists`.
    value: Option<Scalar>, optional, "500";
}

choice! {
    /// How a field compares with a value.
    Op {
        Equal = "==",
        Unequal = "!=",
        Less = "<",
        AtMost = "<=",
        More = ">",
        AtLeast = ">=",
        Contains = "contains",
        Begins = "starts_with",
        Ends = "ends_with",
        /// Not null.
        Exists = "exists",
    }
}

/// A text, a number or a boolean, and where it stands.
pub(crate) type Scalar = At<Value>;

impl Param for Scalar {
    const KIND: &'static str = "a text, a number or a boolean";

    fn read(node: &Node) -> Result<Self, Wrong> {
        let value = match &node.value {
            Item::Text(text, _) => Value::from(text.as_bytes()),
            Item::Int(number) => Value::Int(*number),
            Item::Float(number) => Value::Float(*number),
            Item::Bool(truth) => Value::Bool(*truth),
            _ => return Err(Wrong::Kind),
        };
        Ok(At { value, span: node.span.clone() })
    }
}

impl Filter {
    /// The value as the field's kind; an environment variable is always a text.
    fn value_for(&self, kind: Kind) -> Option<Value> {
        let value = &self.value.as_ref()?.value;
        match (kind, value) {
            (Kind::Any | Kind::Text, value) => Some(value.clone()),
            (Kind::Int | Kind::Float, Value::Int(_) | Value::Float(_)) => Some(value.clone()),
            (Kind::Bool, Value::Bool(_)) => Some(value.clone()),
            (kind, Value::Bytes(text)) => kind.parse(text).filter(|value| !value.is_null()),
            _ => None,
        }
    }

    fn check(&self, slot: Slot, inputs: &mut Inputs<'_>) {
        let is_of_text = matches!(self.op, Op::Contains | Op::Begins | Op::Ends);
        let (field, op) = (&self.field.value, self.op);
        let span: &Span = self.value.as_ref().map_or(&self.field.span, |value| &value.span);
        if op == Op::Exists {
            if self.value.is_some() {
                inputs.notes.add(span, "`exists` compares with nothing; remove `value`");
            }
        } else if self.value.is_none() {
            let why = format!("`{}` compares with no value; add `value = ..`", inputs.whose);
            inputs.notes.add(inputs.header, why);
        } else if is_of_text && !matches!(slot.kind, Kind::Text | Kind::Any) {
            let why =
                format!("`{field}` is {}, and only texts contain something; use `==`", slot.kind);
            inputs.notes.add(&self.field.span, why);
        } else if self.value_for(slot.kind).is_none()
            || (slot.kind == Kind::Text && !self.value.as_ref().is_some_and(|v| is_text(&v.value)))
        {
            let why = format!("`{field}` is {0}; compare it with a value of {0}", slot.kind);
            inputs.notes.add(span, why);
        }
    }
}

fn is_text(value: &Value) -> bool {
    matches!(value, Value::Text(_) | Value::Bytes(_))
}

impl Part for Filter {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        let slot = inputs.field(&self.field)?;
        self.check(slot, inputs);
        let shape = inputs.shape()?;
        Some(vec![Out::main(shape.clone()), Out::rejected(shape)])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let slot = site.slot(&self.field);
        let value = self.value_for(slot.kind).unwrap_or(Value::Null);
        let handle = site.bolt(FilterBolt { slot, op: self.op, value });
        vec![handle.default, handle.rejected]
    }
}

#[derive(Clone)]
struct FilterBolt {
    slot: Slot,
    op: Op,
    value: Value,
}

impl Bolt for FilterBolt {
    type Input = Row;
    type Output = Sorted;

    #[inline]
    async fn execute(&mut self, row: Row, out: &Emitter<Sorted>) -> Result {
        let is_kept = holds(row.at(self.slot.at), self.op, &self.value);
        out.emit(if is_kept { Sorted::Default(row) } else { Sorted::Rejected(row) }).await
    }
}

/// Whether a value compares so with another.
fn holds(found: &Value, op: Op, wanted: &Value) -> bool {
    let order = || compare(found, wanted);
    let texts = || found.as_bytes().zip(wanted.as_bytes());
    match op {
        Op::Exists => !found.is_null(),
        Op::Equal => order() == Some(Ordering::Equal),
        Op::Unequal => !found.is_null() && order() != Some(Ordering::Equal),
        Op::Less => order() == Some(Ordering::Less),
        Op::AtMost => order().is_some_and(Ordering::is_le),
        Op::More => order() == Some(Ordering::Greater),
        Op::AtLeast => order().is_some_and(Ordering::is_ge),
        Op::Contains => texts().is_some_and(|(found, part)| memmem::find(found, part).is_some()),
        Op::Begins => texts().is_some_and(|(found, part)| found.starts_with(part)),
        Op::Ends => texts().is_some_and(|(found, part)| found.ends_with(part)),
    }
}

/// The order of two values of one kind; numbers are one kind, and compared exactly.
pub(crate) fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Float(a), _) => int(b).and_then(|b| with_float(b, *a)).map(Ordering::reverse),
        (_, Value::Float(b)) => int(a).and_then(|a| with_float(a, *b)),
        _ => match (int(a), int(b)) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => Some(a.as_bytes()?.cmp(b.as_bytes()?)),
        },
    }
}

fn int(value: &Value) -> Option<i128> {
    value.as_int().map(i128::from).or_else(|| value.as_uint().map(i128::from))
}

/// An integer of 65 bits with a float, without rounding.
fn with_float(a: i128, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        return None;
    }
    // What is beyond all of ours saturates, and is still beyond.
    let whole = b.floor() as i128;
    Some(a.cmp(&whole).then(if b > b.floor() { Ordering::Less } else { Ordering::Equal }))
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    #[test]
    fn numbers_are_compared_exactly() {
        let big = (1_i64 << 53) + 1;
        assert!(holds(&big.into(), Op::More, &((1_i64 << 53) as f64).into()));
        assert!(holds(&Value::from(1.5), Op::More, &1.into()));
        assert!(holds(&Value::from(-1), Op::More, &(-1.5).into()));
        assert!(holds(&Value::from(u64::MAX), Op::More, &i64::MAX.into()));
        assert!(!holds(&Value::from(f64::NAN), Op::Equal, &f64::NAN.into()));
        assert!(holds(&Value::from(7), Op::Less, &f64::INFINITY.into()));
    }

    #[test]
    fn texts_and_null() {
        let text = Value::from("GET /x");
        assert!(holds(&text, Op::Begins, &Value::from(&b"GET"[..])));
        assert!(holds(&text, Op::Ends, &"/x".into()));
        assert!(holds(&text, Op::Contains, &"T /".into()));
        assert!(holds(&text, Op::Less, &"H".into()));
        for op in [Op::Equal, Op::Unequal, Op::Less, Op::Contains, Op::Exists] {
            assert!(!holds(&Value::Null, op, &"x".into()), "{op:?}");
        }
        assert!(holds(&text, Op::Exists, &Value::Null));
        assert!(holds(&text, Op::Unequal, &7.into()));
    }

    quickcheck! {
        fn floats_and_integers_agree(a: i32, b: f32) -> bool {
            let (float, other) = (f64::from(a), f64::from(b));
            compare(&a.into(), &other.into()) == float.partial_cmp(&other)
                && compare(&other.into(), &a.into()) == other.partial_cmp(&float)
        }
    }
}
