//! CSV and JSON files in, tuples and bad rows out.

use std::{fs, io::Write};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tormenta_dsl::{Result, Spout, Tuple};

use super::*;
use crate::testing::{ManualTimer, block_on, context};

#[derive(Tuple, Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Swipe {
    card: u64,
    #[serde(rename = "amt")]
    amount: f64,
    shop: Option<String>,
}

fn swipe(card: u64, amount: f64, shop: &str) -> Swipe {
    let shop = (!shop.is_empty()).then(|| shop.to_owned());
    Swipe { card, amount, shop }
}

fn directory(files: &[(&str, &[u8])]) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, bytes) in files {
        fs::write(directory.path().join(name), bytes).expect("written");
    }
    directory
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text).expect("packed");
    packed.finish().expect("packed")
}

/// All tuples of one task, and how it ended.
fn read<S: Spout<Id = ()>>(mut spout: S) -> (Vec<S::Output>, Result) {
    let mut read = Vec::new();
    if let Err(error) = block_on(spout.prepare(&context(0, 1, &ManualTimer::new()))) {
        return (read, Err(error));
    }
    loop {
        match block_on(spout.next()) {
            Ok(Some((tuple, ()))) => read.push(tuple),
            Ok(None) => return (read, Ok(())),
            Err(error) => return (read, Err(error)),
        }
    }
}

fn csv(text: &[u8]) -> (Vec<Swipe>, Vec<(u64, String)>) {
    let dir = directory(&[("swipes.csv", text)]);
    let rows = CsvRows::<Swipe>::at(dir.path().join("swipes.csv"));
    let bad = rows.bad_rows();
    let (read, result) = read(rows);
    result.expect("bad rows end nothing");
    let bad = bad.latest().into_iter();
    (read, bad.map(|row| (row.line, row.error)).collect())
}

#[test]
fn columns_are_found_by_name_in_any_order() {
    let (rows, bad) = csv(b"\xef\xbb\xbfamt,zip,shop,card\n1.5,1,\"a,b\",7\r\n2,1,,8");
    assert_eq!((rows, bad.len()), (vec![swipe(7, 1.5, "a,b"), swipe(8, 2.0, "")], 0));
}

#[test]
fn a_column_that_may_be_missing_may_be_missing() {
    assert_eq!(csv(b"card,amt\n7,1\n").0, [swipe(7, 1.0, "")]);
}

#[test]
fn empty_files_and_lone_headers_have_no_rows() {
    for text in [&b""[..], b"\n\n", b"card,amt", b"card,amt\n"] {
        assert_eq!(csv(text), (vec![], vec![]), "{text:?}");
    }
}

#[test]
fn bad_rows_are_named_by_line_and_the_rest_goes_on() {
    let text = b"card,amt,shop\n1,1,\"two\nlines\"\nx,2,\n3,3\n4,4,\xff\n5,5,ok\n6,6";
    let (rows, bad) = csv(text);
    assert_eq!(rows, [swipe(1, 1.0, "two\nlines"), swipe(5, 5.0, "ok")]);
    let lines: Vec<u64> = bad.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [4, 5, 6, 8]);
    assert_eq!(bad[0].1, "column `card` is `x`: invalid digit found in string");
    assert_eq!(bad[1].1, "2 fields where 3 are wanted");
    assert!(bad[2].1.starts_with("column `shop` is"), "{}", bad[2].1);
    assert_eq!(bad[3].1, "2 fields where 3 are wanted");
}

#[test]
fn wrong_columns_are_told_at_the_start_with_the_file() {
    let dir = directory(&[("good.csv", b"card,amt\n"), ("wrong.csv", b"Card,amount\n1,2\n")]);
    let rows = CsvRows::<Swipe>::at(dir.path());
    assert!(rows.check().is_err());
    let (rows, result) = read(rows);
    let text = result.expect_err("refused").to_string();
    let expected = "wrong.csv` has no columns `card`, `amt`; its columns are `Card`, `amount`: ";
    assert!(rows.is_empty() && text.contains(expected), "{text}");
}

