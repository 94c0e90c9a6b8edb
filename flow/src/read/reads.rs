//! What a bolt reads: streams, and how their tuples are dealt over its tasks.

use super::{
    document::{Entry, Item, Node, Table},
    kinds::{Field, Fields},
    notes::{At, Notes, Span},
    params::{ComponentDoc, Need, ParamDoc, Params, Reader, choice, component},
    renames::Renames,
};

/// What a bolt reads, as the command line and the docs show it.
pub(crate) const READS: ParamDoc = ParamDoc {
    name: "reads",
    about: " The streams to read: names of components, or tables as below.\n",
    kind: "the name of a component, or `{ from = \"..\", by = \"..\" }`, or a list of these",
    need: Need::Required,
    example: "{ from = \"parse\", by = \"url\" }",
};

component! {
    /// What stands in a table of `reads`.
    ReadTable: bolt "reads", "";

    /// A component, or one of its streams, as in `parse.rejected`.
    from: Field, required, "\"parse\"";
    /// The fields to read, under the names that they have from here on, as in `select`; all of them
    /// unless set. A text such as `'order'` may say which stream a row came from.
    fields: Option<Renames>, optional, "[\"id = order_id\", \"amount\", \"kind = 'paid'\"]";
    /// Fields whose equal values go to the same task.
    by: Option<Fields>, optional, "\"url\"";
    /// The same, but to one of two tasks, for keys that are very unequal.
    partial_by: Option<Fields>, optional, "\"url\"";
    /// How tuples are dealt where no key says so.
    grouping: Option<Grouping>, optional, "\"shuffle\"";
    /// Whether this edge leads back: it closes a loop.
    feedback: bool, or "false", "true";
    /// What the bolt takes it for: a `join` has a `left` and a `right` side.
    side: Option<Side>, optional, "\"left\"";
}

choice! {
    /// How tuples are dealt over tasks.
    Grouping {
        Shuffle = "shuffle",
        LocalOrShuffle = "local_or_shuffle",
        None = "none",
        All = "all",
        Global = "global",
    }
}

choice! {
    /// The sides of a join.
    Side {
        Left = "left",
        Right = "right",
    }
}

/// A stream, and how its tuples are dealt.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    /// The component, and its stream if that is named.
    pub(crate) component: At<String>,
    pub(crate) stream: Option<At<String>>,
    /// The fields that are read; all of them unless there are any.
    pub(crate) fields: Option<Renames>,
    pub(crate) deal: Deal,
    pub(crate) feedback: bool,
    pub(crate) side: Option<Side>,
}

/// How tuples are dealt, and by which fields.
#[derive(Debug, Clone)]
pub(crate) enum Deal {
    Keyless(Grouping),
    By(Vec<Field>),
    PartialBy(Vec<Field>),
}

/// All that a bolt reads. What is wrong is noted and left out.
pub(crate) fn read(node: &Node, whose: &str, notes: &mut Notes) -> Vec<Read> {
    match &node.value {
        Item::List(items) if !items.is_empty() => {
            items.iter().filter_map(|item| read_one(item, whose, notes)).collect()
        }
        Item::List(_) => {
            notes.add(&node.span, format!("{whose} reads nothing; name a component in the list"));
            Vec::new()
        }
        _ => read_one(node, whose, notes).into_iter().collect(),
    }
}

fn read_one(node: &Node, whose: &str, notes: &mut Notes) -> Option<Read> {
    match &node.value {
        Item::Text(text, _) => {
            let from = At { value: text.clone(), span: node.span.clone() };
            let deal = Deal::Keyless(Grouping::Shuffle);
            Some(Read::of(from, None, deal, false, None))
        }
        Item::Table(table) => {
            let mut table: Table = table.clone();
            let whose = format!("`reads` of {whose}");
            refuse_fields_grouping(&mut table, notes);
            let mut reader = Reader { table: &mut table, notes, header: node.span.clone(), whose };
            let read = ReadTable::read(&mut reader);
            reader.refuse_rest(&names(ReadTable::DOC));
            let ReadTable { from, fields, by, partial_by, grouping, feedback, side } = read?;
            let deals = [
                by.map(|fields| Deal::By(fields.0)),
                partial_by.map(|fields| Deal::PartialBy(fields.0)),
                grouping.map(Deal::Keyless),
            ];
            let mut deals = deals.into_iter().flatten();
            let deal = deals.next().unwrap_or(Deal::Keyless(Grouping::Shuffle));
            if deals.next().is_some() {
                let why = "`by`, `partial_by` and `grouping` exclude each other; keep one of them";
                notes.add(&node.span, why);
            }
            Some(Read::of(from, fields, deal, feedback, side))
        }
        other => {
            let why = format!(
                "{whose} reads {}; write {}, such as `reads = {}`",
                other.kind(),
                READS.kind,
                READS.example
            );
            notes.add(&node.span, why);
            None
        }
    }
}

/// Storm's fields grouping has a word of its own here.
fn refuse_fields_grouping(table: &mut Table, notes: &mut Notes) {
    let is_it = |entry: &Entry| {
        let word = matches!(&entry.node.value, Item::Text(word, _) if word == "fields");
        entry.name.value == "grouping" && word
    };
    if table.0.iter().any(is_it)
        && let Some(entry) = table.take("grouping")
    {
        let why = "a grouping by fields is written with their names: `by = [\"..\"]`";
        notes.add(&entry.node.span, why);
    }
}

impl Read {
    /// `parse.rejected` is a stream of a component.
    fn of(
        from: Field,
        fields: Option<Renames>,
        deal: Deal,
        feedback: bool,
        side: Option<Side>,
    ) -> Self {
        let stream = from.value.split_once('.').map(|(_, stream)| stream.to_owned());
        let component = from.value.split('.').next().unwrap_or_default().to_owned();
        let at = |value: String, span: &Span| At { value, span: span.clone() };
        Self {
            component: at(component, &from.span),
            stream: stream.map(|stream| at(stream, &from.span)),
            fields,
            deal,
            feedback,
            side,
        }
    }

    /// What is read, as the flow names it.
    pub(crate) fn source(&self) -> String {
        match &self.stream {
            None => self.component.value.clone(),
            Some(stream) => format!("{}.{}", self.component.value, stream.value),
        }
    }
}

/// The names of the parameters.
pub(crate) fn names(doc: &ComponentDoc) -> Vec<&'static str> {
    doc.params.iter().map(|param| param.name).collect()
}
