//! Signals in the middle of real runs.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::kit::{Said, artifact, directory, signal, tormenta};

/// Writes numbered lines until nobody reads them any more. Each has the word `line` in it once.
fn feed(child: &mut Child) -> thread::JoinHandle<()> {
    let mut stdin = child.stdin.take().expect("piped");
    thread::spawn(move || {
        let lines = |from: u64| (from..from + 100).map(|n| format!("line {n} of {}\n", n % 97));
        let mut from = 0;
        while stdin.write_all(lines(from).collect::<String>().as_bytes()).is_ok() {
            from += 100;
        }
    })
}

#[expect(clippy::disallowed_methods, reason = "the moment of the signal is what is tested")]
pub(crate) fn wait(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
}

#[test]
fn what_was_read_is_counted_and_nothing_else() {
    for (round, name) in ["TERM", "INT", "TERM", "INT", "TERM", "TERM"].into_iter().enumerate() {
        let dir = directory();
        let counts = dir.path().join("counts.tsv");
        let mut child = tormenta(["demo", "word-count", "-o", "json", "--tasks", "2", "--output"])
            .arg(&counts)
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let feeding = feed(&mut child);
        wait(200 + 37 * round as u64);
        signal(name, child.id());
        let said = Said::from(child.wait_with_output().expect("it ends"));
        feeding.join().expect("fed");
        assert_eq!(said.code, Some(130), "{said:?}");
        assert!(said.err.contains("interrupted: nothing more is read"), "{said:?}");
        let json = said.json();
        let number = |field: &str| json[field].as_u64().expect(field);
        let ended = number("acked") + number("failed") + number("pending");
        assert_eq!(ended, number("emitted"), "{json}");
        assert_eq!(number("words"), 4 * number("lines"), "{json}");
        let table = fs::read_to_string(&counts).expect("written");
        let line = table.lines().find_map(|row| row.strip_prefix("line\t"));
        let seen: u64 = line.map_or(0, |count| count.parse().expect("a number"));
        assert_eq!(seen, number("acked"), "the table holds what was acked");
    }
}

/// Before the first line there is nothing to drain, and an end.
#[test]
fn an_artifact_that_waits_for_its_input_ends() {
    let mut child = Command::new(artifact())
        .args(["--summary", "json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let stdin = child.stdin.take();
    wait(300);
    signal("TERM", child.id());
    let mut first = String::new();
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    stderr.read_line(&mut first).expect("read");
    assert!(first.starts_with("interrupted: nothing more is read; 0 tuples"), "{first}");
    let said = Said::from(child.wait_with_output().expect("it ends"));
    assert_eq!(said.code, Some(130));
    assert_eq!(said.json()["interrupted"], true);
    drop(stdin);
}
