//! `tormenta demo fraud`: what it decides, and what is in its ledger.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use crate::kit::{Said, directory, file, said};

fn fraud(words: &[&str]) -> Said {
    said(["demo", "fraud", "-o", "json"].iter().chain(words))
}

/// Verdict, score and reasons by id, as somebody else reads them. Fails if an id comes twice.
pub(crate) fn decisions(ledger: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let text = fs::read_to_string(ledger).expect("a ledger");
    assert!(text.ends_with('\n'), "the last line is torn");
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).expect("JSON");
        assert!(value["latency_us"].is_u64() && value["rules"].is_u64(), "{line}");
        let id = value["id"].as_str().expect("an id").to_owned();
        let told = format!("{} {} {}", value["verdict"], value["score"], value["reasons"]);
        assert_eq!(found.insert(id, told), None, "decided twice: {line}");
    }
    found
}

const HANDBOOK: &str = "tx_id,epoch_s,customer_id,terminal_id,amount";

/// Rows of the Handbook's form: 40 cards, and now and then an amount that is far too large.
fn handbook(labels: bool) -> String {
    let mut text = format!("{HANDBOOK}{}\n", if labels { ",is_fraud,fraud_scenario" } else { "" });
    for n in 0..2_000u32 {
        let is_fraud = n > 1_000 && n % 97 == 0;
        let (cents, scenario) = (n * 7_919 % 5_000 + 500, if is_fraud { 3 } else { 0 });
        let cents = if is_fraud { 90_000 } else { cents };
        let (units, parts, time) = (cents / 100, cents % 100, 1_527_811_200 + 600 * n);
        text += &format!("{n},{time},{},{},{units}.{parts:02}", n % 40, n % 7);
        if labels {
            text += &format!(",{},{scenario}", u8::from(is_fraud));
        }
        text.push('\n');
    }
    text
}

#[test]
fn the_same_seed_decides_the_same_with_any_tasks() {
    let dir = directory();
    let ledgers: Vec<_> = ["1", "3"]
        .iter()
        .map(|tasks| {
            let path = dir.path().join(tasks);
            let ledger = path.to_str().expect("text");
            let words = ["--rate", "60000", "--duration", "0.5", "--tasks", tasks, "--ledger"];
            let said = fraud(&[&words[..], &[ledger]].concat());
            assert_eq!(said.code, Some(0), "{said:?}");
            let json = said.json();
            let counts = ["transactions", "decisions", "lost", "duplicated", "refused"];
            assert_eq!(counts.map(|name| json[name].as_u64()), [30_000, 30_000, 0, 0, 0].map(Some));
            let verdicts = ["approve", "challenge", "decline"].map(|name| json[name].as_u64());
            assert_eq!(verdicts.into_iter().flatten().sum::<u64>(), 30_000);
            let quantiles = ["p50", "p99", "p999", "max"];
            assert!(quantiles.iter().all(|q| json["latency_us"][q].as_f64() > Some(0.0)), "{json}");
            decisions(&path)
        })
        .collect();
    assert_eq!(ledgers[0].len(), 30_000);
    assert!(ledgers[0] == ledgers[1]);
    assert!(ledgers[0].values().any(|told| told.contains("decline")));
}

#[test]
fn labels_change_no_verdict() {
    let dir = directory();
    let [with, without] = [true, false].map(|labels| {
        let rows = file(&dir, &format!("{labels}.csv"), handbook(labels));
        let ledger = dir.path().join(format!("{labels}.jsonl"));
        let [rows, out] = [&rows, &ledger].map(|path| path.to_str().expect("text"));
        let said = fraud(&["--input", rows, "--format", "handbook", "--ledger", out]);
        (said.json(), decisions(&ledger))
    });
    assert_eq!(with.1, without.1);
    assert!(with.0["auc"].as_f64() > Some(0.95), "{}", with.0);
    assert!(with.0["per_kind"]["leaked_card"]["recall"].as_f64() >= Some(0.9), "{}", with.0);
    assert!(without.0.get("auc").is_none() && without.0.get("per_kind").is_none());
}

