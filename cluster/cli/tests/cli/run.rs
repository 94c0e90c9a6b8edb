//! `tormenta run`, and artifacts by themselves.

use std::process::Command;

use crate::kit::{Said, artifact, directory, file, said};

fn hello(words: &[&str]) -> Said {
    Command::new(artifact()).args(words).output().expect("it starts").into()
}

#[test]
fn an_artifact_runs() {
    let artifact = artifact();
    let run = said(["run".as_ref(), artifact.as_os_str()]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.out().starts_with("4  the\n2  But\n2  Neither\n"), "{run:?}");
    assert!(run.err.contains("lines: 8 emitted, 8 acked"), "{run:?}");
    assert_eq!(hello(&[]).out(), run.out());
}

#[test]
fn words_reach_the_topology() {
    let dir = directory();
    let text = file(&dir, "text", "b a b\n");
    let text = text.to_str().expect("text");
    let artifact = artifact();
    let run = said(["run", artifact.to_str().expect("text"), "--", text]);
    assert_eq!(run.out(), "2  b\n1  a\n");
    assert_eq!(hello(&[text]).out(), run.out());
    assert_eq!(hello(&["--", text]).out(), run.out());
}

#[test]
fn the_summary_is_what_was_asked_for() {
    let artifact = artifact();
    let artifact = artifact.to_str().expect("text");
    let json = said(["run", artifact, "-o", "json"]);
    let last = json.out().lines().last().map(str::to_owned).expect("a line");
    let summary: serde_json::Value = serde_json::from_str(&last).expect("JSON");
    assert_eq!((&summary["exit_code"], &summary["interrupted"]), (&0.into(), &false.into()));
    assert_eq!(summary["metrics"]["components"][0]["acked"], 8);
    assert_eq!(said(["run", artifact, "-q"]).err, "");
}

#[test]
fn a_plan_needs_no_input() {
    let tree = hello(&["describe", "/lost"]);
    assert_eq!(tree.code, Some(0), "{tree:?}");
    assert!(tree.out().contains("bolt  split x2"), "{tree:?}");
    assert!(hello(&["describe", "--dot", "/lost"]).out().starts_with("digraph"));
    assert_eq!(hello(&["describe", "--json"]).json()["components"][1]["name"], "split");
}

#[test]
fn mistakes_have_their_codes() {
    hello(&["/lost"]).refused(3, &["`/lost` does not exist"]);
    hello(&["--tasks", "2"]).refused(2, &["go after `--`: `-- --tasks`"]);
    hello(&["describe", "--xml"]).refused(2, &["`--xml` is no option"]);
    assert_eq!(hello(&["--help"]).code, Some(0));
}
