//! From a seed to a topology and to what will go wrong in it.

use std::time::Duration;

use tormenta_dsl::{Concurrency, Retry};
use tormenta_runtime::Rng;

use super::{
    draw_links::draw_links,
    spec::{
        Action, CLASSES, Component, Fault, Faults, PORTS, Role, SourceSpec, Spec, Work, WorkerSpec,
    },
};

/// Roots of one world, at least.
const ROOTS: u32 = 1_000;

/// Everything that a seed decides before the world starts.
pub(crate) fn draw(seed: u64) -> Spec {
    let mut rng = Rng::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x7041_7441_7354_6f52);
    let calm = rng.one_in(3);
    let total = 2 + rng.below(7);
    let sources = if total >= 3 && rng.one_in(3) { 2 } else { 1 };
    let usual_tasks = [1, 1, 2, 3, 4][rng.below(5)];
    let is_smooth = rng.one_in(3);
    let mut components: Vec<Component> = (0..total)
        .map(|index| draw_component(&mut rng, index < sources, usual_tasks, calm))
        .collect();
    if is_smooth {
        smooth(&mut rng, &mut components, usual_tasks);
    }
    share_roots(&mut rng, &mut components, sources);
    let links = draw_links(&mut rng, &mut components, sources, is_smooth);
    for (index, component) in components.iter_mut().enumerate() {
        let reads = links.iter().filter(|link| link.target == index).count();
        if let Role::Worker(worker) = &mut component.role {
            worker.plain_input = reads == 1 && rng.one_in(2);
        }
    }
    let has_loop = links.iter().any(|link| link.feedback);
    let faults = if calm { Faults::default() } else { draw_faults(&mut rng, has_loop) };
    if !faults.has(Fault::Stall) && !calm && rng.one_in(2) {
        calm_timeouts(&mut components);
    }
    forget_timeouts(&faults, &mut components);
    let mut actions = draw_actions(&mut rng);
    let short_ms = [1, 20, 200, 1000][rng.below(4)];
    let patience_ms = if faults.has(Fault::Cut) { short_ms } else { 1_800_000 };
    if faults.has(Fault::Cut) && !actions.iter().any(|(_, action)| *action == Action::Drain) {
        actions.push((rng.below(ROOTS as usize) as u32, Action::Drain));
        actions.sort_by_key(|(at, _)| *at);
    }
    Spec {
        seed,
        cores: 1 + rng.below(4),
        fuse: !rng.one_in(4),
        batch_tuples: 1 + rng.below(16),
        drain_timeout: Duration::from_millis(if faults.has(Fault::Cut) {
            patience_ms
        } else {
            1_800_000
        }),
        components,
        links,
        faults,
        actions,
    }
}

fn draw_component(rng: &mut Rng, is_source: bool, usual_tasks: usize, calm: bool) -> Component {
    let mut fan = [[1; PORTS]; CLASSES];
    let is_wild = rng.one_in(4);
    for count in fan.iter_mut().flatten() {
        *count = if is_wild { [0, 2][rng.below(2)] } else { [1, 1, 1, 1, 0, 2][rng.below(6)] };
    }
    Component {
        role: if is_source {
            Role::Source(draw_source(rng, calm))
        } else {
            Role::Worker(draw_worker(rng, calm))
        },
        tasks: if rng.one_in(3) { 1 + rng.below(4) } else { usual_tasks },
        ports: if rng.one_in(3) { 2 } else { 1 },
        fuse: !rng.one_in(4),
        blocking: rng.one_in(20),
        fan,
        hops: [0; CLASSES],
    }
}

/// Makes a world in which much can be fused.
fn smooth(rng: &mut Rng, components: &mut [Component], usual_tasks: usize) {
    for component in components {
        component.tasks = usual_tasks;
        component.blocking = false;
        component.fuse = !rng.one_in(3);
        if let Role::Worker(worker) = &mut component.role
            && !rng.one_in(5)
        {
            worker.concurrency = Concurrency::One;
        }
    }
}

fn draw_source(rng: &mut Rng, calm: bool) -> SourceSpec {
    let tracked = !rng.one_in(10);
    let retry = (tracked && rng.one_in(3)).then(|| Retry {
        attempts_max: 2 + rng.below(4) as u32,
        backoff_min: Duration::from_millis(1 + rng.below(20) as u64),
        backoff_max: Duration::from_millis(200),
    });
    let pending_max = match rng.below(4) {
        0 => 1 + rng.below(4),
        1 => 8 + rng.below(60),
        2 => 200,
        _ => 65_536,
    };
    let long = rng.one_in(6).then_some(Duration::from_secs(36_000));
    SourceSpec {
        first: 0,
        roots: 0,
        tracked,
        retry,
        pending_max,
        message_timeout: if calm { long } else { None },
        pauses: if rng.one_in(3) { 1 + rng.below(100) } else { 0 },
    }
}