/// Payments at seven terminals. From the 600th on, all that is paid at one of them is a fraud.
fn tampered() -> (String, String) {
    let (mut rows, mut reports) =
        (format!("{HANDBOOK},is_fraud\n"), "tx_id,reported_s,customer_id,terminal_id\n".to_owned());
    for n in 0..3_000u32 {
        let (card, terminal, time) = (n % 40, n * 7 % 11 % 7, 1_527_811_200 + 600 * n);
        let is_fraud = n > 600 && terminal == 3;
        let (units, is_fraud) = (n * 7_919 % 50 + 5, u8::from(is_fraud));
        rows += &format!("{n},{time},{card},{terminal},{units}.00,{is_fraud}\n");
        if is_fraud == 1 {
            reports += &format!("{n},{},{card},{terminal}\n", time + 2 * 86_400);
        }
    }
    (rows, reports)
}

#[test]
fn chargebacks_show_what_a_payment_does_not() {
    let dir = directory();
    let (rows, reports) = tampered();
    let unlabelled: String = rows
        .lines()
        .filter_map(|line| line.rsplit_once(',').map(|(kept, _)| format!("{kept}\n")))
        .collect();
    let rows = file(&dir, "rows.csv", rows);
    let unlabelled = file(&dir, "unlabelled.csv", unlabelled);
    let reports = reports.replacen('\n', "\noops,1,2\nx,never,3,4\n", 1);
    let reports = file(&dir, "reports.csv", reports);
    let run = |name: &str, rows: &Path, more: &[&str]| {
        let ledger = dir.path().join(name);
        let [rows, out] = [rows, &ledger].map(|path| path.to_str().expect("text"));
        let words = ["--input", rows, "--format", "handbook", "--ledger", out];
        let said = fraud(&[&words[..], more].concat());
        assert_eq!(said.code, Some(0), "{said:?}");
        (said.json(), decisions(&ledger))
    };
    let chargebacks = ["--chargebacks", reports.to_str().expect("text")];
    let (alone, _) = run("alone", &rows, &[]);
    let (told, ledger) = run("told", &rows, &chargebacks);
    let (_, tasks) = run("tasks", &rows, &[&chargebacks[..], &["--tasks", "3"]].concat());
    let (plain, labels) = run("plain", &unlabelled, &chargebacks);
    assert!(ledger == tasks && ledger == labels, "the verdicts differ");
    assert!(plain.get("auc").is_none());
    assert!(alone["auc"].as_f64() < Some(0.6) && told["auc"].as_f64() > Some(0.8), "{told}");
    assert!(told["chargebacks"].as_u64() > Some(100) && alone["chargebacks"] == 0, "{told}");
    assert_eq!((&told["refused"], &alone["refused"]), (&2.into(), &0.into()));
    let words = "payments at this terminal were reported as fraud";
    assert!(ledger.values().any(|told| told.contains(words) && told.contains("decline")));
}

#[test]
fn chargebacks_that_make_no_sense_are_refused() {
    let dir = directory();
    let rows = file(&dir, "rows.csv", handbook(false));
    let lacking = file(&dir, "lacking.csv", "tx_id,reported_s,customer_id\n");
    let [rows, lacking] = [&rows, &lacking].map(|path| path.to_str().expect("text"));
    let words = ["--input", rows, "--format", "handbook", "--chargebacks"];
    fraud(&[&words[..], &[lacking]].concat())
        .refused(1, &["lacking.csv` has no column `terminal_id`"]);
    fraud(&[&words[..], &["lost.csv"]].concat()).refused(3, &["`lost.csv` does not exist"]);
    fraud(&["--chargebacks", lacking]).refused(2, &["--input"]);
    fraud(&["--cards-max", "5"]).refused(2, &["use 32768 to"]);
}

