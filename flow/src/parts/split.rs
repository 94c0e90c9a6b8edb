//! Texts into words and into fields.

use std::sync::Arc;

use bytes::Bytes;
use memchr::memmem;
use tormenta::{
    Bolt, Context, Counter, Emitter, Result, Stream,
    record::{Interned, Value},
    text::words,
};

use crate::{
    plan::{Inputs, Out, Part, Site},
    read::{
        kinds::{Columns, Field, Fields},
        params::component,
    },
    row::{Row, Sorted},
    shape::{Kind, Shape, Slot},
};

component! {
    /// A text into its words, or into its parts: one row for each. A list, in a field of kind
    /// `any`, into its items.
    Split: bolt "split", "the fields that are kept, and word: text (any, of a field that is any)";

    /// The text or the list to split; if a row has only one text, that.
    field: Option<Field>, optional, "\"line\"";
    /// What stands between two parts. Unless set, any number of spaces and tabs.
    separator: Option<String>, optional, "\",\"";
    /// What a part is called.
    into: String, or "\"word\"", "\"tag\"";
    /// Fields of the text's row that each of its parts has too.
    keep: Option<Fields>, optional, "[\"user\"]";
}

component! {
    /// A text into the fields of one row, by what stands between them. What has too few fields, or
    /// one of another kind, goes to the stream `rejected`, and is counted in `rejected`.
    ParseFields: bolt "parse-fields", "the fields that are kept, and those that are named; \
        rejected: the rows as they came";

    /// The text to take apart; if a row has only one, that.
    field: Option<Field>, optional, "\"line\"";
    /// The fields from the left, each with its kind unless it is text. `-` skips one.
    fields: Names, required, "[\"host\", \"-\", \"-\", \"time\", \"request\", \"status: int\"]";
    /// What stands between two fields.
    separator: String, or "\" \"", "\"\\t\"";
    /// Whether `"..."` and `[...]` hold one field, as in the logs of web servers.
    quotes: bool, or "false", "true";
    /// Fields of the text's row that the new row has too.
    keep: Option<Fields>, optional, "[\"user\"]";
}

/// Fields to come, some of which are skipped.
#[derive(Debug, Clone)]
pub(crate) struct Names(Vec<Option<(String, Kind)>>);

impl crate::read::params::Param for Names {
    const KIND: &'static str = Columns::KIND;

    fn read(node: &crate::read::document::Node) -> Result<Self, crate::read::params::Wrong> {
        use crate::read::document::Item;
        let Item::List(items) = &node.value else {
            return Err(crate::read::params::Wrong::Kind);
        };
        // Those that are skipped have no name, and all others one of their own.
        let is_skipped = |item: &Item| matches!(item, Item::Text(text, _) if text.trim() == "-");
        let named = items.iter().filter(|item| !is_skipped(&item.value)).cloned().collect();
        let named = crate::read::notes::At { value: Item::List(named), span: node.span.clone() };
        let mut named = Columns::read(&named)?.0.into_iter();
        let column = |item: &crate::read::document::Node| match is_skipped(&item.value) {
            true => None,
            false => named.next(),
        };
        Ok(Self(items.iter().map(column).collect()))
    }
}

/// The fields that are kept, and new ones; a mistake where two have one name.
fn extended(
    keep: &[Field],
    new: impl IntoIterator<Item = (String, Kind)>,
    inputs: &mut Inputs<'_>,
) -> Option<Shape> {
    let shape = inputs.shape()?;
    inputs.fields(keep)?;
    let new: Vec<(String, Kind)> = new.into_iter().collect();
    for field in keep {
        if new.iter().any(|(name, _)| *name == field.value) {
            let why = format!("`{0}` is kept and made anew; do not keep it", field.value);
            inputs.notes.add(&field.span, why);
        }
    }
    let kept = shape.fields().filter(|(name, _)| keep.iter().any(|field| field.value == *name));
    let kept: Vec<_> = kept.map(|(name, kind)| (name.to_owned(), kind)).collect();
    Some(Shape::new(kept.into_iter().chain(new)))
}

