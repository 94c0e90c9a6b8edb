//! Texts of JSON into fields.

use std::sync::Arc;

use tormenta::{Bolt, Context, Counter, Emitter, Result, Stream};

use super::cells::{Wanted, from_json};
use crate::{
    plan::{Inputs, Out, Part, Site},
    read::{
        kinds::{Columns, Field},
        params::component,
    },
    row::{Row, Sorted},
    shape::{Shape, Slot},
};

component! {
    /// A text of JSON, an object, into the fields of a row. A field that is missing is null. What
    /// is no object, or has a field of another kind, goes to the stream `rejected`, and is counted
    /// in `rejected`.
    ParseJson: bolt "parse-json", "the fields that are named; rejected: the rows as they came";

    /// The text to read; if a row has only one, that.
    field: Option<Field>, optional, "\"body\"";
    /// The fields to read, each with its kind unless it is text.
    fields: Columns, required, "[\"card\", \"cents: int\"]";
}

impl Part for ParseJson {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        inputs.text(self.field.as_ref(), "field")?;
        let shape = Shape::new(self.fields.0.iter().cloned());
        Some(vec![Out::main(shape), Out::rejected(inputs.shape()?)])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let bolt = ParseBolt {
            slot: site.text(self.field.as_ref()),
            wanted: Wanted::new(&site.out(), false),
            rejected: Counter::default(),
        };
        let handle = site.bolt(bolt);
        vec![handle.default, handle.rejected]
    }
}

#[derive(Clone)]
struct ParseBolt {
    slot: Slot,
    wanted: Arc<Wanted>,
    rejected: Counter,
}

impl Bolt for ParseBolt {
    type Input = Row;
    type Output = Sorted;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.rejected = cx.counter("rejected");
        Ok(())
    }

    async fn execute(&mut self, row: Row, out: &Emitter<Sorted>) -> Result {
        let parsed = row.at(self.slot.at).as_bytes().map(|text| from_json(&self.wanted, text));
        match parsed {
            Some(Ok(parsed)) => out.emit(Sorted::Default(parsed)).await,
            _ => {
                self.rejected.add(1);
                out.emit(Sorted::Rejected(row)).await
            }
        }
    }
}
