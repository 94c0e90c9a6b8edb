//! Components of a program's own: typed spouts and bolts over rows, with parameters.

use std::{cell::OnceCell, sync::Arc};

use serde::de::DeserializeOwned;
use tormenta::{
    Bolt, Error, Result, Spout, Stream,
    record::{Interned, Schema, Value},
};

use crate::{
    plan::{Inputs, Out, Part, Site},
    read::{
        document::{Item, Node, Table, parse_value},
        kinds::{Columns, Field},
        notes::Span,
        params::{ComponentDoc, Need, Param, ParamDoc, Reader, Wrong},
        suggest::suggest,
    },
    row::Row,
    shape::{Kind, Shape},
};

/// Declares a component that was made.
type Declare = Box<dyn Fn(&mut Site<'_>) -> Stream<Row>>;

/// Makes one of what stands in a flow.
type Make = Arc<dyn Fn(&mut Setup<'_>) -> Result<Declare> + Send + Sync>;

/// A component of a program's own.
#[derive(Clone)]
pub(crate) struct Own {
    pub(crate) doc: &'static ComponentDoc,
    make: Make,
}

impl Own {
    pub(crate) fn spout<S: Spout<Output = Row>>(
        doc: &'static ComponentDoc,
        make: impl Fn(&mut Setup<'_>) -> Result<S> + Send + Sync + 'static,
    ) -> Self {
        let make = move |setup: &mut Setup<'_>| -> Result<Declare> {
            let spout = make(setup)?;
            Ok(Box::new(move |site| *site.spout(spout.clone())))
        };
        Self { doc, make: Arc::new(make) }
    }

    pub(crate) fn bolt<B: Bolt<Input = Row, Output = Row>>(
        doc: &'static ComponentDoc,
        make: impl Fn(&mut Setup<'_>) -> Result<B> + Send + Sync + 'static,
    ) -> Self {
        let make = move |setup: &mut Setup<'_>| -> Result<Declare> {
            let bolt = make(setup)?;
            Ok(Box::new(move |site| *site.bolt(bolt.clone())))
        };
        Self { doc, make: Arc::new(make) }
    }

    /// Takes its parameters out of a table; `None` if one that is needed is missing.
    pub(crate) fn read(&self, reader: &mut Reader<'_>) -> Option<Box<dyn Part>> {
        let (mut params, mut is_complete) = (Table::default(), true);
        for ParamDoc { name, need, example, .. } in self.doc.params {
            if let Some(entry) = reader.table.take(name) {
                params.0.push(entry);
            } else if *need == Need::Required {
                let why = format!("{} has no `{name}`; add it: `{name} = {example}`", reader.whose);
                reader.notes.add(&reader.header, why);
                is_complete = false;
            }
        }
        let part = OwnPart { own: self.clone(), params, made: OnceCell::new() };
        is_complete.then(|| Box::new(part) as Box<dyn Part>)
    }
}

/// A component of a flow that is a program's own.
struct OwnPart {
    own: Own,
    params: Table,
    /// Made when it was known what it reads.
    made: OnceCell<Declare>,
}

impl Part for OwnPart {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        let reads = inputs.shape();
        if reads.is_none() && !inputs.wires.is_empty() {
            return None;
        }
        let reads = reads.unwrap_or_else(|| Shape::of([]));
        let mut setup = Setup {
            doc: self.own.doc,
            params: &self.params,
            inputs: Inputs { notes: &mut *inputs.notes, united: inputs.united.clone(), ..*inputs },
            reads,
            emits: Vec::new(),
            has_noted: false,
        };
        let made = (self.own.make)(&mut setup);
        let (emits, has_noted) = (std::mem::take(&mut setup.emits), setup.has_noted);
        match made {
            Ok(made) => {
                // A part is asked for its streams once.
                let _ = self.made.set(made);
            }
            Err(why) => {
                if !has_noted {
                    inputs.notes.add(inputs.header, format!("`{}`: {why}", inputs.whose));
                }
                return None;
            }
        }
        let emits_nothing = emits.is_empty();
        Some(if emits_nothing { Vec::new() } else { vec![Out::main(Shape::new(emits))] })
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let Some(made) = self.made.get() else {
            unreachable!("`{}` was planned and not made", site.name)
        };
        let stream = made(site);
        if site.outs.is_empty() { Vec::new() } else { vec![stream] }
    }
}

/// What a component of a program's own is made of: its parameters, the fields that it reads, and
/// those that it will emit. See [`Registry`](crate::Registry) for an example.
///
/// An error of its methods is told at the place of the value that is wrong; hand it on with `?`.
pub struct Setup<'a> {
    doc: &'static ComponentDoc,
    params: &'a Table,
    inputs: Inputs<'a>,
    reads: Shape,
    emits: Vec<(String, Kind)>,
    has_noted: bool,
}