/// The fields that are kept, in the order of the row.
fn kept(keep: Option<&Fields>, site: &Site<'_>) -> Vec<usize> {
    let mut kept: Vec<usize> =
        keep.map_or(&[][..], |keep| &keep.0).iter().map(|field| site.slot(field).at).collect();
    kept.sort_unstable();
    kept
}

fn fields_of(keep: Option<&Fields>) -> &[Field] {
    keep.map_or(&[], |fields| &fields.0)
}

/// The text of a field. What is no text is none.
fn text_at(row: &Row, slot: Slot) -> Option<Bytes> {
    match row.at(slot.at) {
        Value::Bytes(bytes) => Some(bytes.clone()),
        Value::Text(text) => Some(Bytes::copy_from_slice(text.as_bytes())),
        _ => None,
    }
}

impl Part for Split {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        let slot = inputs.text(self.field.as_ref(), "field")?;
        if self.separator.as_ref().is_some_and(String::is_empty) {
            inputs
                .notes
                .add(inputs.header, "an empty `separator`; leave it out to split at spaces");
        }
        let new = [(self.into.clone(), slot.kind)];
        extended(fields_of(self.keep.as_ref()), new, inputs).map(|shape| vec![Out::main(shape)])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let bolt = SplitBolt {
            slot: site.text(self.field.as_ref()),
            separator: self.separator.as_deref().map(|text| Arc::from(text.as_bytes())),
            kept: kept(self.keep.as_ref(), site),
            schema: site.out().schema(),
        };
        vec![*site.bolt(bolt)]
    }
}

#[derive(Clone)]
struct SplitBolt {
    slot: Slot,
    separator: Option<Arc<[u8]>>,
    kept: Vec<usize>,
    schema: Interned,
}

impl SplitBolt {
    #[inline]
    fn part(&self, row: &Row, part: Value) -> Row {
        let mut values = Vec::with_capacity(self.kept.len() + 1);
        values.extend(self.kept.iter().map(|at| row.at(*at).clone()));
        values.push(part);
        Row::new(self.schema, values)
    }
}

impl Bolt for SplitBolt {
    type Input = Row;
    type Output = Row;

    async fn execute(&mut self, row: Row, out: &Emitter<Row>) -> Result {
        if let Value::List(items) = row.at(self.slot.at) {
            for item in items {
                out.emit(self.part(&row, item.clone())).await?;
            }
            return Ok(());
        }
        let Some(text) = text_at(&row, self.slot) else { return Ok(()) };
        match &self.separator {
            None => {
                for word in words(&text) {
                    out.emit(self.part(&row, Value::Bytes(word))).await?;
                }
            }
            Some(separator) => {
                for part in parts(&text, separator) {
                    out.emit(self.part(&row, Value::Bytes(part))).await?;
                }
            }
        }
        Ok(())
    }
}

/// What stands between separators.
fn parts<'a>(text: &'a Bytes, separator: &'a [u8]) -> impl Iterator<Item = Bytes> + 'a {
    let mut at = Some(0);
    std::iter::from_fn(move || {
        let start = at?;
        let found = memmem::find(&text[start..], separator).map(|length| start + length);
        at = found.map(|end| end + separator.len());
        Some(text.slice(start..found.unwrap_or(text.len())))
    })
}

impl Part for ParseFields {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        inputs.text(self.field.as_ref(), "field")?;
        if self.separator.is_empty() {
            inputs.notes.add(inputs.header, "an empty `separator`; write one, such as `\" \"`");
        }
        let shape = extended(
            fields_of(self.keep.as_ref()),
            self.fields.0.iter().flatten().cloned(),
            inputs,
        )?;
        let before = inputs.shape()?;
        Some(vec![Out::main(shape), Out::rejected(before)])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let bolt = ParseBolt {
            slot: site.text(self.field.as_ref()),
            kinds: self.fields.0.iter().map(|f| f.as_ref().map(|(_, kind)| *kind)).collect(),
            separator: Arc::from(self.separator.as_bytes()),
            quotes: self.quotes,
            kept: kept(self.keep.as_ref(), site),
            schema: site.out().schema(),
            rejected: Counter::default(),
        };
        let handle = site.bolt(bolt);
        vec![handle.default, handle.rejected]
    }
}

