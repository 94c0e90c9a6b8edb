//! What each stream has, from the spouts on.

use super::{Dealt, Inputs, Joint, Out, Planned, View, Wire, inputs::find, view::union};
use crate::{
    read::{
        declared::Declared, kinds::Field, notes::Notes, reads::Deal, renames::Renames,
        suggest::suggest,
    },
    shape::{Kind, Shape},
};

/// Plans the components in this order; those that do not fit, or read one that does not, are left
/// out.
pub(crate) fn plan(
    declared: Vec<Declared>,
    wires: &[Vec<Wire>],
    order: &[usize],
    notes: &mut Notes,
) -> Vec<Planned> {
    let names: Vec<String> = declared.iter().map(|d| d.name.value.clone()).collect();
    let mut declared: Vec<Option<Declared>> = declared.into_iter().map(Some).collect();
    // The streams of each component, once they are known, and where it is among the planned.
    let mut outs: Vec<Option<Vec<Out>>> = vec![None; declared.len()];
    let mut planned: Vec<Draft> = Vec::new();
    for &index in order {
        let Some(Declared { name, reads, made: Some(made), .. }) = declared[index].take() else {
            continue;
        };
        let wires = &wires[index];
        let Some(views) = views_of(wires, &outs, &names, notes) else { continue };
        let shapes: Vec<Shape> = views.iter().map(|view| view.shape().clone()).collect();
        let mut inputs = Inputs {
            notes: &mut *notes,
            whose: &name.value,
            header: &name.span,
            tasks: made.settings.tasks(),
            wires,
            shapes: &shapes,
            united: None,
        };
        let emitted = made.part.streams(&mut inputs);
        let united = inputs.united.take();
        let deals = wires.iter().zip(&shapes);
        let deals = deals.map(|(wire, shape)| {
            dealt(&wire.read.deal, shape, united.as_ref().unwrap_or(shape), notes)
        });
        let deals = deals.collect();
        let Some(emitted) = emitted.filter(|_| shapes.len() == reads.len()) else { continue };
        let brought =
            |view: &View| united.as_ref().map_or(view.clone(), |s| view.with_fields_of(s));
        let views: Vec<View> = views.iter().map(brought).collect();
        outs[index] = Some(emitted.clone());
        let component = Planned {
            name: name.value,
            header: name.span,
            made,
            joints: Vec::new(),
            inputs: views.iter().map(|view| view.shape().clone()).collect(),
            outs: emitted,
        };
        planned.push(Draft { index, deals, views, component });
    }
    joined(planned, wires, &outs, &names, notes)
}

/// How the rows of what is read are seen; `None` if one of the streams is not known.
fn views_of(
    wires: &[Wire],
    outs: &[Option<Vec<Out>>],
    names: &[String],
    notes: &mut Notes,
) -> Option<Vec<View>> {
    let shape = |wire: &Wire, notes: &mut Notes| {
        let outs = outs[wire.source].as_ref()?;
        stream(wire, outs, &names[wire.source], notes).map(|at| outs[at].shape.clone())
    };
    let known = |wire: &Wire, notes: &mut Notes| seen(wire, &shape(wire, notes)?, notes);
    let views: Vec<Option<View>> = wires
        .iter()
        .map(|wire| if wire.read.feedback { None } else { known(wire, notes) })
        .collect();
    // What is fed back has the shape of the rest; that is checked when it is known.
    let rest: Vec<Shape> = views.iter().flatten().map(|view| view.shape().clone()).collect();
    let rest = union(&rest).ok().filter(|_| !rest.is_empty());
    let fed = wires.iter().zip(views).map(|(wire, view)| match view {
        None if wire.read.feedback => rest.as_ref().map(View::whole),
        view => view,
    });
    fed.collect()
}

/// How the rows of an edge are seen, for what it reads of them.
fn seen(wire: &Wire, shape: &Shape, notes: &mut Notes) -> Option<View> {
    match &wire.read.fields {
        None => Some(View::whole(shape)),
        Some(Renames(fields)) => View::of(fields, |field| find(shape, field, notes)),
    }
}

/// Which stream of its source an edge is for.
fn stream(wire: &Wire, outs: &[Out], source: &str, notes: &mut Notes) -> Option<usize> {
    if outs.is_empty() {
        notes.add(wire.span(), format!("`{source}` emits nothing; read another component"));
        return None;
    }
    let Some(wanted) = &wire.read.stream else { return Some(0) };
    let found = outs.iter().position(|out| out.name == wanted.value);
    if found.is_none() {
        let mend = suggest(&wanted.value, outs.iter().map(|out| out.name));
        notes.add(&wanted.span, format!("`{source}` has no stream `{}`; {mend}", wanted.value));
    }
    found
}

/// A component that fits, whose edges are not there yet.
struct Draft {
    /// Where it was declared.
    index: usize,
    /// How each of its inputs is dealt.
    deals: Vec<Dealt>,
    /// How each of them is seen.
    views: Vec<View>,
    component: Planned,
}

/// Edges between the components that were planned.
fn joined(
    planned: Vec<Draft>,
    wires: &[Vec<Wire>],
    outs: &[Option<Vec<Out>>],
    names: &[String],
    notes: &mut Notes,
) -> Vec<Planned> {
    let places: Vec<usize> = planned.iter().map(|draft| draft.index).collect();
    let mut join = |Draft { index, deals, views, mut component }: Draft| {
        for ((wire, deal), mut view) in wires[index].iter().zip(deals).zip(views) {
            let place = places.iter().position(|place| *place == wire.source);
            let (Some(source), Some(outs)) = (place, outs[wire.source].as_ref()) else { continue };
            let Some(stream) = stream(wire, outs, &names[wire.source], notes) else { continue };
            let shape = &outs[stream].shape;
            if wire.read.feedback {
                let Some(fed) = seen(wire, shape, notes) else { continue };
                if fed.shape() != view.shape() {
                    let why = format!(
                        "`{}` feeds back {}, and the other input is {}; bring them to one shape \
                         with `fields`",
                        names[wire.source],
                        fed.shape(),
                        view.shape()
                    );
                    notes.add(wire.span(), why);
                }
                view = fed;
            }
            let view = Some(view).filter(|view| !view.is_whole(shape));
            let (feedback, side) = (wire.read.feedback, wire.read.side);
            component.joints.push(Joint { source, stream, deal, feedback, side, view });
        }
        component
    };
    planned.into_iter().map(&mut join).collect()
}

/// What is named must be in the rows of this shape; it is found in those of `brought`, which they
/// are brought to.
fn dealt(deal: &Deal, shape: &Shape, brought: &Shape, notes: &mut Notes) -> Dealt {
    let mut slots = |fields: &[Field]| {
        check_key(fields, shape, notes);
        fields.iter().filter_map(|field| brought.find(&field.value)).collect()
    };
    match deal {
        Deal::Keyless(grouping) => Dealt::Keyless(*grouping),
        Deal::By(fields) => Dealt::By(slots(fields)),
        Deal::PartialBy(fields) => Dealt::PartialBy(slots(fields)),
    }
}

/// The fields of a key are there. Floats are none: two that look alike may differ.
fn check_key(fields: &[Field], shape: &Shape, notes: &mut Notes) {
    for field in fields {
        if find(shape, field, notes).is_some_and(|slot| slot.kind == Kind::Float) {
            let why = format!("`{}` is float, which is no key; use an int or a text", field.value);
            notes.add(&field.span, why);
        }
    }
}
