//! From a draft to a plan: finds every mistake, never only the first.

use std::{collections::BTreeMap, fmt};

use super::{ComponentKind, Draft, DraftEdge, Plan, PlanComponent, PlanEdge, PlanPort};
use crate::{Root, Settings};

/// One mistake in a topology.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// The topology has no component at all.
    Empty,
    /// A name of a topology or component is empty, reserved or has a character that is not
    /// allowed.
    BadName {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Two components have the same name.
    DuplicateName(String),
    /// A component has a setting that makes no sense.
    BadSetting {
        /// The component.
        component: String,
        /// The setting and its mend.
        why: String,
    },
    /// A bolt reads nothing.
    ReadsNothing(String),
    /// A bolt reads a stream of another topology.
    Foreign {
        /// The bolt.
        component: String,
        /// Type of the stream's tuples.
        type_name: &'static str,
    },
    /// A feedback stream was never given a source.
    OpenFeedback(String),
    /// A feedback stream has a source, but nobody reads it.
    UnreadFeedback(String),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the topology has no spout: declare one with `t.spout(..)`"),
            Self::BadName { name, why } => write!(f, "`{name}` is no good name: {why}"),
            Self::DuplicateName(name) => {
                write!(f, "two components are called `{name}`: rename one, or put it in a `scope`")
            }
            Self::BadSetting { component, why } => write!(f, "`{component}`: {why}"),
            Self::ReadsNothing(name) => {
                write!(f, "bolt `{name}` reads nothing: give it at least one edge")
            }
            Self::Foreign { component, type_name } => {
                write!(f, "bolt `{component}` reads a stream of `{type_name}` of another topology")
            }
            Self::OpenFeedback(name) => {
                write!(f, "feedback `{name}` has no source: close the loop with `.from(&stream)`")
            }
            Self::UnreadFeedback(name) => {
                write!(f, "feedback `{name}` is read by nobody: no bolt has an edge from it")
            }
        }
    }
}

/// All mistakes of a topology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanErrors {
    /// Name of the topology.
    pub topology: String,
    /// The mistakes, in the order of the declarations.
    pub errors: Vec<PlanError>,
}

impl fmt::Display for PlanErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.errors[..] {
            [one] => write!(f, "topology `{}`: {one}", self.topology),
            all => {
                write!(f, "topology `{}` has {} mistakes:", self.topology, all.len())?;
                all.iter().try_for_each(|error| write!(f, "\n  - {error}"))
            }
        }
    }
}

impl std::error::Error for PlanErrors {}

impl Plan {
    pub(crate) fn validate(draft: &Draft, settings: Vec<Settings>) -> Result<Self, PlanErrors> {
        let mut errors = Vec::new();
        check_topology_name(&draft.name, &mut errors);
        check_names(draft, &mut errors);
        check_settings(draft, &settings, &mut errors);
        check_feedback(draft, &mut errors);
        let edges = check_edges(draft, &mut errors);
        if !errors.is_empty() {
            return Err(PlanErrors { topology: draft.name.clone(), errors });
        }
        let components = draft.components.iter().zip(settings).map(|(component, settings)| {
            let ports = component.ports.iter().map(|port| PlanPort {
                name: port.name,
                schema: port.schema.to_string(),
                fingerprint: port.schema.fingerprint(),
            });
            PlanComponent {
                name: component.name.clone(),
                kind: component.kind,
                type_name: component.type_name,
                ports: ports.collect(),
                settings,
            }
        });
        let components = components.collect();
        Ok(Self { name: draft.name.clone(), config: draft.config.clone(), components, edges })
    }
}

fn check_topology_name(name: &str, errors: &mut Vec<PlanError>) {
    check_name(name, errors);
    if name.contains('/') {
        let why = "the name of a topology cannot contain `/`";
        errors.push(PlanError::BadName { name: name.to_owned(), why });
    }
}

fn check_name(name: &str, errors: &mut Vec<PlanError>) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/');
    let why = if name.is_empty() {
        "it is empty"
    } else if name.len() > 128 {
        "it is longer than 128 bytes"
    } else if name.split('/').any(str::is_empty) {
        "a part of it is empty"
    } else if name.split('/').any(|part| part.starts_with("__")) {
        "names that start with `__` are reserved for the engine"
    } else if !name.chars().all(allowed) {
        "use ASCII letters, digits, `-` and `_`"
    } else {
        return;
    };
    errors.push(PlanError::BadName { name: name.to_owned(), why });
}

