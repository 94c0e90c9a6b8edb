//! How often keys come.

use std::{sync::Arc, time::Duration};

use tormenta::{
    Bolt, Emitter, Free, Keyed, Result, Stores, Stream,
    record::{Schema, Value},
};

use crate::{
    key::Key,
    plan::{Inputs, Out, Part, Site},
    read::{
        kinds::Fields,
        params::{choice, component},
    },
    row::Row,
    shape::{Kind, Shape, Slot},
};

component! {
    /// Counts the rows of each key, from the start on. A row that is replayed counts again.
    Count: bolt "count", "the fields of the key, and count: int";

    /// The fields that a key is made of.
    by: Fields, required, "\"word\"";
    /// When counts are emitted: the new one of each row, those that changed at a tick, or all of
    /// them when the inputs have ended.
    emit: When, or "\"each\"", "\"tick\"";
    /// What the count is called.
    into: String, or "\"count\"", "\"requests\"";
}

choice! {
    /// When counts are emitted.
    When {
        Each = "each",
        Tick = "tick",
        End = "end",
    }
}

impl Part for Count {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        inputs.key(&self.by.0)?;
        let shape = keyed_shape(&inputs.shape()?, &self.by, [(self.into.as_str(), Kind::Int)]);
        if self.by.0.iter().any(|field| field.value == self.into) {
            let why = format!("`{}` is a field of the key; choose another name", self.into);
            inputs.notes.add(inputs.header, why);
        }
        Some(vec![Out::main(shape)])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let bolt = CountBolt {
            slots: site.slots(&self.by.0).into(),
            when: self.emit,
            schema: site.out().schema().clone(),
            counts: Keyed::default(),
            changed: Vec::new(),
        };
        vec![*site.bolt(bolt)]
    }
}

/// The fields of a key, and others behind them.
pub(crate) fn keyed_shape<const N: usize>(
    shape: &Shape,
    by: &Fields,
    more: [(&str, Kind); N],
) -> Shape {
    let kind = |name: &str| shape.find(name).map_or(Kind::Any, |slot| slot.kind);
    let keys = by.0.iter().map(|field| (field.value.clone(), kind(&field.value)));
    Shape::new(keys.chain(more.map(|(name, kind)| (name.to_owned(), kind))))
}

#[derive(Clone)]
struct CountBolt {
    slots: Arc<[Slot]>,
    when: When,
    schema: Arc<Schema>,
    /// The count, and whether it changed since the last tick.
    counts: Keyed<Key, (u64, bool)>,
    changed: Vec<Key>,
}

impl CountBolt {
    fn row(&self, key: &Key, count: u64) -> Row {
        Row::new(&self.schema, key.values().chain([Value::from(count)]).collect())
    }
}

impl Bolt for CountBolt {
    type Input = Row;
    type Output = Row;

    fn state<S: Stores>(&mut self, stores: &mut S) {
        stores.keyed("counts", &mut self.counts);
    }

    async fn execute(&mut self, row: Row, out: &Emitter<Row>) -> Result {
        let key = Key::view(&row, &self.slots);
        let (count, has_changed) = match self.counts.get_mut(&key) {
            Some(count) => count,
            // What is kept is a copy: a view would keep the whole chunk that was read.
            None => self.counts.entry(Key::of(&row, &self.slots), || (0, false)),
        };
        *count += 1;
        let count = *count;
        match self.when {
            When::Each => out.emit(self.row(&key, count)).await,
            When::Tick if !std::mem::replace(has_changed, true) => {
                self.changed.push(Key::of(&row, &self.slots));
                Ok(())
            }
            When::Tick | When::End => Ok(()),
        }
    }

    fn tick_interval(&self) -> Option<Duration> {
        (self.when == When::Tick).then(|| Duration::from_secs(1))
    }

    async fn tick(&mut self, out: &Emitter<Row, Free>) -> Result {
        for key in std::mem::take(&mut self.changed) {
            let Some((count, has_changed)) = self.counts.get_mut(&key) else { continue };
            *has_changed = false;
            let count = *count;
            out.emit_free(self.row(&key, count)).await?;
        }
        Ok(())
    }

    async fn finish(&mut self, out: &Emitter<Row, Free>) -> Result {
        match self.when {
            When::Each => Ok(()),
            When::Tick => self.tick(out).await,
            When::End => {
                let mut counts: Vec<(Key, u64)> =
                    self.counts.iter().map(|(key, (count, _))| (key.clone(), *count)).collect();
                counts.sort_unstable();
                for (key, count) in counts {
                    out.emit_free(self.row(&key, count)).await?;
                }
                Ok(())
            }
        }
    }
}
