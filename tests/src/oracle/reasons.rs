//! Nothing fails without a reason, and the spout is told the right one.

use std::time::Duration;

use tormenta_dsl::Failure;

use crate::torture::{
    spec::{Fault, Spec},
    world::{Log, World},
};

const NAME: &str = "reasons";

/// A root failed for good.
pub(crate) fn on_failed(log: &mut Log, world: &World, root: u32, why: &Failure, now: Duration) {
    let spec = &world.spec;
    let source = spec.source(world.source_of(root));
    let state = log.roots[root as usize];
    let is_justified = match why {
        _ if spec.faults.has(Fault::Cut) => true,
        // What the engine replays becomes a dead letter in the end; it does not fail.
        _ if source.retry.is_some() => false,
        Failure::Error(..) => state.touched & Fault::Error.bit() != 0,
        Failure::Poison(..) => state.touched & Fault::Poison.bit() != 0,
        Failure::Panic(..) => state.touched & Fault::Panic.bit() != 0,
        Failure::Stuck(_) => state.touched & Fault::Stall.bit() != 0,
        Failure::Dropped(_) => state.touched & Fault::DroppedTicket.bit() != 0,
        Failure::Refused(..) => state.touched & Fault::RefusedTicket.bit() != 0,
        Failure::Expired(place) => may_expire(spec, &place.component),
        Failure::Lost => spec.faults.has(Fault::LostBatch),
        Failure::Overflow(_) => spec.faults.has(Fault::Overflow),
        Failure::TimedOut => {
            let limit = source.message_timeout.unwrap_or(Duration::MAX);
            spec.faults.has(Fault::MessageTimeout) && now >= state.born.saturating_add(limit)
        }
        _ => false,
    };
    if !is_justified {
        let touched = names(state.touched);
        log.violation(NAME, format!("root {root} failed, {why}; what hit it: {touched}"));
    }
}

/// A root was given up.
pub(crate) fn on_dead(log: &mut Log, world: &World, root: u32) {
    let touched = log.roots[root as usize].touched;
    if touched == 0 && !may_fail_anyway(&world.spec) {
        log.violation(NAME, format!("root {root} was given up, and nothing had hit it"));
    }
}

/// Whether trees may fail that no component did anything to.
pub(crate) fn may_fail_anyway(spec: &Spec) -> bool {
    let engine = [Fault::LostBatch, Fault::Overflow, Fault::MessageTimeout, Fault::Cut];
    let may_expire = (spec.sources()..spec.components.len()).any(|c| is_short(spec, c));
    engine.iter().any(|fault| spec.faults.has(*fault)) || may_expire
}

fn may_expire(spec: &Spec, name: &str) -> bool {
    let index = name.trim_start_matches(|c: char| !c.is_ascii_digit()).parse::<usize>();
    index.is_ok_and(|component| is_short(spec, component))
}

/// Whether a ticket may expire because of back-pressure alone.
fn is_short(spec: &Spec, component: usize) -> bool {
    spec.worker(component).hold_timeout.is_some_and(|limit| limit < Duration::from_secs(60))
}

fn names(touched: u16) -> String {
    let hit = Fault::ALL.into_iter().filter(|fault| touched & fault.bit() != 0);
    let names: Vec<&str> = hit.map(Fault::name).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
