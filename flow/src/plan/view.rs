//! Rows of one shape as rows of another: which fields, under which names, in which order.
//!
//! `select` is a view, and so is what stands after `fields` in `reads`. A bolt that reads streams
//! of several shapes, but wants one, reads a view of each: all their fields, found by their names.

use std::sync::Arc;

use tormenta::record::Value;

use crate::{
    read::renames::{Origin, Rename},
    row::Row,
    shape::{Kind, Shape, Slot},
};

/// How rows of a stream are seen.
#[derive(Debug, Clone)]
pub(crate) struct View {
    shape: Shape,
    picks: Arc<[Pick]>,
}

/// Where the value of a field comes from.
#[derive(Debug, Clone, PartialEq)]
enum Pick {
    /// From a field of the row; from an int if it is to be a float.
    Field {
        at: usize,
        as_float: bool,
    },
    Constant(Value),
}

impl View {
    /// Rows as they are.
    pub(crate) fn whole(shape: &Shape) -> Self {
        let picks = (0..shape.names().count()).map(|at| Pick::Field { at, as_float: false });
        Self { shape: shape.clone(), picks: picks.collect() }
    }

    /// These fields; `None` if one of them is not found.
    pub(crate) fn of(
        renames: &[Rename],
        mut find: impl FnMut(&crate::read::kinds::Field) -> Option<Slot>,
    ) -> Option<Self> {
        let pick = |rename: &Rename| match &rename.of {
            Origin::Text(text) => {
                Some((Kind::Text, Pick::Constant(Value::Bytes(text.clone().into()))))
            }
            Origin::Field(field) => {
                let Slot { at, kind } = find(field)?;
                Some((kind, Pick::Field { at, as_float: false }))
            }
        };
        // All are looked for, so that all that are not there are noted.
        let picks: Vec<Option<(Kind, Pick)>> = renames.iter().map(pick).collect();
        let picks: Vec<(Kind, Pick)> = picks.into_iter().collect::<Option<_>>()?;
        let names = renames.iter().map(|rename| rename.name.clone());
        let shape = Shape::new(names.zip(picks.iter().map(|(kind, _)| *kind)));
        Some(Self { shape, picks: picks.into_iter().map(|(_, pick)| pick).collect() })
    }

    /// The same rows with the fields of `wanted`, by their names. What they lack is null.
    pub(crate) fn with_fields_of(&self, wanted: &Shape) -> Self {
        let pick = |(name, kind): (&str, Kind)| match self.shape.find(name) {
            None => Pick::Constant(Value::Null),
            Some(slot) => match &self.picks[slot.at] {
                Pick::Field { at, .. } => {
                    Pick::Field { at: *at, as_float: (slot.kind, kind) == (Kind::Int, Kind::Float) }
                }
                constant => constant.clone(),
            },
        };
        Self { shape: wanted.clone(), picks: wanted.fields().map(pick).collect() }
    }

    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Whether rows of this shape are left as they are.
    pub(crate) fn is_whole(&self, shape: &Shape) -> bool {
        *shape == self.shape && *self.picks == *Self::whole(shape).picks
    }

    /// A row, so seen.
    #[inline]
    pub(crate) fn apply(&self, row: &Row) -> Row {
        let value = |pick: &Pick| match pick {
            Pick::Field { at, as_float: false } => row.at(*at).clone(),
            Pick::Field { at, as_float: true } => match row.at(*at) {
                Value::Int(number) => Value::Float(*number as f64),
                other => other.clone(),
            },
            Pick::Constant(value) => value.clone(),
        };
        Row::new(self.shape.schema(), self.picks.iter().map(value).collect())
    }
}

/// All fields of several shapes, by their names, in the order in which they come.
///
/// # Errors
/// When a field has kinds that do not go together: which shape, the field, and its two kinds.
pub(crate) fn union(shapes: &[Shape]) -> Result<Shape, (usize, String, [Kind; 2])> {
    let mut fields: Vec<(String, Kind)> = Vec::new();
    for (index, shape) in shapes.iter().enumerate() {
        for (name, kind) in shape.fields() {
            let Some((_, known)) = fields.iter_mut().find(|(other, _)| other == name) else {
                fields.push((name.to_owned(), kind));
                continue;
            };
            *known = both(*known, kind).ok_or_else(|| (index, name.to_owned(), [*known, kind]))?;
        }
    }
    Ok(Shape::new(fields))
}

/// The kind of what is of either kind.
fn both(a: Kind, b: Kind) -> Option<Kind> {
    match (a, b) {
        _ if a == b => Some(a),
        (Kind::Any, _) | (_, Kind::Any) => Some(Kind::Any),
        (Kind::Int, Kind::Float) | (Kind::Float, Kind::Int) => Some(Kind::Float),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;
    use crate::read::notes::At;

    fn rename(name: &str, of: &str) -> Rename {
        Rename { name: name.to_owned(), of: Origin::Field(At { value: of.to_owned(), span: 0..0 }) }
    }

    #[test]
    fn fields_are_picked_renamed_and_made() {
        let shape = Shape::of([("a", Kind::Text), ("n", Kind::Int)]);
        let text = Rename { name: "what".to_owned(), of: Origin::Text("x".to_owned()) };
        let renames = [rename("m", "n"), text, rename("n", "n")];
        let view = View::of(&renames, |field| shape.find(&field.value)).expect("there");
        assert_eq!(view.shape().to_string(), "Row(m: int, what: text, n: int)");
        let wanted = Shape::of([("x", Kind::Any), ("n", Kind::Float)]);
        let row = Row::new(shape.schema(), vec!["storm".into(), 7.into()]);
        let m = view.apply(&row);
        assert_eq!(m.values(), [7.into(), Value::from(&b"x"[..]), 7.into()]);
        let n = view.with_fields_of(&wanted).apply(&row);
        assert_eq!(n.values(), [Value::Null, 7.0.into()]);
        assert!(View::of(&[rename("b", "b")], |field| shape.find(&field.value)).is_none());
    }

    #[test]
    fn kinds_that_do_not_go_together_are_told() {
        let int = Shape::of([("n", Kind::Int)]);
        let float = Shape::of([("n", Kind::Float)]);
        let text = Shape::of([("n", Kind::Text)]);
        let both = union(&[int.clone(), float.clone()]).expect("numbers");
        assert_eq!(both.to_string(), "Row(n: float)");
        let refused = union(&[int, float, text]).expect_err("a text");
        assert_eq!(refused, (2, "n".to_owned(), [Kind::Float, Kind::Text]));
    }

    quickcheck! {
        /// Whatever two rows are, each is found in the union by its names, and null where not.
        fn a_union_has_all_fields_once(left: Vec<u8>, right: Vec<u8>) -> bool {
            let fields = |of: &[u8]| {
                Shape::new(of.iter().map(|n| (format!("f{}", n % 8), Kind::Int)))
            };
            let (left, right) = (fields(&left), fields(&right));
            let Ok(all) = union(&[left.clone(), right.clone()]) else { return false };
            [&left, &right].into_iter().all(|shape| {
                let values = (0..shape.names().count()).map(Value::from).collect();
                let row = Row::new(shape.schema(), values);
                let seen = View::whole(shape).with_fields_of(&all).apply(&row);
                all.names().all(|name| match shape.find(name) {
                    Some(slot) => seen.get(name) == Some(&Value::from(slot.at)),
                    None => seen.get(name) == Some(&Value::Null),
                })
            }) && View::whole(&left).is_whole(&left)
        }
    }
}