#[derive(Clone)]
struct ParseBolt {
    slot: Slot,
    /// What each field is; `None` if it is skipped.
    kinds: Arc<[Option<Kind>]>,
    separator: Arc<[u8]>,
    quotes: bool,
    kept: Vec<usize>,
    schema: Interned,
    rejected: Counter,
}

impl ParseBolt {
    fn parse(&self, row: &Row) -> Option<Row> {
        let text = text_at(row, self.slot)?;
        let mut values = Vec::with_capacity(self.schema.fields().len());
        values.extend(self.kept.iter().map(|at| row.at(*at).clone()));
        let mut at = Some(0);
        for kind in &*self.kinds {
            let (field, next) = field(&text, at?, &self.separator, self.quotes);
            if let Some(kind) = kind {
                values.push(kind.parse(&field)?);
            }
            at = next;
        }
        Some(Row::new(self.schema, values))
    }
}

/// The field that begins here, and where the next one does.
fn field(text: &Bytes, at: usize, separator: &[u8], quotes: bool) -> (Bytes, Option<usize>) {
    let rest = &text[at..];
    let close = match rest.first() {
        Some(b'"') if quotes => Some(b'"'),
        Some(b'[') if quotes => Some(b']'),
        _ => None,
    };
    // A quote that is not closed, or is followed by more text, is text.
    let quoted = close.and_then(|close| {
        let end = closing(&rest[1..], close)? + 1;
        let after = &rest[end + 1..];
        (after.is_empty() || after.starts_with(separator)).then_some(end)
    });
    if let Some(end) = quoted {
        let next = (end + 1 < rest.len()).then(|| at + end + 1 + separator.len());
        return (text.slice(at + 1..at + end), next);
    }
    match memmem::find(rest, separator) {
        Some(length) => (text.slice(at..at + length), Some(at + length + separator.len())),
        None => (text.slice(at..), None),
    }
}

/// The first of these that has no backslash before it.
fn closing(text: &[u8], close: u8) -> Option<usize> {
    memchr::memchr_iter(close, text).find(|at| *at == 0 || text[at - 1] != b'\\')
}

impl Bolt for ParseBolt {
    type Input = Row;
    type Output = Sorted;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.rejected = cx.counter("rejected");
        Ok(())
    }

    async fn execute(&mut self, row: Row, out: &Emitter<Sorted>) -> Result {
        match self.parse(&row) {
            Some(parsed) => out.emit(Sorted::Default(parsed)).await,
            None => {
                self.rejected.add(1);
                out.emit(Sorted::Rejected(row)).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    fn split(text: &str, quotes: bool) -> Vec<String> {
        let (text, mut at, mut fields) = (Bytes::from(text.to_owned()), Some(0), Vec::new());
        while let Some(start) = at {
            let (found, next) = field(&text, start, b" ", quotes);
            fields.push(String::from_utf8_lossy(&found).into_owned());
            at = next;
        }
        fields
    }

    #[test]
    fn a_line_of_an_access_log() {
        let line = r#"::1 - - [10/Oct/2000:13:55:36 -0700] "GET /a \"b\" HTTP/1.0" 200 "x"#;
        let fields = [
            "::1",
            "-",
            "-",
            "10/Oct/2000:13:55:36 -0700",
            "GET /a \\\"b\\\" HTTP/1.0",
            "200",
            "\"x",
        ];
        assert_eq!(split(line, true), fields);
        assert_eq!(split("[a b", true), ["[a", "b"]);
        assert_eq!(split("\"a\"b c", true), ["\"a\"b", "c"]);
        assert_eq!(split("\"\" ", true), ["", ""]);
    }

    quickcheck! {
        fn without_quotes_it_is_what_rust_splits(text: String) -> bool {
            split(&text, false) == text.split(' ').collect::<Vec<_>>()
        }

        fn parts_are_what_rust_splits(text: String, separator: String) -> bool {
            let separator = if separator.is_empty() { ",".to_owned() } else { separator };
            let bytes = Bytes::from(text.clone());
            parts(&bytes, separator.as_bytes()).eq(text.split(&separator).map(str::as_bytes))
        }
    }
}
