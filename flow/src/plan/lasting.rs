//! What is read once and for all must not end in a file that each run begins anew.
//!
//! A source with a checkpoint reads a line in one run only. If what comes of it is written to a
//! file that the next run replaces, the lines of this run are nowhere then, and nobody was told.

use super::Planned;
use crate::read::notes::Notes;

/// Notes every file that begins anew behind a source that goes on.
pub(super) fn check(planned: &[Planned], notes: &mut Notes) {
    for (index, sink) in planned.iter().enumerate() {
        if !sink.made.part.begins_anew() {
            continue;
        }
        let Some(source) = source_that_goes_on(planned, index) else { continue };
        let (sink_type, source_type) = (sink.made.doc.name, source.made.doc.name);
        notes.add(
            &sink.header,
            format!(
                "each run begins the file of a `{sink_type}` anew, and `{}` ({source_type}) goes \
                 on from its checkpoint, so that what earlier runs have written would be lost; use \
                 `json-file` or `csv-file`, which go on too, or leave `checkpoint` out",
                source.name
            ),
        );
    }
}

/// The first source before a component that reads nothing twice.
fn source_that_goes_on(planned: &[Planned], sink: usize) -> Option<&Planned> {
    let (mut seen, mut next) = (vec![false; planned.len()], vec![sink]);
    while let Some(index) = next.pop() {
        if std::mem::replace(&mut seen[index], true) {
            continue;
        }
        let component = &planned[index];
        if component.made.part.goes_on() {
            return Some(component);
        }
        next.extend(component.joints.iter().map(|joint| joint.source));
    }
    None
}
