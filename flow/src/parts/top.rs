//! What was seen most, lately.

use std::time::Duration;

use tormenta::{
    Stream,
    bolts::{MergeTop, Ranking, TopN as TypedTop, flat_map},
    record::Value,
};

use super::count::keyed_shape;
use crate::{
    key::Key,
    plan::{Inputs, Out, Part, Site},
    read::{
        kinds::{Field, Fields, Positive},
        params::component,
    },
    row::Row,
    shape::Kind,
};

component! {
    /// The keys that were seen most over the last minute, or another window that rolls on. At each
    /// tick, once a second, it emits the whole ranking if that has changed: a row for each rank.
    /// With several tasks each ranks its own keys, and `<name>/merged` puts them together.
    TopN: bolt "top-n", "rank: int, the fields of the key, count: int, start: int, end: int (of \
        the window, in ms)";

    /// The fields that a key is made of.
    by: Fields, required, "\"url\"";
    /// How many keys are ranked.
    n: Positive, or "10", "3";
    /// How long the window is.
    over: Duration, or "\"1m\"", "\"1h\"";
    /// The parts in which it rolls on.
    slots: Positive, or "60", "12";
    /// A field with milliseconds; unless set, time is when a row arrives.
    event_time: Option<Field>, optional, "\"time\"";
}

impl Part for TopN {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        let key = inputs.key(&self.by.0);
        if let Some(field) = &self.event_time {
            inputs.time(field)?;
        }
        let (window, slots) = (self.over.as_millis(), u128::from(self.slots.0));
        if window % slots != 0 || window < slots {
            let why = format!("{window} ms are no {slots} equal slots; change `over` or `slots`");
            inputs.notes.add(inputs.header, why);
        }
        for name in ["rank", "count", "start", "end"] {
            if let Some(field) = self.by.0.iter().find(|field| field.value == name) {
                let why = format!("`{name}` is a field of the ranking; rename it with `select`");
                inputs.notes.add(&field.span, why);
            }
        }
        key?;
        let more = [("count", Kind::Int), ("start", Kind::Int), ("end", Kind::Int)];
        let keyed = keyed_shape(&inputs.shape()?, &self.by, more);
        let keyed = keyed.fields().map(|(name, kind)| (name.to_owned(), kind));
        let fields: Vec<_> = [("rank".to_owned(), Kind::Int)].into_iter().chain(keyed).collect();
        Some(vec![Out::main(crate::shape::Shape::new(fields))])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let (keys, n) = (site.slots(&self.by.0), self.n.size());
        let mut top = TypedTop::new(n, move |row: &Row| Key::of(row, &keys));
        top = top.over(self.over, self.slots.size());
        if let Some(field) = &self.event_time {
            let time = site.slot(field).at;
            top = top.event_time(move |row| row.at(time).as_int().unwrap_or(0));
        }
        let schema = site.out().schema().clone();
        let rows = flat_map(move |ranking: Ranking<Key>| {
            let (schema, start, end) = (schema.clone(), ranking.start, ranking.end);
            ranking.top.into_iter().zip(1..).map(move |(ranked, rank): (_, i64)| {
                let tail = [Value::from(ranked.count), start.into(), end.into()];
                let values = [Value::from(rank)].into_iter().chain(ranked.key.values()).chain(tail);
                Row::new(&schema, values.collect())
            })
        });
        let ranking = if site.tasks() == 1 {
            site.bolt(top).global()
        } else {
            let parts = site.bolt(top.for_merge()).global();
            site.further("merged", MergeTop::new(n), parts).global()
        };
        vec![*site.further("rows", rows, ranking)]
    }
}
