//! What a bolt in another language can do.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use tormenta::{
    LocalCluster, Simulation,
    bolts::{Word, func},
    multilang::ShellBolt,
    prelude::*,
    record::Record,
    spouts::generate,
    testkit::Capture,
};

use crate::{acked, assert_arrived, child, errors, folder, nothing, run, words};

#[test]
fn words_go_there_and_back() {
    let Some(command) = child("echo.py") else { return };
    let (arrived, summary) = run(words(20_000, &[]), ShellBolt::new(command).emits());
    assert_eq!(errors(&summary), "");
    assert_eq!(arrived.len(), 20_000);
    assert_arrived(arrived, 20_000, &[]);
    assert_eq!(acked(&summary, "words"), 20_000);
}

#[test]
fn order_is_kept_by_one_task() {
    let Some(command) = child("echo.py") else { return };
    let (arrived, _) = run(words(5_000, &[]), ShellBolt::new(command).emits());
    let sent: Vec<String> = (0..5_000).map(|n| format!("a{n}")).collect();
    assert_eq!(arrived, sent);
}

#[test]
fn a_child_counts_and_tells_at_the_end() {
    let Some(command) = child("count.py") else { return };
    let counted = Capture::<Record>::new();
    let mut t = Topology::new("count");
    let words = generate(|n| Word::new(format!("w{}", n % 10))).limit(1_000);
    let words = t.spout("words", words);
    let count = ShellBolt::new(command).output("default", ["word: String", "count: u64"]);
    let count = t.bolt("count", count, words.by(|w| &w.word)).tasks(2);
    t.bolt("counted", counted.bolt(), count.shuffle());
    let summary = tormenta::run(t).expect("it runs");
    assert_eq!(errors(&summary), "");
    let counted = counted.taken();
    assert_eq!(counted.len(), 10);
    assert!(counted.iter().all(|record| record.get("count") == Some(&100.into())));
}

/// Two tuples are one, downstream of which it fails at first: both must come again.
#[test]
fn an_emit_with_two_anchors_belongs_to_both() {
    let Some(command) = child("pairs.py") else { return };
    let seen = Arc::new(Mutex::new(HashSet::new()));
    let arrived = Capture::<String>::new();
    let mut t = Topology::new("pairs");
    let numbers = t.spout("numbers", generate(|n| n.to_string()).limit(400));
    let numbers = numbers.replaying(Retry::default());
    let pairs = ShellBolt::new(command)
        .conf("limit", 17)
        .input("numbers", "default")
        .outputs([("pairs", vec!["text: String"]), ("ticks", vec!["text"])]);
    let pairs = t.bolt("pairs", pairs, numbers.shuffle()).tick(Duration::from_millis(20));
    let picky = func(async move |pair: Record, out: &Emitter<String>| {
        let text: String = pair.values()[0].to()?;
        if seen.lock().unwrap().insert(text.len()) {
            return Err(Error::msg("the first of its length"));
        }
        out.emit(text).await
    });
    let picky = t.bolt("picky", picky, pairs[0].shuffle());
    t.bolt("arrived", arrived.bolt(), picky.shuffle());
    t.bolt("ticks", nothing(), pairs[1].shuffle());
    let summary = tormenta::run(t).expect("it runs");
    let spout = summary.metrics.component("numbers").expect("it is there");
    // Pairs of 2, 3, .. 6 digits failed once each, or as many as there were.
    assert!(spout.replayed >= 4 && spout.replayed.is_multiple_of(2), "{}", spout.replayed);
    assert_eq!((spout.acked, summary.dead_letters.len()), (400, 0));
    let counters = &summary.metrics.component("pairs").expect("it is there").counters;
    assert_eq!((counters["began"], counters["limit"]), (1, 17));
    assert!(arrived.taken().len() >= 190);
}

#[test]
fn ticks_come_while_nothing_else_does() {
    let Some(command) = child("pairs.py") else { return };
    let ticks = Capture::<Record>::new();
    let mut t = Topology::new("ticks");
    let slow = t.spout("slow", generate(|n| n.to_string()).limit(5).rate(2.0));
    let pairs = ShellBolt::new(command)
        .conf("limit", 0)
        .outputs([("pairs", vec!["text"]), ("ticks", vec!["text"])]);
    let pairs = t.bolt("pairs", pairs, slow.shuffle()).tick(Duration::from_millis(20));
    t.bolt("ticks", ticks.bolt(), pairs[1].shuffle());
    let summary = tormenta::run(t).expect("it runs");
    assert_eq!(errors(&summary), "");
    // Storm's ticks have their seconds, at least one, as their value.
    let ticks = ticks.taken();
    assert!(ticks.len() >= 5 && ticks.iter().all(|tick| tick.values() == [1.into()]), "{ticks:?}");
    // The fifth had no partner. The child keeps it, which ends nothing and holds nothing up.
    let slow = summary.metrics.component("slow").expect("it is there");
    assert_eq!((slow.acked, slow.failed), (4, 1));
}

