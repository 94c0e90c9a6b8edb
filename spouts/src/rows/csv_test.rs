//! CSV and JSON files in, tuples and bad rows out.

use std::{fs, io::Write};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tormenta_dsl::{BadInput, RawInput, Result, Spout, Tuple};

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

/// All tuples of one task, and how it ended; no row may be bad.
fn read<S: Spout<Id = ()>>(spout: S) -> (Vec<S::Output>, Result) {
    let (read, bad, result) = read_all(spout);
    assert_eq!(bad, []);
    (read, result)
}

/// The input of bad rows, and why they are bad.
type Bad = Vec<(RawInput, String)>;

/// All tuples of one task, its bad rows, and how it ended.
fn read_all<S: Spout<Id = ()>>(mut spout: S) -> (Vec<S::Output>, Bad, Result) {
    let (mut read, mut bad) = (Vec::new(), Vec::new());
    if let Err(error) = block_on(spout.prepare(&context(0, 1, &ManualTimer::new()))) {
        return (read, bad, Err(error));
    }
    loop {
        match block_on(spout.next()) {
            Ok(Some((tuple, ()))) => read.push(tuple),
            Ok(None) => return (read, bad, Ok(())),
            Err(error) if error.is_poison() => {
                let input = BadInput::find(&error).expect("the input").input().clone();
                let why = error.chain();
                let why = why.strip_prefix(&input.origin).and_then(|why| why.strip_prefix(": "));
                bad.push((input, why.expect("the origin goes first").to_owned()));
            }
            Err(error) => return (read, bad, Err(error)),
        }
    }
}

/// The rows of a file, and the lines and mistakes of its bad ones.
fn csv(text: &[u8]) -> (Vec<Swipe>, Vec<(u64, String)>) {
    let dir = directory(&[("swipes.csv", text)]);
    let path = dir.path().join("swipes.csv");
    let (read, bad, result) = read_all(CsvRows::<Swipe>::at(&path));
    result.expect("bad rows end nothing");
    (read, bad.into_iter().map(|(input, why)| (line(&input, &path), why)).collect())
}

fn line(input: &RawInput, path: &std::path::Path) -> u64 {
    let line = input.origin.strip_prefix(&format!("{}:", path.display()));
    line.and_then(|line| line.parse().ok()).expect("the file and the line")
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
fn what_a_header_says_is_shown_harmless_and_short() {
    let names: Vec<String> = (0..40).map(|n| format!("c{n}")).collect();
    let header = format!("\x1b[31mred,{},{}\n", "long".repeat(20), names.join(","));
    let dir = directory(&[("a.csv", header.as_bytes())]);
    let text = read(CsvRows::<Swipe>::at(dir.path())).1.expect_err("refused").to_string();
    assert!(text.contains(r"its columns are `\u{1b}[31mred`, `longlong"), "{text}");
    assert!(text.contains("long..`, `c0`") && text.contains("`c29` and 10 more: "), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
    let (_, bad) = csv(b"card,amt,shop\n\x1b[2J,1,ok\n");
    assert!(bad[0].1.starts_with(r"column `card` is `\u{1b}[2J`: "), "{}", bad[0].1);
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
    let (rows, bad, result) = read_all(JsonLines::<Swipe>::at(dir.path()));
    result.expect("bad rows end nothing");
    let once = [swipe(1, 1.5, ""), swipe(3, 3.0, "x")];
    assert_eq!(rows, [once.clone(), once].concat());
    for (half, name) in [(&bad[..3], "a.jsonl"), (&bad[3..], "b.jsonl.gz")] {
        let path = dir.path().join(name);
        let lines: Vec<u64> = half.iter().map(|(input, _)| line(input, &path)).collect();
        assert_eq!(lines, [4, 5, 7]);
        assert_eq!(half[0].1, "missing field `amt` at column 10");
        let texts = half.iter().map(|(input, _)| input.text.as_str());
        assert!(texts.eq(["{\"card\":2}", "[", "{\"card\":4,\"am"]));
    }
}

#[test]
fn a_bad_row_is_shown_as_it_is_and_a_long_one_is_cut() {
    let long = "x".repeat(9_000);
    let text = format!(
        "card,amt,shop\n\"1\",1,\"a\n\"\"b\"\r\nx,\"1\n\",\n{long},1,\n2,2,{long}\n3,3,c\n"
    );
    let dir = directory(&[("a.csv", text.as_bytes())]);
    let rows = CsvRows::<Swipe>::at(dir.path().join("a.csv")).row_bytes_max(8_000);
    let (rows, bad, result) = read_all(rows);
    result.expect("bad rows end nothing");
    assert_eq!(rows, [swipe(1, 1.0, "a\n\"b"), swipe(3, 3.0, "c")]);
    let cut = |prefix: usize| (9_000 + prefix - BadInput::BYTES_MAX) as u64;
    let inputs: Vec<_> = bad.iter().map(|(input, _)| (&input.text[..], input.cut_bytes)).collect();
    assert_eq!(inputs[0], ("x,\"1\n\",", 0));
    assert_eq!(inputs[1].0, &long[..BadInput::BYTES_MAX]);
    assert!(inputs[2].0.starts_with("2,2,xxx"));
    // With the end of the row, where that was read.
    assert_eq!((inputs[1].1, inputs[2].1), (cut(3) + 1, cut(4) + 1));
    assert!(bad[1].1.starts_with("the row is longer than 8000 bytes"));
}
