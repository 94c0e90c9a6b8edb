//! The protocol, sentence by sentence, with children that speak as Storm's own module does.

use std::time::Duration;

use serde_json::{Value as Json, json};
use tormenta::{
    bolts::{Word, func},
    multilang::{ShellBolt, ShellSpout},
    prelude::*,
    spouts::generate,
    testkit::Capture,
};

use crate::{child, errors, folder};

fn said(path: &std::path::Path) -> Vec<Json> {
    let lines = std::fs::read_to_string(path).expect("it wrote what it was told");
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The three fields of a handshake, and the file with the child's id.
fn assert_handshake(said: &[Json], context: &Json) {
    assert_eq!(said[0], json!(["conf", "context", "pidDir"]));
    assert_eq!(said[1]["topology.name"], "protocol");
    assert_eq!(said[1]["topology.subprocess.timeout.secs"], 30);
    assert_eq!(said[1]["limit"], 17);
    assert_eq!(said[2], *context);
    assert_eq!(said[3], 0, "the file is empty");
}

#[test]
fn a_bolt_is_told_as_storm_tells_it() {
    let Some(command) = child("storm_like.py") else { return };
    let (_folder, path) = folder();
    let (path, arrived) = (path.join("said"), Capture::<Word>::new());
    let mut t = Topology::new("protocol");
    let words = ["right", "wrong"];
    let words = generate(move |n| Word::new(words[n as usize])).limit(2).rate(1.0);
    let words = t.spout("words", words).tasks(1);
    let bolt = ShellBolt::new(command).env("SAID", path.display().to_string());
    let bolt = t.bolt("bolt", bolt.conf("limit", 17).emits::<Word>(), words.by(|w| &w.word));
    let bolt = bolt.tick(Duration::from_millis(300));
    t.bolt("arrived", arrived.bolt(), bolt.shuffle()).tasks(2);
    t.bolt("other", func(async |_: Word, _: &Emitter<()>| Ok(())), bolt.global());
    let summary = tormenta::run(t).expect("it runs");
    let said = said(&path);
    assert_handshake(
        &said,
        &json!({
            "task->component": {
                "1": "words", "2": "bolt", "3": "arrived", "4": "arrived", "5": "other",
            },
            "taskid": 2,
            "componentid": "bolt",
            "streams": ["default"],
            "stream->outputfields": { "default": ["word"] },
            "stream->target->grouping": { "default": {
                "arrived": { "type": "SHUFFLE" }, "other": { "type": "FIELDS", "fields": [] },
            } },
            "source->stream->grouping": { "words": { "default": { "type": "FIELDS" } } },
            "source->stream->fields": { "words": { "default": ["word"] } },
        }),
    );
    let tuples: Vec<&Json> = said[4..].iter().filter(|said| said["comp"] == "words").collect();
    for (tuple, word) in tuples.iter().zip(["right", "wrong"]) {
        let fields = ["stream", "task", "tuple"].map(|field| tuple[field].clone());
        assert_eq!(fields, [json!("default"), json!(1), json!([word])]);
    }
    let answers: Vec<&Json> = said[4..].iter().filter(|said| said.is_array()).collect();
    assert_eq!((tuples.len(), answers.len()), (2, 2));
    for ids in answers {
        assert!([json!([3, 5]), json!([4, 5])].contains(ids), "{ids}");
    }
    let ticks: Vec<&Json> = said[4..].iter().filter(|said| said["stream"] == "__tick").collect();
    assert!(!ticks.is_empty(), "{ticks:?}");
    assert!(
        ticks.iter().all(|tick| tick["comp"] == "__system"
            && tick["task"] == -1
            && tick["tuple"] == json!([1])),
        "{ticks:?}"
    );
    let spout = summary.metrics.component("words").expect("it is there");
    assert_eq!((spout.acked, spout.failed), (1, 1));
    assert_eq!(summary.metrics.component("bolt").expect("it is there").counters["words"], 4);
    assert!(errors(&summary).contains("says: word is wrong"), "{}", errors(&summary));
    assert_eq!(arrived.taken().len(), 2);
}

/// A child that says nothing is sent heartbeats, and one that answers them may take its time.
#[test]
fn heartbeats_are_tuples_of_task_minus_one() {
    let Some(command) = child("storm_like.py") else { return };
    let (_folder, path) = folder();
    let path = path.join("said");
    let mut t = Topology::new("protocol");
    let words = t.spout("words", generate(|n| Word::new(n.to_string())).limit(2).rate(0.4));
    let bolt = ShellBolt::new(command).env("SAID", path.display().to_string());
    let bolt = bolt.timeout(Duration::from_millis(1_500)).emits::<Word>();
    t.bolt("bolt", bolt, words.shuffle());
    let summary = tormenta::run(t).expect("it runs");
    assert_eq!(errors(&summary), "");
    let said = said(&path);
    let beats: Vec<&Json> =
        said[4..].iter().filter(|said| said["stream"] == "__heartbeat").collect();
    let is_right = |beat: &&Json| beat["task"] == -1 && beat["tuple"] == json!([]);
    assert!(!beats.is_empty() && beats.iter().all(is_right), "{beats:?}");
}

#[test]
fn a_spout_is_told_as_storm_tells_it() {
    let Some([python, script]) = child("storm_like.py") else { return };
    let (_folder, path) = folder();
    let path = path.join("said");
    let mut t = Topology::new("protocol");
    let spout = ShellSpout::new([python, script, "spout".to_owned()]).conf("limit", 17);
    let spout = spout.env("SAID", path.display().to_string()).emits::<u64>();
    let spout = t.spout("spout", spout);
    let failed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let picky = func(async move |n: u64, _: &Emitter<()>| {
        let is_first = n == 1 && !failed.swap(true, std::sync::atomic::Ordering::SeqCst);
        if is_first { Err(Error::msg("the first time")) } else { Ok(()) }
    });
    t.bolt("picky", picky, spout.global()).tasks(2);
    let summary = tormenta::run(t).expect("it runs");
    assert_eq!(crate::acked(&summary, "spout"), 3);
    let said = said(&path);
    assert_handshake(
        &said,
        &json!({
            "task->component": { "1": "spout", "2": "picky", "3": "picky" },
            "taskid": 1,
            "componentid": "spout",
            "streams": ["default"],
            "stream->outputfields": { "default": ["value"] },
            "stream->target->grouping": {
                "default": { "picky": { "type": "FIELDS", "fields": [] } },
            },
            "source->stream->grouping": {},
            "source->stream->fields": {},
        }),
    );
    let commands: Vec<&Json> = said[4..].iter().filter(|said| said.is_object()).collect();
    let count = |command: &str| commands.iter().filter(|said| said["command"] == command).count();
    assert_eq!(commands[0]["command"], "activate");
    assert_eq!((count("activate"), count("ack"), count("fail")), (1, 3, 1));
    let of = |command: &str, n: u64| {
        let is_it = |said: &&&Json| said["command"] == command && said["id"] == json!({ "n": n });
        commands.iter().filter(is_it).count()
    };
    assert_eq!((of("fail", 1), of("ack", 0), of("ack", 1), of("ack", 2)), (1, 1, 1, 1));
    assert!(count("next") >= 4);
    let answers: Vec<&Json> = said[4..].iter().filter(|said| said.is_array()).collect();
    assert_eq!(answers, [&json!([2]); 4]);
}