#[test]
fn what_makes_no_sense_is_named() {
    let dir = directory();
    let rows = format!("{HANDBOOK}\n1,100,5,6,10.00\n2,101,5,6,-3.00\n3,102,5,6\n4,103,5,6,1.00\n");
    let rows = file(&dir, "rows.csv", rows);
    let rows = rows.to_str().expect("text");
    let said = fraud(&["--input", rows, "--format", "handbook"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!((&said.json()["decisions"], &said.json()["refused"]), (&2.into(), &2.into()));
    let lacking = file(&dir, "lacking.csv", "tx_id,epoch_s,customer_id,amount\n");
    let lacking = lacking.to_str().expect("text");
    fraud(&["--input", lacking, "--format", "handbook"])
        .refused(1, &["lacking.csv` has no column `terminal_id`"]);
    fraud(&["--input", rows, "--format", "sparkov"]).refused(1, &["has no column `trans_num`"]);
    fraud(&["--input", "lost.csv", "--format", "sparkov"])
        .refused(3, &["`lost.csv` does not exist"]);
    fraud(&["--rate", "0"]).refused(2, &["use a number above 0"]);
    fraud(&["--rate", "-1"]).refused(2, &["use a number above 0"]);
    fraud(&["--duration", "-1"]).refused(2, &["use a number of seconds above 0"]);
    fraud(&["--input", rows]).refused(2, &["--format"]);
    fraud(&["--ledger", "lost/there.jsonl"]).refused(3, &["its directory does not exist"]);
    let other = file(&dir, "other.txt", "not a ledger\n");
    fraud(&["--ledger", other.to_str().expect("text")]).refused(1, &["line 1 is no decision"]);
    assert_eq!(fs::read(&other).expect("there"), b"not a ledger\n");
}

#[test]
fn quoted_newlines_are_one_field() {
    let dir = directory();
    let header = "trans_num,unix_time,cc_num,merchant,amt,merch_lat,merch_long,job";
    let rows = format!(
        "{header}\na,1325376018,5,\"Rippin,\nand Mann\",4.97,36.0,-82.0,\"x\ny\"\n\
         b,1325376000,5,Other,5.00,36.0,-82.0,z\n"
    );
    let (rows, ledger) = (file(&dir, "rows.csv", rows), dir.path().join("ledger"));
    let [rows, out] = [&rows, &ledger].map(|path| path.to_str().expect("text"));
    let said = fraud(&["--input", rows, "--format", "sparkov", "--ledger", out]);
    assert_eq!((said.code, &said.json()["decisions"]), (Some(0), &2.into()));
    assert!(decisions(&ledger)["b"].contains("before an earlier use"), "{said:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_it_with_a_word() {
    let said = fraud(&["--rate", "5000", "--duration", "1", "--ledger", "/dev/full"]);
    said.refused(1, &["write the ledger `/dev/full`: No space left", "make room"]);
}

#[test]
fn rows_that_are_left_out_are_named() {
    let dir = directory();
    let bad: String = (0..7).map(|n| format!("b{n},100,5,6,-1\n")).collect();
    let good: String = (0..190).map(|n| format!("{n},100,5,6,1.00\n")).collect();
    let rows = file(&dir, "rows.csv", format!("{HANDBOOK}\n{bad}1,100,5,6,\"1\n{good}"));
    let words = ["--input", rows.to_str().expect("text"), "--format", "handbook"];
    let run = fraud(&words);
    counts(&run, [190, 8]);
    assert!(run.err.contains("rows.csv:2: `amount` is `-1`; use"), "{}", run.err);
    assert!(run.err.contains("  and 3 more\n") && !run.err.contains("rows.csv:7"), "{}", run.err);
    assert_eq!(fraud(&[&words[..], &["-q"]].concat()).err, "");
    let other = format!("{HANDBOOK}\n1,100,5,6,\"1\n{good}2,100,5,6,\"1\n");
    let two = file(&dir, "two.csv", other);
    let run = fraud(&["--input", two.to_str().expect("text"), "--format", "handbook"]);
    counts(&run, [0, 1]);
    assert!(run.err.contains("two.csv:2: ") && run.err.contains("it ends in line 193"), "{run:?}");
    // A quote that is not closed costs its line, not the file.
    let rows = file(&dir, "quote.csv", format!("{HANDBOOK}\n1,100,5,6,\"1\n{good}"));
    let words = ["--input", rows.to_str().expect("text"), "--format", "handbook"];
    let run = fraud(&words);
    counts(&run, [190, 1]);
    let why = "quote.csv:2: a quote is opened and not closed, so that everything up to line 192";
    assert!(run.err.contains("1 row was left out:\n") && run.err.contains(why), "{}", run.err);
    let table = said(["demo", "fraud", "-q"].iter().chain(&words));
    assert_eq!((table.code, table.out(), table.err), (Some(0), String::new(), String::new()));
}

/// Fails unless so many transactions were decided, and so many rows refused.
#[track_caller]
fn counts(run: &Said, numbers: [u64; 2]) {
    assert_eq!(run.code, Some(0), "{run:?}");
    let json = run.json();
    assert_eq!(["decisions", "refused"].map(|name| json[name].as_u64()), numbers.map(Some));
}

#[test]
fn what_is_no_file_is_refused_before_anything_starts() {
    let dir = directory();
    let format = ["--format", "handbook"];
    let refused = |input: &str, words: &[&str]| {
        fraud(&[&["--input", input][..], &format].concat()).refused(1, words);
    };
    refused("-", &["`-` is no file", "reads its input again"]);
    if cfg!(unix) {
        refused("/dev/stdin", &["`/dev/stdin` is no file but a pipe or a device"]);
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo starts").success());
        refused(pipe.to_str().expect("text"), &["pipe` is no file but a pipe"]);
    }
    let empty = file(&dir, "empty.csv", "");
    refused(empty.to_str().expect("text"), &["empty.csv` is empty"]);
    let odd = file(&dir, "odd.csv", "a\u{1b}[31mb\u{7},c\n");
    refused(odd.to_str().expect("text"), &[r"only `a\u{1b}[31mb\u{7}`, `c`"]);
    let binary = file(&dir, "binary.csv", [0; 5_000]);
    refused(binary.to_str().expect("text"), &[r"is no text: it begins with `\0\0", "..`"]);
    // It is the content that says whether a file is packed.
    let plain = file(&dir, "plain.csv.gz", format!("{HANDBOOK}\n1,100,5,6,1.00\n"));
    let run = fraud(&[&["--input", plain.to_str().expect("text")][..], &format].concat());
    counts(&run, [1, 0]);
}

#[test]
fn the_summary_counts_as_people_do() {
    let dir = directory();
    let rows = file(&dir, "rows.csv", format!("{HANDBOOK}\n1,1,5,6,1.00\n1,2,5,6,1.00\n"));
    let ledger = dir.path().join("ledger");
    let [rows, ledger] = [&rows, &ledger].map(|path| path.to_str().expect("text"));
    let words = ["--input", rows, "--format", "handbook", "--ledger", ledger];
    let run = || said(["demo", "fraud"].iter().chain(&words));
    let first = run().out();
    assert!(first.contains("1 has the id of another one of this run, and is not in"), "{first}");
    assert!(!first.contains("decided before"), "{first}");
    assert!(first.contains("latency p50") && first.contains("has 1 line\n"), "{first}");
    let again = run();
    assert!(again.err.contains("holds 1 decision, which stays\n"), "{}", again.err);
    assert!(again.out().contains("2 were decided before, by an earlier run"), "{again:?}");
    assert!(!again.out().contains("has the id"), "{again:?}");
    assert!(!again.out().contains("latency"), "{again:?}");
    let short = said(["demo", "fraud", "--rate", "1", "--duration", "1"]).out();
    assert!(short.starts_with("1 transaction, 1 decision, "), "{short}");
    assert!(short.contains("no frauds yet: the first 25,000 transactions are genuine"), "{short}");
    let words = ["--input", rows, "--format", "handbook", "--chargebacks", "lost.csv"];
    fraud(&words).refused(3, &["--chargebacks: `lost.csv` does not exist"]);
}
