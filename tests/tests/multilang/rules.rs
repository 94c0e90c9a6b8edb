//! Children that break the rules, or just break.

use tormenta::{bolts::Word, multilang::ShellBolt, prelude::*};

use crate::{acked, assert_arrived, child, errors, folder, nothing, orphans::is_alive, run, words};

fn trouble(command: [String; 2], path: &std::path::Path) -> ShellBolt<Word, Word> {
    ShellBolt::new(command)
        .env("TROUBLE", path.display().to_string())
        .timeout(std::time::Duration::from_millis(400))
        .message_bytes_max(64 << 10)
        .emits()
}

/// Every tuple arrives, and every trouble is named, each with a new child after it.
#[test]
fn nothing_is_lost_by_what_a_child_does() {
    let Some(command) = child("trouble.py") else { return };
    let (_folder, path) = folder();
    let asked = &["crash:1", "hang:1", "nonsense:1", "huge:1", "nobody:1", "die:1"];
    let (arrived, summary) = run(words(2_000, asked), trouble(command, &path));
    assert_arrived(arrived, 2_000, asked);
    assert_eq!((acked(&summary, "words"), summary.dead_letters.len()), (2_000, 0));
    let told = errors(&summary);
    for part in [
        "ended with exit status: 3 (its last words: `out of luck`); it is started again in",
        "has said nothing for 0.4 s",
        r"wrote `debug: \xff here` where a message belongs",
        "wrote a message of more than 65536 bytes",
        "acked or failed 99999999, which it does not have",
        "ended with signal: 9",
        "tuples were with it, and fail",
    ] {
        assert!(told.contains(part), "`{part}` is not in {told}");
    }
    let child = summary.metrics.component("child").expect("it is there");
    assert_eq!(child.counters["child_restarts"], asked.len() as u64);
    assert_gone(&path);
}

/// No process is left.
fn assert_gone(path: &std::path::Path) {
    let pids = std::fs::read_to_string(path.join("pids")).expect("they were written");
    for pid in pids.lines() {
        let ends = (0..400).any(|_| {
            std::thread::park_timeout(std::time::Duration::from_millis(2));
            !is_alive(pid) // a process that nobody waits for takes a moment to be gone
        });
        assert!(ends, "process {pid} is still there");
    }
}

#[test]
fn a_child_that_cannot_start_ends_the_topology() {
    let Some([python, script]) = child("echo.py") else { return };
    let fails = |bolt: ShellBolt<Word>| {
        let mut t = Topology::new("fails");
        let words = t.spout("words", words(1, &[]));
        let bolt = t.bolt("child", bolt, words.shuffle());
        t.bolt("nothing", nothing::<tormenta::record::Record>(), bolt.shuffle());
        tormenta::run(t).expect_err("it cannot run").to_string()
    };
    for (command, why) in [
        (vec!["no-such-program"], "install the program, or give its path"),
        (vec![], "the command is empty"),
        (vec![&python[..], "no-such-file.py"], "ended with exit status: 2 (its last words: `"),
        (vec![&python[..], "-c", "print('hello')"], r"wrote `hello` where a message belongs"),
    ] {
        let told = fails(ShellBolt::new(command.clone()));
        assert!(told.contains(why), "{command:?}: {told}");
    }
    let told = fails(ShellBolt::new([&python, &script]).cwd("no-such-folder"));
    assert!(told.contains("there is no folder `no-such-folder`"), "{told}");
    let told = fails(ShellBolt::new([&python, &script]).output("a", ["x", "x"]));
    assert!(told.contains("output `a`"), "{told}");
}

/// A topology that is stopped takes its children with it, also one that does not listen.
#[test]
fn a_child_does_not_outlive_its_topology() {
    let Some(command) = child("trouble.py") else { return };
    let (_folder, path) = folder();
    let mut t = Topology::new("stopped");
    let words = t.spout("words", words(200, &["hang:1"]));
    let bolt = trouble(command, &path).timeout(std::time::Duration::from_secs(60));
    let bolt = t.bolt("child", bolt, words.shuffle());
    t.bolt("nothing", nothing::<Word>(), bolt.shuffle());
    let running = tormenta::start(t, tormenta::Options::default()).expect("it starts");
    let hangs = (0..4_000).any(|_| {
        std::thread::park_timeout(std::time::Duration::from_millis(5));
        path.join("hang:1").exists()
    });
    assert!(hangs, "it never came to hang");
    drop(running);
    assert_gone(&path);
}

/// A process that the child has started keeps its pipes open when it dies.
#[test]
fn a_child_is_missed_although_its_own_child_lives_on() {
    let Some(command) = child("trouble.py") else { return };
    let (_folder, path) = folder();
    let bolt = trouble(command, &path).timeout(std::time::Duration::from_secs(60));
    let (arrived, summary) = run(words(300, &["orphan:1"]), bolt);
    assert_arrived(arrived, 300, &["orphan:1"]);
    let told = errors(&summary);
    assert!(told.contains("ended with exit status: 4"), "{told}");
    assert!(!path.join("late").exists(), "it was missed when its own child had ended");
    assert_gone(&path); // its own child was ended with it
}
