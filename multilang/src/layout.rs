//! The topology around a child: which tasks there are, who reads its streams, and where it may
//! emit directly. Pure: all of it stands in the plan.
//!
//! Children know a task by its id, which is its number plus one: Storm counts from one, and to emit
//! to task 0 is no direct emit.

use serde_json::{Map, Value as Json, json};
use tormenta_dsl::{Context, Plan, grouping::Kind};

/// Ids that a message lists at most.
const LISTED_MAX: usize = 16;

/// The id of the task with this number.
pub(crate) fn id_of(number: usize) -> usize {
    number + 1
}

/// The topology, as a task of it sees it.
#[derive(Clone, Copy)]
pub(crate) struct Layout<'a> {
    plan: Option<&'a Plan>,
    component: &'a str,
    task: usize,
    tasks: usize,
}

/// Where tuples come from: the component and its stream.
pub(crate) struct From<'a> {
    pub(crate) component: &'a str,
    pub(crate) stream: &'a str,
}

impl<'a> Layout<'a> {
    pub(crate) fn of(cx: &'a Context) -> Self {
        let (component, task, tasks) = (cx.component(), cx.task(), cx.tasks());
        Self { plan: cx.plan(), component, task, tasks }
    }

    /// The component itself, and its place in the plan.
    fn own(&self) -> Option<(&'a Plan, usize)> {
        let plan = self.plan?;
        Some((plan, plan.component(self.component)?))
    }

    /// The id of the task itself.
    pub(crate) fn own_id(&self) -> usize {
        let number = self.own().and_then(|(plan, own)| plan.number_of(own, self.task));
        id_of(number.unwrap_or(self.task))
    }

    /// The component of each id. Those of the component itself, where there is no plan.
    pub(crate) fn tasks(&self) -> Map<String, Json> {
        let Some(plan) = self.plan else {
            return (1..=self.tasks).map(|id| (id.to_string(), self.component.into())).collect();
        };
        let each = plan.components.iter().flat_map(|component| {
            std::iter::repeat_n(Json::from(&*component.name), component.settings.tasks)
        });
        each.enumerate().map(|(number, name)| (id_of(number).to_string(), name)).collect()
    }

    /// The readers of a stream of the child, each with its grouping.
    pub(crate) fn readers(&self, port: usize) -> Map<String, Json> {
        let Some((plan, own)) = self.own() else { return Map::new() };
        let edges = plan.edges.iter().filter(|edge| edge.source == own && edge.port == port);
        let reader = |target: usize| plan.components[target].name.to_string();
        edges.map(|edge| (reader(edge.target), grouping(edge.grouping))).collect()
    }

    /// The first task of a component; 0 where there is no such component.
    pub(crate) fn first_task(&self, component: &str) -> usize {
        let number = self.plan.and_then(|plan| plan.number_of(plan.component(component)?, 0));
        number.map_or(0, id_of)
    }

    /// Where all tuples of a bolt come from, if it reads one stream.
    pub(crate) fn lone_source(&self) -> Option<From<'a>> {
        let (plan, own) = self.own()?;
        let mut sources = plan.edges.iter().filter(|edge| edge.target == own);
        let edge = sources.next()?;
        if !sources.all(|other| (other.source, other.port) == (edge.source, edge.port)) {
            return None;
        }
        let component = &plan.components[edge.source];
        let stream = component.ports.get(edge.port).map_or("default", |port| port.name);
        Some(From { component: &component.name, stream })
    }

    /// The groupings by which the bolt reads a component.
    pub(crate) fn grouping_from(&self, component: &str) -> Json {
        let kind = self.own().and_then(|(plan, own)| {
            let source = plan.component(component)?;
            let edge = plan.edges.iter().find(|edge| edge.target == own && edge.source == source);
            edge.map(|edge| edge.grouping)
        });
        grouping(kind.unwrap_or(Kind::None))
    }

    /// The number of the task with this id, if it reads a stream of the child by a direct grouping.
    /// Says what would be right, if it does not.
    pub(crate) fn direct(&self, port: usize, stream: &str, id: i64) -> Result<usize, String> {
        let what = format!("it emits to task {id} alone on stream `{stream}`");
        let Some((plan, own)) = self.own() else {
            return Err(format!("{what}, and there is no topology around it"));
        };
        let number = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
        let Some((number, (target, _))) = number.and_then(|n| Some((n, plan.task(n)?))) else {
            let count: usize = plan.components.iter().map(|c| c.settings.tasks).sum();
            return Err(format!("{what}, but tasks are 1 to {count}{}", self.right(port)));
        };
        let of = &plan.components[target].name;
        let reads = || {
            let of_port = |edge: &&_| edge_is(edge, own, port, target);
            plan.edges.iter().filter(of_port)
        };
        if reads().any(|edge| edge.grouping == Kind::Direct) {
            return Ok(number);
        }
        let how = match reads().next() {
            Some(edge) => format!("reads it by `{}`", edge.grouping),
            None => "does not read it".to_owned(),
        };
        Err(format!("{what}, but `{of}`, which that is a task of, {how}{}", self.right(port)))
    }

    /// What would be right instead.
    fn right(&self, port: usize) -> String {
        let Some((plan, own)) = self.own() else { return String::new() };
        let direct = plan.edges.iter().filter(|edge| {
            edge.source == own && edge.port == port && edge.grouping == Kind::Direct
        });
        let targets: Vec<usize> = direct.map(|edge| edge.target).collect();
        let ids = |target: usize| {
            let tasks = 0..plan.components[target].settings.tasks;
            tasks.filter_map(move |task| plan.number_of(target, task)).map(id_of)
        };
        let ids: Vec<String> =
            targets.iter().flat_map(|target| ids(*target)).map(|id| id.to_string()).collect();
        match ids.len() {
            0 => "; nobody reads it by `direct`: group it so, or emit to no task".to_owned(),
            1..=LISTED_MAX => format!("; tasks that read it by `direct`: {}", ids.join(", ")),
            _ => format!("; tasks that read it by `direct`: {}, ..", ids[..LISTED_MAX].join(", ")),
        }
    }
}