fn draw_worker(rng: &mut Rng, calm: bool) -> WorkerSpec {
    let concurrency = match rng.below(10) {
        0 => Concurrency::Ordered(2 + rng.below(4)),
        1 => Concurrency::Unordered(2 + rng.below(4)),
        _ => Concurrency::One,
    };
    let work = match rng.below(8) {
        0 => Work::HoldWithin,
        1 | 2 => Work::Hold { keep: 1 + rng.below(12) },
        _ => Work::Plain,
    };
    let ticks = matches!(work, Work::Hold { .. }) || rng.one_in(6);
    let milliseconds = |n: usize| Duration::from_millis(n as u64);
    let naps = rng.one_in(4).then(|| match rng.below(3) {
        0 => (1, milliseconds(1 + rng.below(20))),
        1 => (1 + rng.below(20), milliseconds(1 + rng.below(60))),
        _ => (20 + rng.below(100), milliseconds(100)),
    });
    let short = milliseconds(150 + rng.below(350));
    WorkerSpec {
        concurrency,
        tick: ticks.then(|| milliseconds(20 + rng.below(400))),
        execute_timeout: if rng.one_in(2) { Some(short) } else { Some(milliseconds(30_000)) },
        hold_timeout: rng.one_in(3).then(|| {
            if calm { Duration::from_secs(36_000) } else { milliseconds(500 + rng.below(1000)) }
        }),
        work,
        naps,
        plain_input: false,
    }
}

fn share_roots(rng: &mut Rng, components: &mut [Component], sources: usize) {
    let mut first = 0;
    for component in components.iter_mut().take(sources) {
        let tasks = component.tasks as u32;
        if let Role::Source(source) = &mut component.role {
            let wanted = ROOTS / sources as u32 + rng.below(60) as u32;
            source.first = first;
            source.roots = wanted.next_multiple_of(tasks);
            first += source.roots;
        }
    }
}

fn draw_faults(rng: &mut Rng, has_loop: bool) -> Faults {
    let mut faults = Faults::default();
    let crowd = 1 + rng.below(4);
    for fault in Fault::ALL {
        let is_likely = rng.below(4) < crowd;
        let rate = match fault {
            Fault::Stall => 400 + rng.below(1500),
            Fault::SpoutPanic => 100 + rng.below(400),
            Fault::LostBatch => 20 + rng.below(100),
            Fault::MessageTimeout => usize::from(rng.one_in(6)),
            Fault::Cut => usize::from(rng.one_in(3)),
            Fault::Overflow => usize::from(has_loop && rng.one_in(2)),
            _ => 30 + rng.below(400),
        };
        faults.rates[fault as usize] = if is_likely { rate } else { 0 };
    }
    if faults.has(Fault::Overflow) {
        faults.feedback_max = 1 + rng.below(8);
    }
    faults
}

/// Half of the worlds without stalls have time-outs that nothing but a stall may reach.
fn calm_timeouts(components: &mut [Component]) {
    for component in components {
        if let Role::Worker(worker) = &mut component.role {
            worker.execute_timeout = None;
        }
    }
}

fn forget_timeouts(faults: &Faults, components: &mut [Component]) {
    for component in components {
        match &mut component.role {
            Role::Source(source) if faults.has(Fault::MessageTimeout) => {
                source.message_timeout = Some(Duration::from_millis(300));
            }
            Role::Worker(worker) => {
                // A stall must end; a ticket that is forgotten must expire.
                if faults.has(Fault::Stall) && worker.execute_timeout.is_none() {
                    worker.execute_timeout = Some(Duration::from_millis(400));
                }
            }
            Role::Source(_) => {}
        }
    }
}

fn draw_actions(rng: &mut Rng) -> Vec<(u32, Action)> {
    let mut actions = Vec::new();
    if rng.one_in(4) {
        for _ in 0..1 + rng.below(3) {
            let from = rng.below(ROOTS as usize) as u32;
            actions.push((from, Action::Deactivate));
            actions.push((from, Action::Activate));
        }
    }
    if rng.one_in(6) {
        actions.push((rng.below(ROOTS as usize) as u32, Action::Drain));
    }
    actions.sort_by_key(|(at, _)| *at);
    actions
}
