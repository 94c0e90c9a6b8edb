//! How often keys come.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tormenta::{
    Bolt, Emitter, Free, Keyed, Result, Stores, Stream,
    record::{Interned, Value},
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
            schema: site.out().schema(),
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

/// A count, and in its lowest bit whether it changed since the last tick. In one word, so that a
/// key and its count are half a cache line: where counts do not fit the cache, that is what they
/// cost.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Tally(u64);

impl Tally {
    /// One more; how many that makes, and whether it is the first since the last tick.
    #[inline]
    fn add(&mut self) -> (u64, bool) {
        let is_first = self.0 & 1 == 0;
        self.0 = (self.0 + 2) | 1;
        (self.count(), is_first)
    }

    fn count(self) -> u64 {
        self.0 >> 1
    }

    /// A tick has come.
    fn settle(&mut self) {
        self.0 &= !1;
    }
}

#[derive(Clone)]
struct CountBolt {
    slots: Arc<[Slot]>,
    when: When,
    schema: Interned,
    counts: Keyed<Key, Tally>,
    changed: Vec<Key>,
}

impl CountBolt {
    /// The key fields of a row, and their count.
    fn counted(&self, row: Row, count: Value) -> Row {
        let mut values = row.into_values();
        if let [slot] = self.slots[..] {
            values.swap(0, slot.at);
            values.truncate(1);
            values.push(count);
            return Row::new(self.schema, values);
        }
        let keys = self.slots.iter().map(|slot| values[slot.at].clone());
        Row::new(self.schema, keys.chain([count]).collect())
    }

    fn row(&self, key: &Key, count: u64) -> Row {
        Row::new(self.schema, key.values().chain([Value::from(count)]).collect())
    }
}

impl Bolt for CountBolt {
    type Input = Row;
    type Output = Row;

    fn state<S: Stores>(&mut self, stores: &mut S) {
        stores.keyed("counts", &mut self.counts);
    }

    #[inline]
    async fn execute(&mut self, row: Row, out: &Emitter<Row>) -> Result {
        let key = Key::of(&row, &self.slots);
        let tally = match self.counts.get_mut(&key) {
            Some(tally) => tally,
            None => self.counts.entry(key.clone(), || Tally(0)),
        };
        let (count, is_first) = tally.add();
        match self.when {
            When::Each => return out.emit(self.counted(row, count.into())).await,
            When::Tick if is_first => self.changed.push(key),
            When::Tick | When::End => {}
        }
        Ok(())
    }

    fn tick_interval(&self) -> Option<Duration> {
        (self.when == When::Tick).then(|| Duration::from_secs(1))
    }

    async fn tick(&mut self, out: &Emitter<Row, Free>) -> Result {
        for key in std::mem::take(&mut self.changed) {
            let Some(tally) = self.counts.get_mut(&key) else { continue };
            tally.settle();
            let count = tally.count();
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
                    self.counts.iter().map(|(key, tally)| (key.clone(), tally.count())).collect();
                counts.sort_unstable();
                for (key, count) in counts {
                    out.emit_free(self.row(&key, count)).await?;
                }
                Ok(())
            }
        }
    }
}
