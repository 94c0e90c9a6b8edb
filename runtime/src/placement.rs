//! Which tasks share a loop, and which loops share a core. Pure.
//!
//! Fusion is placement: where an edge does not spread its tuples anew, the task that reads runs
//! inside the loop of the task that emits. The two orders of events that this allows are the same
//! in every respect that a user can see; only the cost differs.

use serde::Serialize;
use tormenta_dsl::{
    Concurrency, Plan,
    plan::{ComponentKind, PlanEdge},
};

/// Where every task runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Placement {
    /// For each edge of the plan, whether its reader is fused into the loop of its emitter.
    pub fused: Vec<bool>,
    /// The loops. The first task of each is polled by the core, the others by those before them.
    pub loops: Vec<LoopPlan>,
    /// Number of cores, which are threads; the ones after `cores_shared` run one loop each.
    pub cores: usize,
}

/// One loop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoopPlan {
    /// Index of the core.
    pub core: usize,
    /// Component and task of each stage.
    pub stages: Vec<(usize, usize)>,
}

impl Placement {
    /// Places the tasks of a plan on so many cores.
    #[must_use]
    pub fn new(plan: &Plan, cores: usize, fuse: bool) -> Self {
        let fused: Vec<bool> = plan.edges.iter().map(|edge| fuse && may_fuse(plan, edge)).collect();
        let mut placement = Self { fused, loops: Vec::new(), cores };
        let (mut shared, mut own) = (0, cores);
        for component in plan.topological_order().into_iter().chain(feedback_only(plan)) {
            if placement.is_fused(plan, component) {
                continue;
            }
            let settings = &plan.components[component].settings;
            for task in 0..settings.tasks {
                let stages = placement.stages(plan, component, task);
                let next = if settings.blocking { &mut own } else { &mut shared };
                let core = if settings.blocking { *next } else { *next % cores };
                *next += 1;
                placement.loops.push(LoopPlan { core, stages });
            }
        }
        placement.cores = own;
        placement
    }

    /// Whether the tasks of a component run in the loops of others.
    #[must_use]
    pub fn is_fused(&self, plan: &Plan, component: usize) -> bool {
        plan.edges.iter().zip(&self.fused).any(|(edge, fused)| *fused && edge.target == component)
    }

    fn stages(&self, plan: &Plan, component: usize, task: usize) -> Vec<(usize, usize)> {
        let mut stages = vec![(component, task)];
        let mut next = 0;
        while let Some((source, _)) = stages.get(next).copied() {
            next += 1;
            let fused = plan.edges.iter().zip(&self.fused);
            let inside = fused.filter(|(edge, fused)| **fused && edge.source == source);
            stages.extend(inside.map(|(edge, _)| (edge.target, task)));
        }
        stages
    }

    /// One line a loop: `core 0: lines[0] > split[0]`.
    #[must_use]
    pub fn describe(&self, plan: &Plan) -> String {
        let line = |each: &LoopPlan| {
            let name = |(component, task): &(usize, usize)| {
                format!("{}[{task}]", plan.components[*component].name)
            };
            let stages: Vec<String> = each.stages.iter().map(name).collect();
            format!("core {}: {}\n", each.core, stages.join(" > "))
        };
        self.loops.iter().map(line).collect()
    }
}

/// Components that only feedback leads to have no place in topological order.
fn feedback_only(plan: &Plan) -> Vec<usize> {
    let order = plan.topological_order();
    (0..plan.components.len()).filter(|component| !order.contains(component)).collect()
}

fn may_fuse(plan: &Plan, edge: &PlanEdge) -> bool {
    let (source, target) = (&plan.components[edge.source], &plan.components[edge.target]);
    let reads = plan.edges.iter().filter(|other| other.target == edge.target).count();
    let stays = source.settings.tasks == target.settings.tasks
        && (edge.grouping.may_stay() || target.settings.tasks == 1);
    !edge.feedback
        && reads == 1
        && stays
        && target.settings.fuse
        && !target.settings.blocking
        && target.settings.concurrency == Concurrency::One
        && source.settings.concurrency == Concurrency::One
        && target.kind == ComponentKind::Bolt
}