impl Setup<'_> {
    /// A parameter, of any type that serde can read; an `Option` where it may be left out.
    ///
    /// # Errors
    /// When the value is of another type.
    ///
    /// ```
    /// use tormenta_flow::Setup;
    ///
    /// fn tags(setup: &mut Setup<'_>) -> tormenta::Result<Vec<String>> {
    ///     Ok(setup.param::<Option<Vec<String>>>("tags")?.unwrap_or_default())
    /// }
    /// ```
    pub fn param<T: DeserializeOwned>(&mut self, name: &str) -> Result<T> {
        let (doc, node) = self.node(name)?;
        let why = match plain(&node.value).to::<T>() {
            Ok(read) => return Ok(read),
            Err(why) => why,
        };
        let mut meanings = meanings(&node.value).into_iter();
        if let Some(read) = meanings.find_map(|value| value.to::<T>().ok()) {
            return Ok(read);
        }
        let ParamDoc { kind, example, .. } = doc;
        let whose = self.inputs.whose;
        let why =
            format!("`{name}` of `{whose}`: {why}; write {kind}, such as `{name} = {example}`");
        Err(self.refuse(&node.span, why))
    }

    /// A parameter that is a duration, such as `"250ms"` or `"1h"`.
    ///
    /// # Errors
    /// When it is none.
    ///
    /// ```
    /// use tormenta_flow::Setup;
    ///
    /// fn pause(setup: &mut Setup<'_>) -> tormenta::Result<std::time::Duration> {
    ///     setup.duration("pause")
    /// }
    /// ```
    pub fn duration(&mut self, name: &str) -> Result<std::time::Duration> {
        let (_, node) = self.node(name)?;
        match std::time::Duration::read(&node) {
            Ok(duration) => Ok(duration),
            Err(wrong) => {
                let (span, why) = match wrong {
                    Wrong::Value(span, why) => (span, why),
                    Wrong::Kind => (node.span, "write a duration, such as `\"10s\"`".to_owned()),
                };
                let whose = self.inputs.whose;
                Err(self.refuse(&span, format!("`{name}` of `{whose}`: {why}")))
            }
        }
    }

    /// The position of the field that a parameter names, among those that are read.
    ///
    /// # Errors
    /// When there is no such field.
    ///
    /// ```
    /// use tormenta_flow::Setup;
    ///
    /// // Of `field = "line"`, where the rows have `number` and `line`, this is 1.
    /// fn place(setup: &mut Setup<'_>) -> tormenta::Result<usize> {
    ///     setup.field("field")
    /// }
    /// ```
    pub fn field(&mut self, name: &str) -> Result<usize> {
        let (_, node) = self.node(name)?;
        let Ok(field) = Field::read(&node) else {
            let whose = self.inputs.whose;
            let why = format!("`{name}` of `{whose}` is {}; name a field", node.value.kind());
            return Err(self.refuse(&node.span, why));
        };
        match self.inputs.field(&field) {
            Some(slot) => Ok(slot.at),
            None => Err(self.noted()),
        }
    }

    /// What the rows have that it reads; nothing for a spout. Kinds are `text`, `int`, `float`,
    /// `bool` and `any`.
    ///
    /// ```
    /// use tormenta_flow::Setup;
    ///
    /// fn is_number(setup: &Setup<'_>, at: usize) -> bool {
    ///     matches!(&*setup.reads().fields()[at].kind, "int" | "float")
    /// }
    /// ```
    #[must_use]
    pub fn reads(&self) -> &Schema {
        // The schema lives as long as the process.
        self.reads.schema_ref()
    }

    /// Its rows have all fields of those that it reads.
    ///
    /// ```
    /// use tormenta_flow::Setup;
    ///
    /// fn fields(setup: &mut Setup<'_>) -> tormenta::Result {
    ///     setup.keep().add("country")?.add("km: float")?;
    ///     Ok(())
    /// }
    /// ```
    pub fn keep(&mut self) -> &mut Self {
        let kept = self.reads.fields().map(|(name, kind)| (name.to_owned(), kind));
        self.emits.extend(kept);
        self
    }

    /// Its rows have a further field, as flows write them: `"word"` is text, `"count: int"` a
    /// number.
    ///
    /// # Errors
    /// When it is written in another way, or there is one of this name.
    pub fn add(&mut self, field: &str) -> Result<&mut Self> {
        let value =
            Item::List(vec![Node { value: Item::Text(field.to_owned(), false), span: 0..0 }]);
        let columns = match Columns::read(&Node { value, span: 0..0 }) {
            Ok(Columns(columns)) => columns,
            Err(Wrong::Value(_, why)) => return Err(Error::msg(why)),
            Err(Wrong::Kind) => return Err(Error::msg(format!("`{field}` is no field"))),
        };
        for (name, kind) in columns {
            if self.emits.iter().any(|(other, _)| *other == name) {
                let why =
                    format!("it would have two fields `{name}`; rename the one that it reads");
                return Err(Error::msg(why));
            }
            self.emits.push((name, kind));
        }
        Ok(self)
    }

    /// The schema of its rows, for [`Row::of`](crate::Row::of). Ask when all fields are there.
    #[must_use]
    pub fn schema(&self) -> Interned {
        Shape::new(self.emits.iter().cloned()).schema()
    }

    /// What stands in the flow, or the default.
    fn node(&self, name: &str) -> Result<(ParamDoc, Node)> {
        let Some(doc) = self.doc.params.iter().find(|doc| doc.name == name) else {
            let mend = suggest(name, self.doc.params.iter().map(|doc| doc.name));
            return Err(Error::msg(format!("its docs have no parameter `{name}`; {mend}")));
        };
        if let Some(entry) = self.params.0.iter().find(|entry| entry.name.value == name) {
            return Ok((*doc, entry.node.clone()));
        }
        let default = match doc.need {
            Need::Default(text) => parse_value(text).map(|node| node.value),
            Need::Required | Need::Optional => None,
        };
        let value = default.unwrap_or(Item::Nothing);
        Ok((*doc, Node { value, span: self.inputs.header.clone() }))
    }

    fn refuse(&mut self, span: &Span, why: String) -> Error {
        self.inputs.notes.add(span, why);
        self.noted()
    }

    fn noted(&mut self) -> Error {
        self.has_noted = true;
        Error::msg("a parameter is wrong")
    }
}

