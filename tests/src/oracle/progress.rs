//! No run gets stuck: as long as something is to be done, something gets done.

use std::time::Duration;

use tormenta_runtime::{LocalCluster, metrics::ComponentMetrics};

use crate::torture::world::World;

const NAME: &str = "progress";

/// Longest time in which nothing needs to get further: restarts wait for up to 5 s, lost tuples
/// are noticed after 2 s, and replays wait for less than that.
const PATIENCE: Duration = Duration::from_secs(60);

/// Polls of one world.
const TURNS: u64 = 6_000_000;

/// Whether the world got stuck.
pub(crate) fn is_stuck(world: &World, turns: u64, cluster: &LocalCluster) -> bool {
    let now = cluster.now();
    let log = &mut *world.log();
    if turns > TURNS {
        log.violation(NAME, format!("loops run and run, and the time stays at {now:?}"));
        return true;
    }
    let idle = now.saturating_sub(log.progress);
    if idle > PATIENCE {
        log.violation(NAME, format!("nothing got further for {idle:?}: {}", state(cluster)));
        return true;
    }
    false
}

/// There is nothing left to do, and the topology has not ended.
pub(crate) fn on_standstill(world: &World, cluster: &LocalCluster) {
    let (now, state) = (cluster.now(), state(cluster));
    world.log().violation(NAME, format!("nothing will ever happen again after {now:?}: {state}"));
}

fn state(cluster: &LocalCluster) -> String {
    let metrics = cluster.metrics();
    let component = |c: &ComponentMetrics| {
        let ComponentMetrics { name, emitted, executed, acked, failed, pending, held, .. } = c;
        format!(
            "{name} emitted {emitted}, executed {executed}, acked {acked}, failed {failed}, \
             has {pending} open and {held} held"
        )
    };
    let components: Vec<String> = metrics.components.iter().map(component).collect();
    components.join("; ")
}
