//! Runs one world from its seed to its verdict.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tormenta_runtime::{
    LocalCluster, Simulation, faults,
    planted::{Bug, plant},
};

use super::{
    build::build,
    coverage,
    draw::draw,
    report::Report,
    spec::{Action, Fault},
    world::World,
};
use crate::oracle::{self, progress};

/// Turns between two looks at the world.
const LOOK_EVERY: u64 = 32;

/// Turns for which the topology stays deactivated, unless it comes to rest before.
const INACTIVE_TURNS: u64 = 300;

/// Batches that one world may lose.
const LOSSES_MAX: usize = 12;

/// What a seed decides, for whoever looks for the bug.
#[must_use]
pub fn describe(seed: u64) -> String {
    format!("{:#?}", draw(seed))
}

/// Tortures one topology. With a bug, the engine has it.
#[must_use]
pub fn torture(seed: u64, bug: Option<Bug>) -> Report {
    torture_and_tell(seed, bug, None)
}

/// The same, and tells the story of one root.
#[must_use]
pub fn torture_and_tell(seed: u64, bug: Option<Bug>, root: Option<u32>) -> Report {
    let world = Arc::new(World::new(draw(seed)));
    world.log().watched = root;
    let spec = &world.spec;
    plant(bug);
    let losses = spec.faults.rate(Fault::LostBatch);
    faults::lose_batches(seed ^ 0x1057, losses, LOSSES_MAX);
    faults::limit_feedback(spec.faults.feedback_max);
    let mut simulation = Simulation::new(seed);
    simulation.cores = spec.cores;
    simulation.fuse = spec.fuse;
    simulation.batch_tuples = spec.batch_tuples;
    simulation.drain_timeout = spec.drain_timeout;
    let witness = world.clone();
    simulation.on_dead_letter =
        Some(Box::new(move |letter| oracle::ends::on_dead_letter(&witness, letter)));
    let cluster = match LocalCluster::new(build(&world), simulation) {
        Ok(cluster) => cluster,
        Err(mistakes) => {
            world.log().violation("plan", mistakes.to_string());
            return Report::new(&world, Vec::new(), Duration::ZERO);
        }
    };
    let mut drive = Drive { world: &world, cluster, turns: 0, done: 0, resume_at: 0 };
    let mut features = coverage::features(spec, drive.cluster.placement());
    let drained = drive.run();
    let now = drive.cluster.now();
    let lost = LOSSES_MAX - faults::losses_left();
    if losses > 0 {
        world.log().injected[Fault::LostBatch as usize] += lost as u64;
    }
    coverage::add_events(&world, drained, &mut features);
    drop(drive);
    plant(None);
    faults::lose_batches(0, 0, 0);
    faults::limit_feedback(0);
    Report::new(&world, features, now)
}

struct Drive<'a> {
    world: &'a World,
    cluster: LocalCluster,
    turns: u64,
    /// Actions done.
    done: usize,
    /// The turn before which the topology stays deactivated.
    resume_at: u64,
}

impl Drive<'_> {
    /// Runs to the end and has the oracles judge it. Whether the operator asked for the end.
    fn run(&mut self) -> bool {
        loop {
            if self.cluster.has_ended() {
                let summary = self.cluster.run();
                oracle::judge(self.world, &summary, self.has_drained());
                return self.has_drained();
            }
            let moved = self.cluster.turn();
            self.turns += 1;
            if moved && !self.turns.is_multiple_of(LOOK_EVERY) {
                continue;
            }
            let acted = self.act(!moved);
            if !moved && !acted {
                progress::on_standstill(self.world, &self.cluster);
                return self.has_drained();
            }
            if !self.is_paused() && progress::is_stuck(self.world, self.turns, &self.cluster) {
                return self.has_drained();
            }
        }
    }

    fn is_paused(&self) -> bool {
        let next = self.world.spec.actions.get(self.done);
        next.is_some_and(|(_, action)| *action == Action::Activate)
    }

    fn has_drained(&self) -> bool {
        let done = &self.world.spec.actions[..self.done];
        done.iter().any(|(_, action)| *action == Action::Drain)
    }

    /// Does what the operator does next, if it is time for it or nothing else will happen.
    fn act(&mut self, at_rest: bool) -> bool {
        let Some((at, action)) = self.world.spec.actions.get(self.done).copied() else {
            return false;
        };
        let born = self.world.born.load(Ordering::Relaxed);
        let is_waiting = action == Action::Activate && self.turns < self.resume_at;
        if !at_rest && (born < at || is_waiting) {
            return false;
        }
        match action {
            Action::Deactivate => {
                self.cluster.deactivate();
                self.resume_at = self.turns + INACTIVE_TURNS;
            }
            Action::Activate => {
                self.cluster.activate();
                self.world.log().progress = self.cluster.now();
            }
            Action::Drain => self.cluster.drain(),
        }
        self.done += 1;
        true
    }
}
