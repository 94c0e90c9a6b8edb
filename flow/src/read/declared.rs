//! What a flow declares: its name and its components, each by itself.

use super::{
    document::{Entry, Item, Node, Table},
    notes::{At, Notes, Span},
    params::{ComponentDoc, Params, Reader, Role},
    reads::{self, READS, Read},
    settings::{BoltSettings, Settings, SpoutSettings},
    suggest::suggest,
};
use crate::{
    plan::Part,
    registry::{Found, Registry},
};

/// A spout or a bolt, as it was declared.
pub(crate) struct Declared {
    pub(crate) name: At<String>,
    pub(crate) role: Role,
    pub(crate) reads: Vec<Read>,
    /// `None` where something is so wrong that it cannot be made.
    pub(crate) made: Option<Made>,
}

/// What is known of a component whose type is.
pub(crate) struct Made {
    pub(crate) doc: &'static ComponentDoc,
    pub(crate) settings: Settings,
    pub(crate) part: Box<dyn Part>,
}

/// Tables of a flow, with the role of what stands in them.
const TABLES: [Role; 2] = [Role::Spout, Role::Bolt];

/// Reads the whole of a flow.
pub(crate) fn read(
    mut table: Table,
    default_name: &str,
    registry: &Registry,
    notes: &mut Notes,
) -> (String, Vec<Declared>) {
    let name = read_name(table.take("name"), default_name, notes);
    let mut declared = Vec::new();
    for role in TABLES {
        let Some(entry) = table.take(role.table()) else { continue };
        let Item::Table(components) = entry.node.value else {
            let why = format!("`{0}` is no table; write `[{0}.name]`", role.table());
            notes.add(&entry.name.span, why);
            continue;
        };
        declared
            .extend(components.0.into_iter().map(|entry| component(entry, role, registry, notes)));
    }
    for entry in table.0 {
        let mend = suggest(&entry.name.value, ["name", "spouts", "bolts"]);
        let what = if matches!(entry.node.value, Item::Table(_)) { "table" } else { "key" };
        notes.add(&entry.name.span, format!("unknown {what} `{}`; {mend}", entry.name.value));
    }
    declared.sort_by_key(|component| component.name.span.start);
    check_names(&declared, notes);
    (name, declared)
}

fn read_name(entry: Option<Entry>, default: &str, notes: &mut Notes) -> String {
    let Some(Entry { node: Node { value, span }, .. }) = entry else {
        let tame = |c: char| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '-' };
        let name: String = default.chars().take(64).map(tame).collect();
        return if name.trim_matches('-').is_empty() { "flow".to_owned() } else { name };
    };
    match value {
        Item::Text(name, _) => {
            check_name(&name, &span, notes);
            name
        }
        other => {
            notes.add(&span, format!("the name is {}; write a text", other.kind()));
            default.to_owned()
        }
    }
}

fn check_name(name: &str, span: &Span, notes: &mut Notes) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let why = if name.is_empty() {
        "the name is empty; write one".to_owned()
    } else if name.len() > 100 {
        format!("a name of {} bytes; at most 100", name.len())
    } else if name.starts_with("__") {
        format!("`{name}` begins with `__`, which is for the engine; write another name")
    } else if !name.chars().all(allowed) {
        format!("`{name}` is no good name; use ASCII letters, digits, `-` and `_`")
    } else {
        return;
    };
    notes.add(span, why);
}

fn check_names(declared: &[Declared], notes: &mut Notes) {
    for (index, component) in declared.iter().enumerate() {
        let name = &component.name;
        check_name(&name.value, &name.span, notes);
        if declared[..index].iter().any(|other| other.name.value == name.value) {
            let why = format!("two components are called `{}`; rename one", name.value);
            notes.add(&name.span, why);
        }
    }
    if !declared.iter().any(|component| component.role == Role::Spout) {
        let why =
            "the flow has no spout; add one, such as `[spouts.lines]` with `type = \"lines\"`";
        notes.add(&(0..0), why);
    }
}

fn component(entry: Entry, role: Role, registry: &Registry, notes: &mut Notes) -> Declared {
    let Entry { name, node } = entry;
    let mut declared = Declared { name, role, reads: Vec::new(), made: None };
    let (shown, table_name) = (&declared.name.value, role.table());
    let Item::Table(mut table) = node.value else {
        let why = format!("`{shown}` is no table; write `[{table_name}.{shown}]`");
        notes.add(&declared.name.span, why);
        return declared;
    };
    let whose = format!("`{shown}`");
    if role == Role::Spout
        && let Some(entry) = table.take(READS.name)
    {
        let why = format!("{whose} is a spout, and those read nothing; declare `[bolts.{shown}]`");
        notes.add(&entry.name.span, why);
    }
    let reads = (role == Role::Bolt).then(|| table.take(READS.name));
    match reads {
        None => {}
        Some(Some(entry)) => declared.reads = reads::read(&entry.node, &whose, notes),
        Some(None) => {
            let why = format!("{whose} reads nothing; add `reads = \"..\"` with a component");
            notes.add(&declared.name.span, why);
        }
    }
    let Some(found) = registered(table.take("type"), role, &declared.name, registry, notes) else {
        return declared;
    };
    let header = declared.name.span.clone();
    let mut reader = Reader { table: &mut table, notes, header, whose };
    // A parameter of the component's own goes before a setting of the same name.
    let part = found.read(&mut reader);
    let settings = match role {
        Role::Spout => SpoutSettings::read(&mut reader).map(Settings::Spout),
        Role::Bolt => BoltSettings::read(&mut reader).map(Settings::Bolt),
    };
    reader.refuse_rest(&known(found.doc(), role));
    declared.made =
        part.zip(settings).map(|(part, settings)| Made { doc: found.doc(), settings, part });
    declared
}

/// The component that `type` names.
fn registered<'a>(
    entry: Option<Entry>,
    role: Role,
    name: &At<String>,
    registry: &'a Registry,
    notes: &mut Notes,
) -> Option<Found<'a>> {
    let shown = &name.value;
    let Some(Entry { node: Node { value, span }, .. }) = entry else {
        let why = format!("`{shown}` has no `type`; `tormenta components` lists them");
        notes.add(&name.span, why);
        return None;
    };
    let Item::Text(wanted, _) = &value else {
        let why = format!("the type of `{shown}` is {}; write a text", value.kind());
        notes.add(&span, why);
        return None;
    };
    if let Some(found) = registry.find(wanted, role) {
        return Some(found);
    }
    let word = role.word();
    let other = TABLES.into_iter().find(|other| registry.find(wanted, *other).is_some());
    let why = match other {
        Some(other) => {
            format!("`{wanted}` is a {}; declare it as `[{}.{shown}]`", other.word(), other.table())
        }
        None => format!("unknown {word} `{wanted}`; {}", suggest(wanted, registry.names(role))),
    };
    notes.add(&span, why);
    None
}

/// All that may stand in the table of a component.
fn known(doc: &ComponentDoc, role: Role) -> Vec<&'static str> {
    let (settings, own): (_, &[&str]) = match role {
        Role::Spout => (SpoutSettings::DOC, &["type"]),
        Role::Bolt => (BoltSettings::DOC, &["type", READS.name]),
    };
    let params = doc.params.iter().chain(settings.params).map(|param| param.name);
    params.chain(own.iter().copied()).collect()
}
