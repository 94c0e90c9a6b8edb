//! Names become edges.

use crate::read::{
    declared::Declared,
    notes::{Notes, Span},
    reads::Read,
    suggest::suggest,
};

/// An edge whose source was found, as far as its name goes.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    /// Index of the component that emits.
    pub(crate) source: usize,
    pub(crate) read: Read,
}

impl Wire {
    /// Where its source is named.
    pub(crate) fn span(&self) -> &Span {
        &self.read.component.span
    }
}

/// The edges of each component. Those that lead nowhere are noted and left out.
pub(crate) fn wires(declared: &[Declared], notes: &mut Notes) -> Vec<Vec<Wire>> {
    let wire = |reader: &Declared, read: &Read, notes: &mut Notes| {
        let wanted = &read.component;
        let source = declared.iter().position(|source| source.name.value == wanted.value);
        if source.is_none() {
            let names = declared.iter().filter(|source| source.name.value != reader.name.value);
            let mend = suggest(&wanted.value, names.map(|source| source.name.value.as_str()));
            let reader = &reader.name.value;
            let why = format!("`{reader}` reads `{}`, which nobody declares; {mend}", wanted.value);
            notes.add(&wanted.span, why);
        }
        Some(Wire { source: source?, read: read.clone() })
    };
    let mut of = |reader: &Declared| {
        reader.reads.iter().filter_map(|read| wire(reader, read, notes)).collect()
    };
    declared.iter().map(&mut of).collect()
}

/// The components in an order in which every edge but feedback leads forward. Those in a loop that
/// is not closed by feedback, and those behind it, are left out.
pub(crate) fn order(declared: &[Declared], wires: &[Vec<Wire>], notes: &mut Notes) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    let mut rest: Vec<usize> = (0..declared.len()).collect();
    loop {
        let is_ready = |index: &usize| forward(&wires[*index]).all(|w| order.contains(&w.source));
        let (ready, later): (Vec<usize>, Vec<usize>) = rest.iter().partition(|i| is_ready(i));
        if ready.is_empty() {
            break;
        }
        order.extend(ready);
        rest = later;
    }
    while let Some(start) = rest.first().copied() {
        let around = find_loop(start, &rest, wires);
        if let Some(back) = leads_back(&around, wires) {
            note_loop(&around, back, declared, notes);
        }
        // What else is in or behind this loop is told when this one is mended.
        let reached = reachable(&around, &rest, wires);
        rest.retain(|index| !reached.contains(index) && !around.contains(index));
        if around.is_empty() {
            break;
        }
    }
    order
}

fn forward(wires: &[Wire]) -> impl Iterator<Item = &Wire> {
    wires.iter().filter(|wire| !wire.read.feedback)
}

/// Walks against the edges until it comes to a place again. All of `rest` read one of `rest`.
fn find_loop(start: usize, rest: &[usize], wires: &[Vec<Wire>]) -> Vec<usize> {
    let mut path = vec![start];
    while let Some(at) = path.last().copied() {
        let next = forward(&wires[at]).map(|wire| wire.source).find(|s| rest.contains(s));
        let Some(next) = next else { break };
        if let Some(begin) = path.iter().position(|index| *index == next) {
            return path.split_off(begin);
        }
        path.push(next);
    }
    Vec::new()
}

/// The edge of a loop that leads back in the text: its reader is declared first.
fn leads_back<'a>(around: &[usize], wires: &'a [Vec<Wire>]) -> Option<&'a Wire> {
    let first = around.iter().min()?;
    forward(&wires[*first]).find(|wire| around.contains(&wire.source))
}

fn note_loop(around: &[usize], back: &Wire, declared: &[Declared], notes: &mut Notes) {
    let name = |index: &usize| format!("`{}`", declared[*index].name.value);
    let mut names: Vec<String> = around.iter().map(name).collect();
    names.extend(names.first().cloned());
    let why = format!(
        "a loop: {}; mark the edge that leads back with `feedback = true`",
        names.join(", which reads ").replacen(", which", "", 1)
    );
    notes.add(back.span(), why);
}

/// Those of `rest` that read one of these, at however many removes.
fn reachable(from: &[usize], rest: &[usize], wires: &[Vec<Wire>]) -> Vec<usize> {
    let mut reached = from.to_vec();
    loop {
        let reads = |index: &&usize| forward(&wires[**index]).any(|w| reached.contains(&w.source));
        let new = rest.iter().find(|index| !reached.contains(index) && reads(index)).copied();
        match new {
            Some(new) => reached.push(new),
            None => return reached,
        }
    }
}
