//! `tormenta demo fraud`, killed and interrupted.
//!
//! `TORMENTA_KILLS=100 cargo test --release -p tormenta-cli --test cli killed` kills it a hundred
//! times, where the test kills it eight times.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::{
    fraud::decisions,
    kit::{Said, directory, said, tormenta},
};

/// Transactions of a run, and how long it paces them.
const RATE: &str = "40000";
const SECONDS: &str = "1";

fn words(ledger: &Path) -> Vec<String> {
    let ledger = ledger.to_str().expect("text");
    let words = ["demo", "fraud", "-q", "-o", "json", "--rate", RATE, "--duration", SECONDS];
    words.into_iter().chain(["--ledger", ledger]).map(str::to_owned).collect()
}

#[expect(clippy::disallowed_methods, reason = "the moment of the signal is what is tested")]
fn wait(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
}

/// Until the ledger has grown to so many bytes, or the run has ended.
fn wait_for(bytes: u64, ledger: &Path, child: &mut Child) {
    let length = || fs::metadata(ledger).map_or(0, |about| about.len());
    while length() < bytes && child.try_wait().expect("a child").is_none() {
        wait(1);
    }
}

/// Each time it is started again with the same ledger, and killed a little later.
#[test]
fn killed_at_any_moment_it_goes_on_where_it_was() {
    let dir = directory();
    let [killed, whole] = ["killed", "whole"].map(|name| dir.path().join(name));
    assert_eq!(said(words(&whole)).code, Some(0));
    let bytes = fs::metadata(&whole).expect("a ledger").len();
    let kills: u64 = std::env::var("TORMENTA_KILLS").map_or(8, |n| n.parse().expect("a number"));
    let mut dice = 0x2545_F491_4F6C_DD1Du64;
    for kill in 0..kills {
        let mut child =
            tormenta(words(&killed)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Somewhere in its share of the ledger; now and then at once, while it still starts.
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = (dice >> 40) as f64 / (1u64 << 24) as f64;
        match kill % 5 {
            4 => wait((30.0 * share) as u64),
            _ => {
                let done = (kill as f64 + share) / (kills + 1) as f64;
                wait_for((bytes as f64 * done) as u64, &killed, &mut child);
            }
        }
        child.kill().and_then(|()| child.wait()).expect("killed");
        let lines = fs::read(&killed).unwrap_or_default();
        assert!(lines.len() as u64 <= bytes + bytes / 10, "kill {kill}: the ledger is too long");
    }
    // As if the last line had been torn as well.
    let mut torn = fs::read(&killed).unwrap_or_default();
    torn.extend_from_slice(b"{\"id\":\"g1-3");
    fs::write(&killed, torn).expect("written");
    let last = said(words(&killed));
    assert_eq!(last.code, Some(0), "{last:?}");
    assert_eq!((&last.json()["lost"], &last.json()["duplicated"]), (&0.into(), &0.into()));
    assert!(decisions(&killed) == decisions(&whole), "the decisions differ");
}

/// Starts a run without an end, signals it, and returns what it says.
#[cfg(unix)]
fn signalled(ledger: &Path, names: &[&str], more: &[&str]) -> (Said, Value) {
    let ledger_name = ledger.to_str().expect("text");
    let words = ["demo", "fraud", "-o", "json", "--duration", "600", "--ledger", ledger_name];
    let mut child = tormenta(words.iter().chain(more))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    wait_for(1, ledger, &mut child);
    wait(100);
    names.iter().for_each(|name| crate::kit::signal(name, child.id()));
    let said = Said::from(child.wait_with_output().expect("it ends"));
    assert_eq!(said.code, Some(130), "{said:?}");
    let json = said.json();
    (said, json)
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_with_numbers_that_are_true() {
    let dir = directory();
    let ways: [(&[&str], &[&str]); 4] = [
        (&["TERM"], &[]),
        (&["INT"], &["--rate", "3000"]),
        (&["TERM"], &["--tasks", "3"]),
        (&["INT", "INT"], &["--tasks", "2"]),
    ];
    for (index, (names, more)) in ways.into_iter().enumerate() {
        let ledger = dir.path().join(index.to_string());
        let (said, json) = signalled(&ledger, names, more);
        let number = |name: &str| json[name].as_u64().expect(name);
        let verdicts = ["approve", "challenge", "decline"].map(number);
        assert_eq!(verdicts.iter().sum::<u64>(), number("decisions"), "{json}");
        assert_eq!(number("decisions") + number("pending"), number("transactions"), "{json}");
        assert_eq!([number("lost"), number("duplicated")], [0, 0], "{json}");
        assert_eq!(json["interrupted"], true);
        assert!(number("decisions") > 0, "{json}");
        assert_eq!(decisions(&ledger).len() as u64, number("decisions"), "{json}");
        // Two signals at once are one wish: `timeout` sends two.
        assert_eq!(number("pending"), 0, "{said:?}");
        assert!(!said.err.contains("interrupted again"), "{said:?}");
    }
}

/// The ledger is a pipe that nobody empties, so the end takes as long as the test likes.
#[cfg(unix)]
#[test]
fn who_is_cut_off_is_told_what_is_missing() {
    use std::{fs::File, io::Read};

    let dir = directory();
    let ledger = dir.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&ledger).status().expect("it starts").success());
    let name = ledger.to_str().expect("text");
    let words = ["demo", "fraud", "-o", "json", "--duration", "600", "--tasks", "3", "--ledger"];
    let child = tormenta(words.into_iter().chain([name]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut pipe = File::open(&ledger).expect("opened");
    wait(500);
    crate::kit::signal("INT", child.id());
    wait(700);
    crate::kit::signal("INT", child.id());
    wait(100);
    let reading = thread::spawn(move || pipe.read_to_end(&mut Vec::new()));
    let said = Said::from(child.wait_with_output().expect("it ends"));
    reading.join().expect("read").expect("whole");
    assert_eq!(said.code, Some(130), "{said:?}");
    let json = said.json();
    let undecided = json["undecided"].as_array().expect("some are missing");
    assert!((1..=5).contains(&undecided.len()), "{said:?}");
    let first = undecided[0].as_str().expect("an id");
    assert!(said.err.contains(&format!("not decided (`{first}`")), "{}", said.err);
    assert!(said.err.contains("run the same again with the same ledger"), "{}", said.err);
}
