//! Spouts that need no input.

use std::time::Duration;

use tormenta::{Stream, record::Value, spouts};

use super::adapter::Mapped;
use crate::{
    plan::{Inputs, Out, Part, Site},
    read::{kinds::Positive, params::component},
    row::Row,
    shape::{Kind, Shape},
};

component! {
    /// Numbers from zero, as fast as they are read or at a rate.
    Sequence: spout "sequence", "number: int";

    /// How many; without end unless set.
    count: Option<u64>, optional, "1000000";
    /// How many a second.
    rate: Option<f64>, optional, "1000";
}

component! {
    /// A number every so often.
    Timer: spout "timer", "tick: int";

    /// The time between two ticks.
    every: Duration, required, "\"10s\"";
    /// How many ticks; without end unless set.
    times: Option<Positive>, optional, "3";
}

impl Part for Sequence {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        if self.rate.is_some_and(|rate| !rate.is_finite() || rate <= 0.0) {
            inputs.notes.add(inputs.header, "a sequence without speed; `rate` is above zero");
        }
        Some(vec![Out::main(Shape::of([("number", Kind::Int)]))])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let mut numbers = spouts::Sequence::up_to(self.count.unwrap_or(u64::MAX));
        if let Some(rate) = self.rate {
            numbers = numbers.rate(rate);
        }
        let schema = site.out().schema();
        let row = move |number: u64| Row::new(schema, vec![Value::from(number)]);
        vec![*site.spout(Mapped::new(numbers, row))]
    }
}

impl Part for Timer {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        if self.every.is_zero() {
            inputs.notes.add(inputs.header, "a timer of 0 ms; `every` is at least 1 ms");
        }
        Some(vec![Out::main(Shape::of([("tick", Kind::Int)]))])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let mut timer = spouts::Timer::every(self.every);
        if let Some(times) = self.times {
            timer = timer.times(times.0);
        }
        let schema = site.out().schema();
        let row = move |tick: u64| Row::new(schema, vec![Value::from(tick)]);
        vec![*site.spout(Mapped::new(timer, row))]
    }
}
