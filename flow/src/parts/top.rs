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
    /// The equal parts in which it rolls on; unless set, as many as divide `over` in milliseconds,
    /// at most 60.
    slots: Option<Positive>, optional, "12";
    /// A field with milliseconds; unless set, time is when a row arrives.
    event_time: Option<Field>, optional, "\"time\"";
}

/// Slots of a window, unless they are set.
const SLOTS_MAX: u64 = 60;

/// The most slots that a message proposes.
const PROPOSED_MAX: u64 = 100_000;

/// The largest number of equal slots, of whole milliseconds each, that is at most this.
fn slots_at_most(window_ms: u128, slots: u64) -> u64 {
    let from = slots.clamp(1, PROPOSED_MAX);
    (1..=from).rev().find(|slots| window_ms.is_multiple_of(u128::from(*slots))).unwrap_or(1)
}

impl Part for TopN {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        let key = inputs.key(&self.by.0);
        if let Some(field) = &self.event_time {
            inputs.time(field)?;
        }
        let window = self.over.as_millis();
        if window == 0 {
            inputs.notes.add(inputs.header, "it ranks over 0 ms; make `over` 1 ms or longer");
        } else if let Some(Positive(slots)) = self.slots
            && !window.is_multiple_of(u128::from(slots))
        {
            let fits = slots_at_most(window, slots);
            let why = format!(
                "{window} ms are no {slots} equal slots; write `slots = {fits}`, or change `over`"
            );
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
        let slots = self.slots.map(|slots| slots.0);
        let slots = slots.unwrap_or_else(|| slots_at_most(self.over.as_millis(), SLOTS_MAX));
        top = top.over(self.over, Positive(slots).size());
        if let Some(field) = &self.event_time {
            let time = site.slot(field).at;
            top = top.event_time(move |row| row.at(time).as_int().unwrap_or(0));
        }
        let schema = site.out().schema();
        let rows = flat_map(move |ranking: Ranking<Key>| {
            let (schema, start, end) = (schema, ranking.start, ranking.end);
            ranking.top.into_iter().zip(1..).map(move |(ranked, rank): (_, i64)| {
                let tail = [Value::from(ranked.count), start.into(), end.into()];
                let values = [Value::from(rank)].into_iter().chain(ranked.key.values()).chain(tail);
                Row::new(schema, values.collect())
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
