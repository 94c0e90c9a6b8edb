//! Fewer rows: each key once, some of them, so many a second.

use std::time::Duration;

use tormenta::{
    Stream,
    bolts::{Dedup as TypedDedup, RateLimit as TypedRate, Sample as TypedSample},
};

use crate::{
    key::{self, Key},
    plan::{Inputs, Out, Part, Site},
    read::{
        kinds::{Field, Fields, Positive},
        params::component,
    },
    row::Row,
};

component! {
    /// The first row of each key; those that repeat it within some time are dropped.
    Dedup: bolt "dedup", "the rows as they came";

    /// The fields that a key is made of.
    by: Fields, required, "\"id\"";
    /// How long a key is remembered.
    within: Duration, or "\"10m\"", "\"1h\"";
    /// Keys that a task remembers at most.
    keys_max: Positive, or "1000000", "1000";
    /// A field with milliseconds; unless set, time is when a row arrives.
    event_time: Option<Field>, optional, "\"time\"";
}

component! {
    /// Every so many rows one, or all rows of a fraction of the keys. Nothing is random.
    Sample: bolt "sample", "the rows as they came";

    /// The first of each so many rows of a task.
    every: Option<Positive>, optional, "100";
    /// The fraction of the keys, from 0 to 1.
    fraction: Option<f64>, optional, "0.1";
    /// The fields that a key is made of, for `fraction`.
    by: Option<Fields>, optional, "\"user\"";
    /// Another seed takes other keys.
    seed: u64, or "0", "7";
}

component! {
    /// At most so many rows a second and task. What comes too early waits, or is dropped.
    RateLimit: bolt "rate-limit", "the rows as they came";

    /// How many a second.
    per_second: Positive, required, "1000";
    /// How many may pass at once after a pause.
    burst: Positive, or "1", "100";
    /// Whether what comes too early is dropped.
    drop: bool, or "false", "true";
}

fn unchanged(inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
    inputs.shape().map(|shape| vec![Out::main(shape)])
}

impl Part for Dedup {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        inputs.key(&self.by.0);
        if let Some(field) = &self.event_time {
            inputs.time(field);
        }
        if self.within.is_zero() {
            inputs
                .notes
                .add(inputs.header, "`within` is 0 ms; a key is remembered for 1 ms or more");
        }
        unchanged(inputs)
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let keys = site.slots(&self.by.0);
        let mut dedup = TypedDedup::by(move |row: &Row| Key::of(row, &keys));
        dedup = dedup.within(self.within).keys_max(self.keys_max.size());
        if let Some(field) = &self.event_time {
            let time = site.slot(field).at;
            dedup = dedup.event_time(move |row| row.at(time).as_int().unwrap_or(0));
        }
        vec![*site.bolt(dedup)]
    }
}

impl Part for Sample {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        let header = inputs.header;
        match (self.every, self.fraction, &self.by) {
            (Some(_), None, None) => {}
            (None, Some(fraction), Some(by)) => {
                inputs.fields(&by.0);
                if !(0.0..=1.0).contains(&fraction) {
                    inputs.notes.add(header, "`fraction` is not within 0 and 1; write 0.1 or so");
                }
            }
            _ => {
                let why = "a sample is `every = ..`, or `fraction = ..` with `by = ..`; write one";
                inputs.notes.add(header, why);
            }
        }
        unchanged(inputs)
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let sample = match (self.every, self.fraction, &self.by) {
            (_, Some(fraction), Some(by)) => {
                let keys = site.slots(&by.0);
                TypedSample::keys(fraction, self.seed, move |row: &Row, hasher| {
                    key::hash(row, &keys, hasher);
                })
            }
            (every, ..) => TypedSample::every(every.map_or(1, |every| every.0)),
        };
        vec![*site.bolt(sample)]
    }
}

impl Part for RateLimit {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        unchanged(inputs)
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let mut limit = TypedRate::per_second(self.per_second.0).burst(self.burst.0);
        if self.drop {
            limit = limit.or_drop();
        }
        vec![*site.bolt(limit)]
    }
}