/// What is emitted when nothing else comes in must not wait for something else to come.
#[test]
fn an_answer_comes_at_once_when_nothing_follows() {
    let Some(command) = child("echo.py") else { return };
    for fuse in [true, false] {
        let mut t = Topology::new("slow");
        let slow = t.spout("slow", generate(|n| Word::new(n.to_string())).limit(30).rate(20.0));
        let echo = ShellBolt::new(command.clone()).emits::<Word>();
        let echo = t.bolt("echo", echo, slow.shuffle()).fuse(fuse);
        t.bolt("nothing", nothing::<Word>(), echo.shuffle()).fuse(fuse);
        let summary = tormenta::run(t).expect("it runs");
        let spout = summary.metrics.component("slow").expect("it is there");
        // Microseconds; the next tuple would have come after 50 ms.
        let usual = summary.metrics.complete_latency.p50;
        assert_eq!(spout.acked, 30);
        assert!(usual < 40_000.0, "fused {fuse}: {usual} us");
    }
}

/// The protocol as it is written down, by a child that waits for task ids.
#[test]
fn a_child_without_our_module_is_understood() {
    let Some(command) = child("plain.py") else { return };
    let bolt = ShellBolt::new(command).input("words", "default").emits();
    let (arrived, summary) = run(words(500, &[]), bolt);
    assert_eq!(arrived.len(), 500);
    let told = errors(&summary);
    for part in [
        r#""componentid": "child""#,
        r#""task->component": {"1": "words", "2": "child", "3": "arrived"}"#,
        r#""taskid": 2"#,
        r#""stream->outputfields": {"default": ["word"]}"#,
        r#""source->stream->fields": {"words": {"default": ["word"]}}"#,
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
}

/// A tuple fails by what becomes of it, and the first attempt is told from the second.
#[test]
fn what_a_child_fails_comes_again() {
    let Some(command) = child("trouble.py") else { return };
    let (_folder, path) = folder();
    let bolt = ShellBolt::new(command).env("TROUBLE", path.display().to_string()).emits();
    let trouble = &["fail:1", "wrong:1"];
    let (arrived, summary) = run(words(1_000, trouble), bolt);
    assert_eq!(acked(&summary, "words"), 1_000);
    let told = errors(&summary);
    assert_eq!(summary.dead_letters.len(), 0);
    assert_arrived(arrived, 1_000, trouble);
    assert!(told.contains("ValueError: not this one"), "{told}");
    assert!(told.contains("has 1 fields, and it emitted 3 values"), "{told}");
    let child = summary.metrics.component("child").expect("it is there");
    assert!(!child.counters.contains_key("child_restarts"));
}

/// The dead letter of a tuple names the exception, with our module and with Storm's way of it.
#[test]
fn a_dead_letter_says_what_the_child_said() {
    let Some(command) = child("unlucky.py") else { return };
    let mut t = Topology::new("unlucky");
    let words = t.spout("words", generate(|n| Word::new(n.to_string())).limit(20));
    let words = words.replaying(Retry { attempts_max: 1, ..Retry::default() });
    let bolt = ShellBolt::new(command).emits::<Word>();
    t.bolt("child", bolt, words.shuffle());
    let summary = tormenta::run(t).expect("it runs");
    let mut told: Vec<_> = summary.dead_letters.iter().map(|letter| &*letter.error).collect();
    told.sort_unstable_by_key(|error| error.split("failed it").last().map(str::to_owned));
    let expected = ["failed it", "failed it: ValueError: unlucky 13", "failed it: storm says 14"];
    assert_eq!(told.len(), expected.len(), "{told:?}");
    assert!(told.iter().zip(expected).all(|(told, end)| told.ends_with(end)), "{told:?}");
}

/// What is no text costs its tuple, and not the child.
#[test]
fn half_a_character_kills_nobody() {
    let Some(command) = child("half.py") else { return };
    let mut t = Topology::new("half");
    let words = t.spout("words", generate(|n| Word::new(n.to_string())).limit(20));
    let words = words.replaying(Retry { attempts_max: 1, ..Retry::default() });
    let arrived = Capture::<Word>::new();
    let bolt = t.bolt("child", ShellBolt::new(command).emits::<Word>(), words.shuffle());
    t.bolt("arrived", arrived.bolt(), bolt.shuffle());
    let summary = tormenta::run(t).expect("it runs");
    let mut told: Vec<_> = summary.dead_letters.iter().map(|letter| &*letter.error).collect();
    told.sort_unstable();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().any(|told| told.ends_with(r"ValueError: no file \udcff")), "{told:?}");
    assert!(told.iter().any(|told| told.contains("a text with half a character")), "{told:?}");
    let words: Vec<Vec<u8>> = arrived.taken().into_iter().map(|word| word.word.to_vec()).collect();
    assert_eq!(words.len(), 18);
    assert!(words.iter().all(|word| word.ends_with(" \u{1f600}".as_bytes())));
    let child = summary.metrics.component("child").expect("it is there");
    assert!(!child.counters.contains_key("child_restarts"));
}

#[test]
fn a_cluster_in_virtual_time_says_that_it_cannot() {
    let Some(command) = child("echo.py") else { return };
    let mut t = Topology::new("virtual");
    let words = t.spout("words", words(1, &[]));
    t.bolt("echo", ShellBolt::new(command).emits::<Word>(), words.shuffle());
    let summary = LocalCluster::new(t, Simulation::new(1)).expect("sound").run();
    let error = summary.error.expect("nothing comes from a child here");
    assert!(error.contains("has said nothing to the handshake"), "{error}");
}