impl std::fmt::Debug for Setup<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (doc, reads) = (self.doc.name, self.reads.to_string());
        f.debug_struct("Setup").field("component", &doc).field("reads", &reads).finish()
    }
}

/// What a text from the environment may mean: it is text, whatever is wanted.
fn meanings(item: &Item) -> Vec<Value> {
    let Item::Text(text, true) = item else { return Vec::new() };
    let text = text.trim();
    let values = [
        text.parse().ok().map(Value::Int),
        text.parse().ok().map(Value::Float),
        text.parse().ok().map(Value::Bool),
    ];
    values.into_iter().flatten().collect()
}

/// What TOML says, as a value.
fn plain(item: &Item) -> Value {
    match item {
        Item::Nothing => Value::Null,
        Item::Text(text, _) | Item::Time(text) => Value::Text(text.clone()),
        Item::Int(number) => Value::Int(*number),
        Item::Float(number) => Value::Float(*number),
        Item::Bool(truth) => Value::Bool(*truth),
        Item::List(items) => Value::List(items.iter().map(|node| plain(&node.value)).collect()),
        Item::Table(table) => {
            let entry = |entry: &crate::read::document::Entry| {
                (entry.name.value.clone(), plain(&entry.node.value))
            };
            Value::Map(table.0.iter().map(entry).collect())
        }
    }
}
