//! Whose fault a panic is, where it was, and that it is told once.

use std::process::Command;

use tormenta::{Cause, Options, Topology, bolts::func, prelude::*, testkit::Capture};
use tormenta_runtime::faults::{Breach, break_at};

use crate::support::{cluster, feed_of, of, run_to_end, wait};

fn topology(numbers: u64) -> Topology {
    let mut t = Topology::new("blame");
    let numbers = t.spout("numbers", feed_of(0..numbers).spout());
    let pass = func(async |n: u64, out: &Emitter<u64>| out.emit(n).await);
    let pass = t.bolt("pass", pass, numbers.shuffle());
    let _ = t.bolt("sink", Capture::new().bolt(), pass.shuffle());
    t
}

/// Started anew for ever it would look like a topology that is busy.
#[test]
fn a_panic_of_the_engine_itself_ends_the_topology_and_says_so() {
    for (fuse, breach) in
        [(true, Breach::Spout), (false, Breach::Spout), (true, Breach::Bolt), (false, Breach::Bolt)]
    {
        let cluster = cluster(topology(100), 1, fuse);
        break_at(Some(breach));
        let summary = run_to_end(cluster);
        break_at(None);
        let why = summary.error.as_deref().unwrap_or_else(|| panic!("{breach:?} {fuse}"));
        assert!(why.contains("a bug of Tormenta"), "{why}");
        assert!(why.contains("`told to break` at runtime/src/faults.rs:"), "{why}");
        assert!(why.contains("please report this line"), "{why}");
        assert_eq!(summary.cause, Some(Cause::Bug));
        assert_eq!(summary.metrics.sum(|c| c.restarts), 0, "{breach:?} {fuse}");
        assert!(summary.into_result().is_err());
    }
}

#[derive(Clone)]
struct BadKey;

impl Bolt for BadKey {
    type Input = u64;
    type Output = u64;

    async fn execute(&mut self, n: u64, out: &Emitter<u64>) -> Result {
        out.emit(n).await
    }
}

/// Keys are user code, wherever they are called from.
#[test]
fn a_key_that_panics_is_no_bug_of_the_engine() {
    for fuse in [true, false] {
        let mut t = Topology::new("keys");
        let numbers = t.spout("numbers", feed_of(0..40u64).spout());
        let bad = t.bolt("bad", BadKey, numbers.shuffle());
        let even = |n: &u64, key: &mut tormenta::KeyHasher| {
            assert!(*n != 13, "no key for 13");
            key.add(n);
        };
        let _ = t.bolt("sink", Capture::new().bolt(), bad.by_key(even)).tasks(2);
        let summary = run_to_end(cluster(t, 1, fuse));
        assert_eq!((summary.error.as_ref(), summary.cause), (None, None));
        assert_eq!(of(&summary, "bad").restarts, 1);
    }
}

fn panicking() -> Topology {
    let mut t = Topology::new("panics");
    let numbers = t.spout("numbers", feed_of(0..40u64).spout());
    let picky = func(async |n: u64, _: &Emitter<()>| {
        assert!(n != 13, "no luck");
        Ok(())
    });
    let _ = t.bolt("picky", picky, numbers.shuffle());
    t
}

#[test]
fn a_report_says_where_the_panic_was() {
    let summary = run_to_end(cluster(panicking(), 1, true));
    let error = &summary.errors[0];
    let at = error.panicked_at.as_deref().expect("known");
    assert!(at.starts_with("tests/tests/engine/t50_blame.rs:"), "{at}");
    assert_eq!(error.to_string(), format!("picky[0]: panicked: no luck ({at})"));
}

const CHILD: &str = "TORMENTA_TEST_CHILD";

/// What the test below runs as a process, to see all that is printed. By itself it does nothing.
#[test]
#[expect(clippy::print_stderr, reason = "what a process prints is what is tested")]
fn in_a_process_of_its_own() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let summary = wait(tormenta::start(panicking(), Options::default()).expect("sound"));
    eprintln!("reported: {}", summary.errors[0]);
    eprintln!("calls: {:?}", summary.errors[0].backtrace.is_some());
    // Other threads have the hook of the program.
    let other = std::thread::spawn(|| panic!("of the program"));
    assert!(other.join().is_err());
}

#[test]
fn a_panic_of_user_code_is_reported_and_not_printed_too() {
    for backtrace in ["0", "1"] {
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        child.args(["--exact", "t50_blame::in_a_process_of_its_own", "--nocapture"]);
        let output = child.env(CHILD, "1").env("RUST_BACKTRACE", backtrace).output();
        let output = output.expect("it runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");
        assert_eq!(told.matches("no luck").count(), 1, "{told}");
        assert!(told.contains("reported: picky[0]: panicked: no luck (tests/"), "{told}");
        assert_eq!(told.matches("of the program").count(), 1, "{told}");
        assert!(told.contains(&format!("calls: {}", backtrace == "1")), "{told}");
    }
}
