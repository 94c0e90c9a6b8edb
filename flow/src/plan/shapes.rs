//! What each stream has, from the spouts on.

use super::{Dealt, Inputs, Joint, Out, Planned, Wire, inputs::find};
use crate::{
    read::{
        declared::Declared,
        kinds::Field,
        notes::{Notes, Span},
        reads::Deal,
        suggest::suggest,
    },
    shape::{Kind, Shape, Slot},
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
        let Some(shapes) = shapes_of(wires, &outs, &names, notes) else { continue };
        let deals = wires.iter().zip(&shapes);
        let deals = deals.map(|(wire, shape)| dealt(&wire.read.deal, shape, notes)).collect();
        if shapes.len() < reads.len() {
            continue;
        }
        let mut inputs = Inputs {
            notes: &mut *notes,
            whose: &name.value,
            header: &name.span,
            tasks: made.settings.tasks(),
            wires,
            shapes: &shapes,
        };
        let Some(emitted) = made.part.streams(&mut inputs) else { continue };
        outs[index] = Some(emitted.clone());
        let component = Planned {
            name: name.value,
            header: name.span,
            made,
            joints: Vec::new(),
            inputs: shapes,
            outs: emitted,
        };
        planned.push(Draft { index, deals, component });
    }
    joined(planned, wires, &outs, &names, notes)
}

/// The shapes of what is read; `None` if one is not known.
fn shapes_of(
    wires: &[Wire],
    outs: &[Option<Vec<Out>>],
    names: &[String],
    notes: &mut Notes,
) -> Option<Vec<Shape>> {
    let shape = |wire: &Wire, notes: &mut Notes| {
        let outs = outs[wire.source].as_ref()?;
        stream(wire, outs, &names[wire.source], notes).map(|at| outs[at].shape.clone())
    };
    let shapes: Vec<Option<Shape>> = wires
        .iter()
        .map(|wire| if wire.read.feedback { None } else { shape(wire, notes) })
        .collect();
    // What is fed back has the shape of the rest; that is checked when it is known.
    let first = shapes.iter().flatten().next().cloned();
    let fed = wires.iter().zip(shapes).map(|(wire, shape)| match shape {
        None if wire.read.feedback => first.clone(),
        shape => shape,
    });
    fed.collect()
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
    let mut join = |Draft { index, deals, mut component }: Draft| {
        for ((wire, deal), expected) in wires[index].iter().zip(deals).zip(&component.inputs) {
            let place = places.iter().position(|place| *place == wire.source);
            let (Some(source), Some(outs)) = (place, outs[wire.source].as_ref()) else { continue };
            let Some(stream) = stream(wire, outs, &names[wire.source], notes) else { continue };
            let shape = &outs[stream].shape;
            if shape != expected {
                let why = format!(
                    "`{}` feeds back {shape}, and the other input is {expected}; bring them to \
                     one shape with `select`",
                    names[wire.source]
                );
                notes.add(wire.span(), why);
            }
            let (feedback, side) = (wire.read.feedback, wire.read.side);
            component.joints.push(Joint { source, stream, deal, feedback, side });
        }
        component
    };
    planned.into_iter().map(&mut join).collect()
}

fn dealt(deal: &Deal, shape: &Shape, notes: &mut Notes) -> Dealt {
    match deal {
        Deal::Keyless(grouping) => Dealt::Keyless(*grouping),
        Deal::By(fields) => Dealt::By(key(fields, shape, notes)),
        Deal::PartialBy(fields) => Dealt::PartialBy(key(fields, shape, notes)),
    }
}

/// The fields of a key. Floats are none: two that look alike may differ.
fn key(fields: &[Field], shape: &Shape, notes: &mut Notes) -> Vec<Slot> {
    let mut slot = |field: &Field| {
        let slot = find(shape, field, notes)?;
        if slot.kind == Kind::Float {
            let why = format!("`{}` is float, which is no key; use an int or a text", field.value);
            let span: &Span = &field.span;
            notes.add(span, why);
        }
        Some(slot)
    };
    fields.iter().filter_map(&mut slot).collect()
}
