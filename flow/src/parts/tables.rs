//! Spouts of rows: CSV and JSON files, at once or as fast as they happened.

use tormenta::{
    Spout, Stream,
    spouts::{CsvRows, JsonLines as TypedJson, Replayed},
};

use super::cells::{Tabular, Wanted};
use crate::{
    plan::{Inputs, Out, Part, Site, slot},
    read::{
        document::{Item, Node},
        kinds::{Bytes, Columns, Field, Paths},
        notes::Notes,
        params::{Param, Wrong, component},
        suggest::suggest,
    },
    row::Row,
    shape::{Kind, Shape},
};

component! {
    /// The rows of CSV files, found by the names in their first line. Bad rows are left out and
    /// reported.
    Csv: spout "csv", "the fields that are named";

    /// What to read, as with `lines`.
    path: Paths, required, "\"swipes.csv.gz\"";
    /// The columns to read, each with its kind unless it is text.
    fields: Columns, required, "[\"card\", \"at: int\", \"amount: float\"]";
    /// What stands between two columns.
    delimiter: Delimiter, or "\",\"", "\"\\t\"";
    /// Names of all columns, from the left, for files without a first line that has them.
    columns: Option<Names>, optional, "[\"card\", \"at\", \"amount\"]";
    /// A field with milliseconds: rows come as fast as they happened.
    paced_by: Option<Field>, optional, "\"at\"";
    /// How many times faster than they happened.
    speed: f64, or "1.0", "60.0";
    /// Bytes that a row may have; a longer one is a bad row.
    row_bytes_max: Bytes, or "\"16 MiB\"", "\"64 KiB\"";
}

component! {
    /// The rows of JSON files, one object a line. A field that is missing is null. Bad rows are
    /// left out and reported.
    JsonLines: spout "json-lines", "the fields that are named";

    /// What to read, as with `lines`.
    path: Paths, required, "\"edits.jsonl.gz\"";
    /// The fields to read, each with its kind unless it is text.
    fields: Columns, required, "[\"page\", \"delta: int\"]";
    /// A field with milliseconds: rows come as fast as they happened.
    paced_by: Option<Field>, optional, "\"at\"";
    /// How many times faster than they happened.
    speed: f64, or "1.0", "60.0";
    /// Bytes that a line may have; a longer one is an error.
    line_bytes_max: Bytes, or "\"16 MiB\"", "\"64 KiB\"";
}

/// One byte between columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delimiter(u8);

impl Param for Delimiter {
    const KIND: &'static str = "one character of ASCII";

    fn read(node: &Node) -> Result<Self, Wrong> {
        match String::read(node)?.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(Self(*byte)),
            _ => Err(Wrong::value(&node.span, "write one character, such as `,` or `\\t`")),
        }
    }
}

/// Names of columns.
#[derive(Debug, Clone)]
pub(crate) struct Names(Vec<String>);

impl Param for Names {
    const KIND: &'static str = "a list of names";

    fn read(node: &Node) -> Result<Self, Wrong> {
        let Item::List(items) = &node.value else { return Err(Wrong::Kind) };
        items.iter().map(String::read).collect::<Result<_, _>>().map(Self)
    }
}

fn check_pace(shape: &Shape, field: Option<&Field>, speed: f64, inputs: &mut Inputs<'_>) {
    let Some(field) = field else { return };
    check_time(shape, field, inputs.notes);
    if !speed.is_finite() || speed <= 0.0 {
        inputs.notes.add(&field.span, "`speed` is not above zero; write 1.0 or more");
    }
}

fn check_time(shape: &Shape, field: &Field, notes: &mut Notes) {
    match shape.find(&field.value) {
        Some(found) if found.kind == Kind::Int => {}
        Some(found) => {
            let why = format!(
                "`{0}` is {1}, and a time is a whole number of milliseconds; write `{0}: int`",
                field.value, found.kind
            );
            notes.add(&field.span, why);
        }
        None => {
            let mend = suggest(&field.value, shape.names());
            notes.add(&field.span, format!("there is no field `{}`; {mend}", field.value));
        }
    }
}

/// Declares a spout, and lets it wait for the time of its rows if that is wanted.
fn declare<S: Spout<Output = Row>>(
    spout: S,
    paced_by: Option<&Field>,
    speed: f64,
    site: &mut Site<'_>,
) -> Vec<Stream<Row>> {
    let Some(field) = paced_by else { return vec![*site.spout(spout)] };
    let time = slot(&site.out(), field);
    let time = move |row: &Row| row.at(time.at).as_int().unwrap_or(0);
    vec![*site.spout(Replayed::new(spout, time).speed(speed))]
}

impl Part for Csv {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        let shape = Shape::new(self.fields.0.iter().cloned());
        check_pace(&shape, self.paced_by.as_ref(), self.speed, inputs);
        Some(vec![Out::main(shape)])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let bytes_max = usize::try_from(self.row_bytes_max.0).unwrap_or(usize::MAX);
        let mut rows = CsvRows::of(&self.path.0).delimiter(self.delimiter.0);
        rows = rows.row_bytes_max(bytes_max);
        if let Some(Names(names)) = &self.columns {
            rows = rows.columns(names);
        }
        let rows = Tabular::new(rows, Wanted::new(&site.out(), true));
        declare(rows, self.paced_by.as_ref(), self.speed, site)
    }
}

impl Part for JsonLines {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        let shape = Shape::new(self.fields.0.iter().cloned());
        check_pace(&shape, self.paced_by.as_ref(), self.speed, inputs);
        Some(vec![Out::main(shape)])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let bytes_max = usize::try_from(self.line_bytes_max.0).unwrap_or(usize::MAX);
        let rows = TypedJson::of(&self.path.0).line_bytes_max(bytes_max);
        let rows = Tabular::new(rows, Wanted::new(&site.out(), false));
        declare(rows, self.paced_by.as_ref(), self.speed, site)
    }
}
