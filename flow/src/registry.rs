//! All components, by name.

use crate::{
    parts::{
        count, filter, join, json, lines, numbers, select, shell, sinks, split, tables, thin, time,
        top, window,
    },
    read::{
        params::{ComponentDoc, Params, Role},
        reads::{READS, ReadTable},
        settings::{BoltSettings, SpoutSettings},
    },
};

pub(crate) use crate::read::params::Entry;

/// In the order in which people meet them: what comes in, what is done with it, what goes out.
const REGISTRY: &[Entry] = &[
    Entry::of::<lines::Lines>(),
    Entry::of::<lines::Tail>(),
    Entry::of::<tables::Csv>(),
    Entry::of::<tables::JsonLines>(),
    Entry::of::<lines::TcpLines>(),
    Entry::of::<lines::UdpLines>(),
    Entry::of::<lines::Http>(),
    Entry::of::<numbers::Timer>(),
    Entry::of::<numbers::Sequence>(),
    Entry::of::<shell::ShellSpout>(),
    Entry::of::<split::Split>(),
    Entry::of::<split::ParseFields>(),
    Entry::of::<json::ParseJson>(),
    Entry::of::<time::ParseTime>(),
    Entry::of::<filter::Filter>(),
    Entry::of::<select::Select>(),
    Entry::of::<select::Map>(),
    Entry::of::<thin::Dedup>(),
    Entry::of::<thin::Sample>(),
    Entry::of::<thin::RateLimit>(),
    Entry::of::<count::Count>(),
    Entry::of::<top::TopN>(),
    Entry::of::<window::Window>(),
    Entry::of::<join::Join>(),
    Entry::of::<shell::ShellBolt>(),
    Entry::of::<sinks::Print>(),
    Entry::of::<sinks::LineFile>(),
    Entry::of::<sinks::JsonFile>(),
    Entry::of::<sinks::CsvFile>(),
    Entry::of::<sinks::HttpPost>(),
];

/// The component of this name.
pub(crate) fn find(name: &str, role: Role) -> Option<Entry> {
    REGISTRY.iter().find(|entry| entry.doc.name == name && entry.doc.role == role).copied()
}

/// The names of all spouts or of all bolts.
pub(crate) fn names(role: Role) -> impl Iterator<Item = &'static str> {
    REGISTRY.iter().map(|entry| entry.doc).filter(move |doc| doc.role == role).map(|doc| doc.name)
}

/// All components, spouts first.
///
/// ```
/// assert!(tormenta_flow::components().any(|component| component.name == "tail"));
/// ```
pub fn components() -> impl Iterator<Item = &'static ComponentDoc> {
    REGISTRY.iter().map(|entry| entry.doc)
}

/// The component of this name, the spout if there is a bolt too.
///
/// ```
/// assert!(tormenta_flow::component("tial").is_none());
/// ```
#[must_use]
pub fn component(name: &str) -> Option<&'static ComponentDoc> {
    components().find(|doc| doc.name == name)
}

/// What may stand beside the parameters of any component: for spouts, for bolts, and in `reads`.
///
/// ```
/// assert_eq!(tormenta_flow::settings()[0].params[0].name, "tasks");
/// ```
#[must_use]
pub fn settings() -> [&'static ComponentDoc; 3] {
    [SpoutSettings::DOC, BoltSettings::DOC, ReadTable::DOC]
}

/// What every bolt reads.
///
/// ```
/// assert_eq!(tormenta_flow::reads().name, "reads");
/// ```
#[must_use]
pub fn reads() -> crate::ParamDoc {
    READS
}
