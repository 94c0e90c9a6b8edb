//! The end is complete: what was emitted was acked or failed, and nothing is left.

use tormenta_runtime::{ReportedError, Summary};

use super::ends;
use crate::torture::{
    spec::Fault,
    world::{Log, RootState, World},
};

const NAME: &str = "drain";

pub(crate) fn judge(log: &mut Log, world: &World, summary: &Summary, drained: bool) {
    let spec = &world.spec;
    ends::judge(log, world);
    let born = log.roots.iter().filter(|root| root.state != RootState::Unborn).count();
    if !drained && born < log.roots.len() {
        let all = log.roots.len();
        log.violation(NAME, format!("only {born} of {all} roots were asked for"));
    }
    if let Some(error) = &summary.error {
        log.violation(NAME, format!("the topology ended with `{error}`"));
    }
    let strange = |error: &&ReportedError| {
        error.error.starts_with("panicked")
            && !error.error.contains("the bolt panics")
            && !error.error.contains("the spout panics")
    };
    if let Some(error) = summary.errors.iter().find(strange) {
        log.violation("panics", format!("the engine itself: {}", error.error));
    }
    if spec.faults.has(Fault::Cut) {
        return;
    }
    if !summary.cut_off.is_empty() {
        log.violation(NAME, format!("somebody had to be cut off: {:?}", summary.cut_off));
    }
    let (pending, held) = (summary.metrics.sum(|c| c.pending), summary.metrics.sum(|c| c.held));
    if pending + held > 0 {
        log.violation(NAME, format!("{pending} trees are open and {held} tickets held"));
    }
    for (component, tasks) in world.first_task.windows(2).enumerate() {
        if spec.is_source(component) {
            continue;
        }
        let clones = spec.worker(component).concurrency.limit() as u64;
        for task in tasks[0]..tasks[1] {
            let finished = log.tasks[task].finished;
            if finished != clones {
                let what =
                    format!("task {task} of component {component} finished {finished} times");
                log.violation(NAME, what);
            }
        }
    }
}