fn edge_is(edge: &tormenta_dsl::plan::PlanEdge, own: usize, port: usize, target: usize) -> bool {
    (edge.source, edge.port, edge.target) == (own, port, target)
}

/// A grouping in Storm's words, of which some are surprising: to group globally is to group by no
/// field. Which fields a key is made of is code here, so they are not told.
fn grouping(kind: Kind) -> Json {
    match kind {
        Kind::Shuffle => json!({ "type": "SHUFFLE" }),
        Kind::None => json!({ "type": "NONE" }),
        Kind::LocalOrShuffle => json!({ "type": "LOCAL_OR_SHUFFLE" }),
        Kind::By => json!({ "type": "FIELDS" }),
        Kind::All => json!({ "type": "ALL" }),
        Kind::Global => json!({ "type": "FIELDS", "fields": [] }),
        Kind::Direct => json!({ "type": "DIRECT" }),
        Kind::PartialBy | Kind::Custom => json!({ "type": "CUSTOM_SERIALIZED" }),
    }
}

#[cfg(test)]
mod tests {
    use tormenta_dsl::{
        Topology,
        doc::{Count, NoEngine, Words},
    };

    use super::*;

    /// Words in two tasks, read by shuffle, by `direct` in three tasks, and by key.
    fn plan() -> Plan {
        let mut t = Topology::<NoEngine>::new("layout");
        let words = t.spout("words", Words).tasks(2);
        t.bolt("shuffled", Count::default(), words.shuffle());
        t.bolt("direct", Count::default(), words.direct()).tasks(3);
        let other = t.spout("other", Words);
        t.bolt("elsewhere", Count::default(), other.direct());
        t.into_parts().expect("a sound topology").0
    }

    fn layout<'a>(plan: &'a Plan, component: &'a str) -> Layout<'a> {
        Layout { plan: Some(plan), component, task: 1, tasks: 2 }
    }

    #[test]
    fn tasks_have_the_ids_of_the_whole_topology() {
        let plan = plan();
        let layout = layout(&plan, "words");
        let tasks = layout.tasks();
        let names: Vec<&str> =
            (1..=8).filter_map(|id: usize| tasks[&id.to_string()].as_str()).collect();
        let expected = ["words", "words", "shuffled", "direct", "direct", "direct", "other"];
        assert_eq!(names[..7], expected);
        assert_eq!((names[7], tasks.len()), ("elsewhere", 8));
        assert_eq!((layout.own_id(), layout.first_task("direct")), (2, 4));
        let readers = json!({ "shuffled": { "type": "SHUFFLE" }, "direct": { "type": "DIRECT" } });
        assert_eq!(Json::Object(layout.readers(0)), readers);
    }

    #[test]
    fn a_direct_emit_reaches_direct_readers_and_nobody_else() {
        let plan = plan();
        let direct = |component, id| layout(&plan, component).direct(0, "default", id);
        assert_eq!((direct("words", 4), direct("words", 6)), (Ok(3), Ok(5)));
        let right = "; tasks that read it by `direct`: 4, 5, 6";
        for (id, why) in [
            (3, "but `shuffled`, which that is a task of, reads it by `shuffle`"),
            (8, "but `elsewhere`, which that is a task of, does not read it"),
            (9, "but tasks are 1 to 8"),
            (-1, "but tasks are 1 to 8"),
            (i64::MAX, "but tasks are 1 to 8"),
        ] {
            let told = format!("it emits to task {id} alone on stream `default`, {why}{right}");
            assert_eq!(direct("words", id), Err(told));
        }
        let nobody = layout(&plan, "shuffled").direct(0, "default", 4).expect_err("unread");
        assert!(nobody.ends_with("; nobody reads it by `direct`: group it so, or emit to no task"));
    }

    #[test]
    fn a_bolt_of_one_source_knows_it() {
        let plan = plan();
        let from = layout(&plan, "direct").lone_source().expect("it reads one stream");
        assert_eq!((from.component, from.stream), ("words", "default"));
        let layout = layout(&plan, "elsewhere");
        assert_eq!(layout.grouping_from("other"), json!({ "type": "DIRECT" }));
        assert_eq!(layout.grouping_from("nobody"), json!({ "type": "NONE" }));
    }
}