#[test]
fn a_header_is_optional() {
    let dir = directory(&[("a.tsv", b"7\t1.5\tx\n8\t2\t\n")]);
    let rows = || CsvRows::<Swipe>::at(dir.path()).delimiter(b'\t');
    let expected = [swipe(7, 1.5, "x"), swipe(8, 2.0, "")];
    assert_eq!(read(rows().no_header()).0, expected);
    assert_eq!(read(rows().columns(["card", "amt", "shop"])).0, expected);
    let text = read(rows().columns(["a", "b", "c"])).1.expect_err("refused").to_string();
    assert!(text.contains("has no columns `card`, `amt`"), "{text}");
    let comma = CsvRows::<Swipe>::at(dir.path()).no_header();
    let text = read(comma).1.expect_err("refused").to_string();
    assert!(text.contains("has 1 columns where 3 are wanted"), "{text}");
}

#[test]
fn large_packed_files_are_whole_and_torn_ones_say_so() {
    let row = |n: u64| format!("{n},{n}.5,\"shop \n{n}\"\n");
    let text = "card,amt,shop\n".to_owned() + &(0..60_000).map(row).collect::<String>();
    let packed = gzip(text.as_bytes());
    let dir = directory(&[("a.csv.gz", &packed), ("b.csv.gz", &packed[..packed.len() / 2])]);
    let (rows, result) = read(CsvRows::<Swipe>::at(dir.path().join("a.csv.gz")));
    result.expect("no error");
    assert_eq!(rows.len(), 60_000);
    assert!(rows.iter().zip(0..).all(|(row, n)| row.card == n));
    let (rows, result) = read(CsvRows::<Swipe>::at(dir.path().join("b.csv.gz")));
    let text = result.expect_err("torn").to_string();
    assert!(rows.len() > 10_000 && text.contains("b.csv.gz` is torn"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_pipe_with_wrong_columns_ends_the_spout() {
    let dir = directory(&[]);
    let path = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    for (text, expected) in [("card,amt\n1,2\n", Ok(1)), ("x\n1\n", Err("has no columns"))] {
        let writer = std::thread::spawn({
            let path = path.clone();
            move || fs::write(path, text)
        });
        let (rows, result) = read(CsvRows::<Swipe>::at(&path));
        writer.join().expect("joined").expect("written");
        match (expected, result) {
            (Ok(count), Ok(())) => assert_eq!(rows.len(), count),
            (Err(what), Err(error)) => assert!(error.to_string().contains(what), "{error}"),
            (expected, result) => panic!("{expected:?}, {result:?}"),
        }
    }
}

#[test]
fn json_lines_are_tuples_or_bad_rows() {
    let text = b"\xef\xbb\xbf{\"card\":1,\"amt\":1.5,\"zip\":0}\r\n\n  \n{\"card\":2}\n[\n\
        {\"card\":3,\"amt\":3,\"shop\":\"x\"}\n{\"card\":4,\"am";
    let dir = directory(&[("a.jsonl", text), ("b.jsonl.gz", &gzip(text))]);
    let calls = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let rows = JsonLines::<Swipe>::at(dir.path()).on_bad_row({
        let calls = calls.clone();
        move |_| {
            calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    });
    let bad = rows.bad_rows();
    let (rows, result) = read(rows);
    result.expect("bad rows end nothing");
    let once = [swipe(1, 1.5, ""), swipe(3, 3.0, "x")];
    assert_eq!(rows, [once.clone(), once].concat());
    let lines: Vec<u64> = bad.latest().iter().map(|row| row.line).collect();
    assert_eq!(lines, [4, 5, 7, 4, 5, 7]);
    assert_eq!(bad.latest()[0].error, "missing field `amt` at column 10");
    assert_eq!((bad.count(), calls.load(std::sync::atomic::Ordering::Relaxed)), (6, 6));
}
