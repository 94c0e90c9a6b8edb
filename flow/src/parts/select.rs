//! Fields: which, in which order, under which names.

use tormenta::{Stream, bolts::map};

use crate::{
    plan::{Inputs, Out, Part, Site, View},
    read::{params::component, renames::Renames},
    row::Row,
};

component! {
    /// Some of the fields, in another order or under other names.
    Select: bolt "select", "the fields that are named";

    /// The fields to keep, in this order: `"name"`, `"new = old"` under another name, or
    /// `"new = 'a text'"` for one that is the same in each row.
    fields: Renames, required, "[\"url\", \"bytes = size\", \"kind = 'hit'\"]";
}

impl Part for Select {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        let view = View::of(&self.fields.0, |field| inputs.field(field))?;
        Some(vec![Out::main(view.shape().clone())])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let Some(view) = View::of(&self.fields.0, |field| Some(site.slot(field))) else {
            unreachable!("a selection was planned without its fields")
        };
        vec![*site.bolt(map(move |row: Row| view.apply(&row)))]
    }
}
