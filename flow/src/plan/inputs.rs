//! What a component may ask about what it reads, while mistakes can still be noted.

use super::{Wire, view::union};
use crate::{
    read::{
        kinds::Field,
        notes::{Notes, Span},
        reads::{Deal, Side},
        suggest::suggest,
    },
    shape::{Kind, Shape, Slot},
};

/// The inputs of one component.
pub(crate) struct Inputs<'a> {
    pub(crate) notes: &'a mut Notes,
    /// The component, for messages.
    pub(crate) whose: &'a str,
    /// Where it is named.
    pub(crate) header: &'a Span,
    pub(crate) tasks: usize,
    pub(crate) wires: &'a [Wire],
    pub(crate) shapes: &'a [Shape],
    /// The one shape that all inputs are brought to, because it was asked for.
    pub(crate) united: Option<Shape>,
}

impl Inputs<'_> {
    /// One shape for all inputs: the fields of all of them, found by their names. Who asks for it
    /// is given rows of this shape, in which null stands for what an input does not have. It is a
    /// mistake if a field has kinds that do not go together.
    pub(crate) fn shape(&mut self) -> Option<Shape> {
        if self.united.is_none() {
            match union(self.shapes) {
                Ok(shape) => self.united = Some(shape),
                Err((index, field, kinds)) => self.refuse_union(index, &field, kinds),
            }
        }
        self.united.clone().filter(|_| !self.shapes.is_empty())
    }

    fn refuse_union(&mut self, index: usize, field: &str, [known, kind]: [Kind; 2]) {
        let has = |shape: &Shape| shape.find(field).is_some();
        let first = self.shapes.iter().position(has).unwrap_or_default();
        let (first, second) = (self.wires[first].read.source(), self.wires[index].read.source());
        let why = format!(
            "`{field}` is {known} in rows of `{first}` and {kind} in rows of `{second}`; rename \
             it: `{{ from = \"{second}\", fields = [\"other = {field}\", ..] }}`"
        );
        self.notes.add(self.wires[index].span(), why);
    }

    /// A field, which all inputs must have: who names it means it in every row.
    pub(crate) fn field(&mut self, field: &Field) -> Option<Slot> {
        let shape = self.shape()?;
        let lacks = |(_, shape): &(&Wire, &Shape)| shape.find(&field.value).is_none();
        let lacking: Vec<_> = self.wires.iter().zip(self.shapes).filter(lacks).collect();
        match lacking[..] {
            [(wire, lacking), ..] if self.shapes.iter().any(|s| s.find(&field.value).is_some()) => {
                let (name, from) = (&field.value, wire.read.source());
                let why = format!(
                    "rows of `{from}` have no field `{name}`, only {}; give one the name: \
                     `{{ from = \"{from}\", fields = [\"{name} = ..\", ..] }}`",
                    fields(lacking)
                );
                self.notes.add(&field.span, why);
                None
            }
            _ => find(&shape, field, self.notes),
        }
    }

    /// Several fields; `None` if one is not there.
    pub(crate) fn fields(&mut self, fields: &[Field]) -> Option<Vec<Slot>> {
        let slots: Vec<Option<Slot>> = fields.iter().map(|field| self.field(field)).collect();
        slots.into_iter().collect()
    }

    /// A field that holds numbers.
    pub(crate) fn number(&mut self, field: &Field) -> Option<Slot> {
        let slot = self.field(field)?;
        if !slot.kind.is_number() {
            self.refuse_kind(field, slot.kind, "a number", "`int` or `float`");
            return None;
        }
        Some(slot)
    }

    /// A field that holds milliseconds.
    pub(crate) fn time(&mut self, field: &Field) -> Option<Slot> {
        let slot = self.field(field)?;
        if !matches!(slot.kind, Kind::Int | Kind::Any) {
            let why = format!(
                "`{}` is {}, and a time is a whole number of milliseconds; make one with \
                 `parse-time`",
                field.value, slot.kind
            );
            self.notes.add(&field.span, why);
            return None;
        }
        Some(slot)
    }

    fn refuse_kind(&mut self, field: &Field, kind: Kind, wanted: &str, mend: &str) {
        let why = format!(
            "`{}` is {kind} where {wanted} is wanted; give it the kind {mend} where it is made",
            field.value
        );
        self.notes.add(&field.span, why);
    }

    /// The field that is named, or the only text of the inputs.
    pub(crate) fn text(&mut self, field: Option<&Field>, name: &str) -> Option<Slot> {
        if let Some(field) = field {
            let slot = self.field(field)?;
            if !matches!(slot.kind, Kind::Text | Kind::Any) {
                self.refuse_kind(field, slot.kind, "a text", "`text`");
                return None;
            }
            return Some(slot);
        }
        let shape = self.shape()?;
        if let [only] = texts(&shape)[..] {
            return Some(only);
        }
        let (whose, there) = (self.whose, fields(&shape));
        let why = format!("`{whose}` must say which field; add `{name} = \"..\"`, one of {there}");
        self.notes.add(self.header, why);
        None
    }

    /// Fields that tuples are counted or remembered by: with several tasks, all tuples of a key
    /// must come to the same one.
    pub(crate) fn key(&mut self, fields: &[Field]) -> Option<Vec<Slot>> {
        let slots = self.fields(fields)?;
        for wire in self.wires {
            let same = match &wire.read.deal {
                Deal::By(by) => by.iter().all(|f| fields.iter().any(|k| k.value == f.value)),
                _ => false,
            };
            if self.tasks > 1 && !same {
                let names: Vec<String> =
                    fields.iter().map(|field| format!("\"{}\"", field.value)).collect();
                let from = &wire.read.component.value;
                let why = format!(
                    "the {} tasks of `{}` would each see a part of every key; read \
                     `{{ from = \"{from}\", by = [{}] }}`",
                    self.tasks,
                    self.whose,
                    names.join(", ")
                );
                self.notes.add(wire.span(), why);
            }
        }
        Some(slots)
    }

    /// The inputs of one side of a join.
    pub(crate) fn side(&self, side: Side) -> Option<(&Wire, &Shape)> {
        let mut sides = self.wires.iter().zip(self.shapes);
        sides.find(|(wire, _)| wire.read.side == Some(side))
    }
}

/// A field of a shape, or a mistake with the fields that there are.
pub(crate) fn find(shape: &Shape, field: &Field, notes: &mut Notes) -> Option<Slot> {
    let found = shape.find(&field.value);
    if found.is_none() {
        let mend = suggest(&field.value, shape.names());
        notes.add(&field.span, format!("there is no field `{}`; {mend}", field.value));
    }
    found
}

/// `(a, b)`.
fn fields(shape: &Shape) -> String {
    let names: Vec<&str> = shape.names().collect();
    format!("({})", names.join(", "))
}

fn texts(shape: &Shape) -> Vec<Slot> {
    let texts = shape.fields().enumerate().filter(|(_, (_, kind))| *kind == Kind::Text);
    texts.map(|(at, (_, kind))| Slot { at, kind }).collect()
}

/// The only text of a shape, or the field that is named. For what was checked before.
pub(crate) fn text_of(shape: &Shape, field: Option<&Field>) -> Option<Slot> {
    match field {
        Some(field) => shape.find(&field.value),
        None => texts(shape).first().copied(),
    }
}
