//! A topology that has nothing to do costs nothing. In a process of its own, which it measures.

use std::time::Duration;

use tormenta::{
    Options, Topology,
    bolts::func,
    prelude::*,
    testkit::{Capture, Feed},
};

/// CPU time of this process, user and system, in ticks of the system's clock.
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("this is Linux");
    // The name of the program stands in parentheses, and may have anything in it.
    let (_, fields) = stat.rsplit_once(") ").expect("a name in parentheses");
    let field = |index: usize| fields.split(' ').nth(index).and_then(|text| text.parse().ok());
    field(11).zip(field(12)).map(|(user, system): (u64, u64)| user + system).expect("numbers")
}

#[expect(clippy::disallowed_methods, reason = "real threads take real time")]
fn pause(seconds: u64) {
    std::thread::sleep(Duration::from_secs(seconds));
}

/// A hundred tasks, a spout that waits and one that has ended: 10 s take one tick at most.
#[test]
fn a_hundred_idle_tasks_use_no_cpu() {
    let (waiting, ended, capture) = (Feed::<u64>::new(), Feed::<u64>::new(), Capture::new());
    let mut t = Topology::new("idle");
    let numbers = t.spout("waiting", waiting.spout());
    let others = t.spout("ended", ended.spout());
    let pass = func(async |n: u64, out: &Emitter<u64>| out.emit(n).await);
    let pass = t.bolt("pass", pass, [numbers.by(|n| n), others.by(|n| n)]).tasks(49);
    let _ = t.bolt("sink", capture.bolt(), pass.shuffle()).tasks(49);
    let mut options = Options::default();
    options.unfused = true;
    let running = tormenta::start(t, options).expect("a sound topology");
    for n in 0..1000 {
        waiting.push(n);
        ended.push(n);
    }
    ended.end();
    pause(2);
    assert_eq!(capture.taken().len(), 2000, "what there was to do is done");
    let before = cpu_ticks();
    pause(10);
    let used = cpu_ticks() - before;
    assert!(used <= 1, "{used} ticks of CPU in 10 s of doing nothing");
    running.drain();
    assert!(running.wait().into_result().is_ok());
    assert_eq!((waiting.acked().len(), ended.acked().len()), (1000, 1000));
}
