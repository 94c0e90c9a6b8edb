//! Two streams become one.

use std::time::Duration;

use tormenta::{
    Stream,
    bolts::{Join as TypedJoin, JoinInput, Joined, map},
    record::Value,
};

use crate::{
    key::Key,
    plan::{Inputs, Out, Part, Site},
    read::{
        kinds::{Field, Positive},
        params::{choice, component},
        reads::{Deal, Side},
        suggest::suggest,
    },
    row::Row,
    shape::{Kind, Shape, Slot},
};

component! {
    /// Pairs of rows of two streams that have the same key and are close in time. It reads
    /// `[{ from = "a", by = "id", side = "left" }, { from = "b", by = "a_id", side = "right" }]`;
    /// the fields after `by` are the key.
    Join: bolt "join", "the fields of the left row, and those of the right; one that both have is \
        called right_<name>";

    /// Which rows that meet none are emitted too: none, those on the left, or all.
    keep: Keep, or "\"inner\"", "\"left\"";
    /// How far apart two rows may be.
    within: Duration, or "\"1m\"", "\"10m\"";
    /// The field of left rows with the time in milliseconds; unless both are set, time is when a
    /// row arrives.
    left_time: Option<Field>, optional, "\"at\"";
    /// The same of right rows.
    right_time: Option<Field>, optional, "\"at\"";
    /// How much earlier than the latest a row may be and still find all its pairs.
    disorder: Duration, or "\"0s\"", "\"10s\"";
    /// Rows that a task lets wait at most.
    pending_max: Positive, or "100000", "1000";
}

choice! {
    /// Which rows are emitted alone.
    Keep {
        Inner = "inner",
        Left = "left",
        Full = "full",
    }
}

impl Join {
    fn times(&self, inputs: &mut Inputs<'_>, left: &Shape, right: &Shape) {
        for (field, shape) in [(&self.left_time, left), (&self.right_time, right)] {
            let Some(field) = field else { continue };
            let why = match shape.find(&field.value) {
                None => {
                    let mend = suggest(&field.value, shape.names());
                    format!("there is no field `{}`; {mend}", field.value)
                }
                Some(slot) if !matches!(slot.kind, Kind::Int | Kind::Any) => format!(
                    "`{}` is {}, and a time is a whole number of milliseconds; make one with \
                     `parse-time`",
                    field.value, slot.kind
                ),
                Some(_) => continue,
            };
            inputs.notes.add(&field.span, why);
        }
        if self.left_time.is_some() != self.right_time.is_some() {
            let why =
                "one side has a time and the other has none; set `left_time` and `right_time`";
            inputs.notes.add(inputs.header, why);
        }
    }
}

/// Notes keys that never meet, because they are of different kinds.
fn keys(inputs: &mut Inputs<'_>, left: &Shape, right: &Shape) {
    let by = |side: Side| match inputs.side(side).map(|(wire, _)| &wire.read.deal) {
        Some(Deal::By(fields)) => fields.clone(),
        _ => Vec::new(),
    };
    for (l, r) in by(Side::Left).iter().zip(&by(Side::Right)) {
        let kinds = (left.find(&l.value).map(|slot| slot.kind), right.find(&r.value));
        let (Some(a), Some(Slot { kind: b, .. })) = kinds else { continue };
        if a != b && a != Kind::Any && b != Kind::Any {
            let why = format!(
                "`{}` is {a} on the left and `{}` is {b} on the right, so that they never meet; \
                 give both one kind",
                l.value, r.value
            );
            inputs.notes.add(&r.span, why);
        }
    }
}

/// The fields of both; those of the right that the left has too are renamed.
fn joined(left: &Shape, right: &Shape) -> Shape {
    let owned = |(name, kind): (&str, Kind)| (name.to_owned(), kind);
    let right = right.fields().map(|(name, kind)| match left.find(name) {
        Some(_) => (format!("right_{name}"), kind),
        None => (name.to_owned(), kind),
    });
    Shape::new(left.fields().map(owned).chain(right))
}

impl Part for Join {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        let mut sides = Vec::new();
        for side in [Side::Left, Side::Right] {
            let of_side = inputs.wires.iter().filter(|wire| wire.read.side == Some(side)).count();
            if let (1, Some((wire, shape))) = (of_side, inputs.side(side)) {
                let keys = match &wire.read.deal {
                    Deal::By(fields) => fields.len(),
                    _ => 0,
                };
                sides.push((keys, shape.clone(), wire.read.component.span.clone()));
            }
        }
        let [(left_keys, left, span), (right_keys, right, _)] = &sides[..] else {
            let why = format!(
                "`{}` joins one `left` and one `right` stream; read `[{{ from = \"..\", by = \
                 \"..\", side = \"left\" }}, {{ .., side = \"right\" }}]`",
                inputs.whose
            );
            inputs.notes.add(inputs.header, why);
            return None;
        };
        if *left_keys == 0 || left_keys != right_keys || inputs.wires.len() > 2 {
            let why = "both sides need the same number of fields after `by`: they are the key";
            inputs.notes.add(span, why);
        }
        keys(inputs, left, right);
        self.times(inputs, left, right);
        Some(vec![Out::main(joined(left, right))])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let side = |site: &Site<'_>, side: Side| {
            let input = site.inputs.iter().find(|input| input.side == Some(side));
            input.map(|input| (input.by.clone(), input.shape.clone(), input.edge.clone()))
        };
        let (Some((left_by, left, left_edge)), Some((right_by, right, right_edge))) =
            (side(site, Side::Left), side(site, Side::Right))
        else {
            unreachable!("a join was planned without its sides")
        };
        let new = match self.keep {
            Keep::Inner => TypedJoin::inner,
            Keep::Left => TypedJoin::left,
            Keep::Full => TypedJoin::full,
        };
        let mut join =
            new(move |row: &Row| Key::of(row, &left_by), move |row: &Row| Key::of(row, &right_by));
        join = join.within(self.within).disorder(self.disorder);
        join = join.pending_max(self.pending_max.size());
        let at = |field: &Option<Field>, shape: &Shape| {
            field.as_ref().and_then(|field| shape.find(&field.value)).map(|slot| slot.at)
        };
        if let (Some(l), Some(r)) = (at(&self.left_time, &left), at(&self.right_time, &right)) {
            join = join.event_time(
                move |row| row.at(l).as_int().unwrap_or(0),
                move |row| row.at(r).as_int().unwrap_or(0),
            );
        }
        let (schema, tasks) = (site.out().schema(), site.tasks());
        let (left, right) = (left.names().count(), right.names().count());
        let row = move |pair: Joined<Row, Row>| {
            let values = |row: Option<Row>, fields: usize| {
                row.map_or_else(|| vec![Value::Null; fields], Row::into_values)
            };
            let mut joined = values(pair.left, left);
            joined.extend(values(pair.right, right));
            Row::new(schema, joined)
        };
        let edges = vec![left_edge.to(JoinInput::Left), right_edge.to(JoinInput::Right)];
        let pairs = site.bolt_reading(join, edges).shuffle();
        vec![*site.further("rows", map(row), pairs).tasks(tasks)]
    }
}