fn check_names(draft: &Draft, errors: &mut Vec<PlanError>) {
    if !draft.components.iter().any(|c| c.kind == ComponentKind::Spout) {
        errors.push(PlanError::Empty);
    }
    let mut seen = BTreeMap::new();
    for component in &draft.components {
        check_name(&component.name, errors);
        let times = seen.entry(&component.name).or_insert(0);
        *times += 1;
        if *times == 2 {
            errors.push(PlanError::DuplicateName(component.name.to_string()));
        }
    }
}

/// Ticks are for what happens now and then.
const TICK_MIN: std::time::Duration = std::time::Duration::from_millis(1);

/// How many ledgers a component has: one for each task of a spout, and for each clone of a bolt
/// that answers for results.
fn owners_of(kind: ComponentKind, settings: &Settings) -> usize {
    match kind {
        ComponentKind::Spout => settings.tasks,
        ComponentKind::Bolt if settings.retry.is_some() => {
            settings.tasks.saturating_mul(settings.concurrency.limit())
        }
        ComponentKind::Bolt => 0,
    }
}

fn check_settings(draft: &Draft, settings: &[Settings], errors: &mut Vec<PlanError>) {
    let mut owners = 0_usize;
    for (component, settings) in draft.components.iter().zip(settings) {
        let before = owners;
        // What has too many tasks by itself is told of that alone.
        if settings.tasks <= Root::OWNERS_MAX {
            owners = owners.saturating_add(owners_of(component.kind, settings));
        }
        let whys = [
            (before <= Root::OWNERS_MAX && owners > Root::OWNERS_MAX).then(|| {
                format!(
                    "with it {owners} tasks of spouts, and clones of bolts that emit results, have \
                     trees of their own: at most {} can; give it fewer",
                    Root::OWNERS_MAX
                )
            }),
            (settings.tasks == 0).then(|| "it has 0 tasks: it needs at least one".to_owned()),
            (settings.tasks > Root::OWNERS_MAX)
                .then(|| format!("{} tasks: at most {}", settings.tasks, Root::OWNERS_MAX)),
            (settings.concurrency.limit() == 0)
                .then(|| "`concurrent(0)` executes nothing: at least 1".to_owned()),
            (settings.pending_max == 0)
                .then(|| "`pending_max(0)` emits nothing: at least 1".to_owned()),
            (settings.pending_max > Root::SLOTS_MAX).then(|| {
                format!("`pending_max({})`: at most {}", settings.pending_max, Root::SLOTS_MAX)
            }),
            settings.tick.filter(|tick| *tick < TICK_MIN).map(|tick| {
                format!("a tick interval of {tick:?} never lets it rest: at least 1 ms")
            }),
            settings
                .retry
                .is_some_and(|retry| retry.attempts_max == 0)
                .then(|| "`attempts_max: 0` allows no attempt: at least 1".to_owned()),
            (settings.retry.is_some() && !settings.tracked)
                .then(|| "it is `untracked` and `replaying`: choose one".to_owned()),
        ];
        errors.extend(
            whys.into_iter()
                .flatten()
                .map(|why| PlanError::BadSetting { component: component.name.to_string(), why }),
        );
    }
}

fn check_feedback(draft: &Draft, errors: &mut Vec<PlanError>) {
    for (index, (name, source)) in draft.feedback.iter().enumerate() {
        let read = draft.edges.iter().any(|e| e.source.feedback && e.source.component == index);
        if source.is_none() {
            errors.push(PlanError::OpenFeedback(name.clone()));
        } else if !read {
            errors.push(PlanError::UnreadFeedback(name.clone()));
        }
    }
}

fn check_edges(draft: &Draft, errors: &mut Vec<PlanError>) -> Vec<PlanEdge> {
    let edges: Vec<PlanEdge> =
        draft.edges.iter().filter_map(|edge| check_edge(draft, edge, errors)).collect();
    for (index, component) in draft.components.iter().enumerate() {
        let reads = draft.edges.iter().any(|edge| edge.target == index);
        if component.kind == ComponentKind::Bolt && !reads {
            errors.push(PlanError::ReadsNothing(component.name.to_string()));
        }
    }
    edges
}

fn check_edge(draft: &Draft, edge: &DraftEdge, errors: &mut Vec<PlanError>) -> Option<PlanEdge> {
    let mut source = (edge.source, edge.port);
    if edge.source.topology == draft.topology && edge.source.feedback {
        source = draft.feedback[edge.source.component].1?;
    }
    if source.0.topology != draft.topology {
        let component = draft.components[edge.target].name.to_string();
        errors.push(PlanError::Foreign { component, type_name: edge.type_name });
        return None;
    }
    Some(PlanEdge {
        source: source.0.component,
        port: source.1,
        target: edge.target,
        grouping: edge.kind,
        custom: edge.custom,
        feedback: edge.source.feedback,
    })
}
