//! The validated graph: what a topology is once all its mistakes are out.

pub(crate) mod json;
mod print;
mod validate;

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;

pub use validate::{PlanError, PlanErrors};

use crate::{Settings, Source, grouping::Kind, streams::PortInfo};

/// A sound topology: names are unique, every edge has two ends, every loop is declared.
///
/// It prints itself as a tree (`Display`), as JSON ([`to_json`](Plan::to_json)) and for Graphviz
/// ([`to_dot`](Plan::to_dot)).
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// Name of the topology.
    pub name: String,
    /// Settings of the topology.
    pub config: BTreeMap<String, String>,
    /// Spouts and bolts in the order of their declaration.
    pub components: Vec<PlanComponent>,
    /// Edges in the order of their declaration.
    pub edges: Vec<PlanEdge>,
}

/// A spout or a bolt.
#[derive(Debug, Clone, Serialize)]
pub struct PlanComponent {
    /// Unique name.
    pub name: Arc<str>,
    /// Which of the two.
    pub kind: ComponentKind,
    /// The Rust type.
    pub type_name: &'static str,
    /// Its streams.
    pub ports: Vec<PlanPort>,
    /// Its settings.
    pub settings: Settings,
}

/// A stream of a component.
#[derive(Debug, Clone, Serialize)]
pub struct PlanPort {
    /// Name of the port.
    pub name: &'static str,
    /// The tuple type, with its fields.
    pub schema: String,
    /// Identifies the schema. In JSON 16 hexadecimal digits.
    #[serde(serialize_with = "json::hex")]
    pub fingerprint: u64,
}

/// An edge between two components.
#[derive(Debug, Clone, Serialize)]
pub struct PlanEdge {
    /// Index of the component that emits.
    pub source: usize,
    /// Index of the port of the source.
    pub port: usize,
    /// Index of the component that reads.
    pub target: usize,
    /// How tuples are spread over the target's tasks.
    pub grouping: Kind,
    /// Type of a custom grouping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<&'static str>,
    /// Whether the edge closes a loop.
    pub feedback: bool,
}

/// Spout or bolt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentKind {
    /// A source of tuples.
    Spout,
    /// A processor of tuples.
    Bolt,
}

impl Plan {
    /// The index of a component.
    #[must_use]
    pub fn component(&self, name: &str) -> Option<usize> {
        self.components.iter().position(|component| &*component.name == name)
    }

    /// The number of a task: tasks are counted from 0 over all components, in the order of their
    /// declaration. `None` where the component has no such task.
    ///
    /// ```
    /// use tormenta_dsl::{Topology, doc::{Count, NoEngine, Words}};
    ///
    /// let mut t = Topology::<NoEngine>::new("numbers");
    /// let words = t.spout("words", Words).tasks(2);
    /// t.bolt("count", Count::default(), words.by(|w| &w.word)).tasks(3);
    /// let (plan, _) = t.into_parts()?;
    /// assert_eq!(plan.number_of(1, 0), Some(2));
    /// assert_eq!(plan.task(4), Some((1, 2)));
    /// assert_eq!((plan.number_of(1, 3), plan.task(5)), (None, None));
    /// # Ok::<(), tormenta_dsl::plan::PlanErrors>(())
    /// ```
    #[must_use]
    pub fn number_of(&self, component: usize, task: usize) -> Option<usize> {
        let tasks = self.components.get(component)?.settings.tasks;
        let before = self.components[..component].iter().map(|c| c.settings.tasks).sum::<usize>();
        (task < tasks).then_some(before + task)
    }

    /// The component of the task with this [number](Plan::number_of), and which of its tasks it is.
    #[must_use]
    pub fn task(&self, number: usize) -> Option<(usize, usize)> {
        let mut before = 0;
        for (index, component) in self.components.iter().enumerate() {
            if number < before + component.settings.tasks {
                return Some((index, number - before));
            }
            before += component.settings.tasks;
        }
        None
    }

    /// The components in an order in which every edge but feedback leads forward.
    #[must_use]
    pub fn topological_order(&self) -> Vec<usize> {
        let mut inputs = vec![0; self.components.len()];
        for edge in self.edges.iter().filter(|edge| !edge.feedback) {
            inputs[edge.target] += 1;
        }
        let mut order: Vec<usize> = (0..inputs.len()).filter(|i| inputs[*i] == 0).collect();
        let mut next = 0;
        while let Some(source) = order.get(next).copied() {
            next += 1;
            let forward = self.edges.iter().filter(|e| e.source == source && !e.feedback);
            for edge in forward {
                inputs[edge.target] -= 1;
                if inputs[edge.target] == 0 {
                    order.push(edge.target);
                }
            }
        }
        order
    }
}

/// A topology as declared, mistakes included.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) topology: u64,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) components: Vec<DraftComponent>,
    pub(crate) edges: Vec<DraftEdge>,
    /// Name of each feedback stream, and its source once that is known.
    pub(crate) feedback: Vec<(String, Option<(Source, usize)>)>,
}

pub(crate) struct DraftComponent {
    pub(crate) name: Arc<str>,
    pub(crate) kind: ComponentKind,
    pub(crate) type_name: &'static str,
    pub(crate) ports: Vec<PortInfo>,
}

pub(crate) struct DraftEdge {
    pub(crate) source: Source,
    pub(crate) port: usize,
    pub(crate) target: usize,
    pub(crate) kind: Kind,
    pub(crate) custom: Option<&'static str>,
    pub(crate) type_name: &'static str,
}
