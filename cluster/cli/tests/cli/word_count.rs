//! `tormenta demo word-count`: what it counts.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    process::Stdio,
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};

use crate::kit::{count, directory, file, names, tormenta};

const BOOK: &[u8] = include_bytes!("../../assets/war-and-peace.txt.gz");

/// The table of a text, by the rule and in the fewest words.
fn table(text: &[u8]) -> Vec<u8> {
    let mut counts = BTreeMap::<Vec<u8>, u64>::new();
    let words = text.split(|byte| [0x09, 0x0a, 0x0c, 0x0d, 0x20].contains(byte));
    for word in words.filter(|word| !word.is_empty()) {
        *counts.entry(word.to_vec()).or_default() += 1;
    }
    let line = |(word, count): (Vec<u8>, u64)| [word, format!("\t{count}\n").into()].concat();
    let mut lines: Vec<_> = counts.into_iter().map(line).collect();
    lines.sort_unstable();
    lines.concat()
}

fn unpacked_book() -> Vec<u8> {
    let mut text = Vec::new();
    GzDecoder::new(BOOK).read_to_end(&mut text).expect("unpacked");
    text
}

#[test]
fn the_book_is_counted_exactly_whatever_the_tasks() {
    let (dir, text) = (directory(), unpacked_book());
    let expected = table(&text);
    for tasks in ["1", "2", "5"] {
        let path = dir.path().join("counts.tsv");
        let output = path.to_str().expect("text");
        let said = count(["-o", "json", "--tasks", tasks, "--output", output]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(fs::read(&path).expect("written") == expected, "{tasks} tasks");
        let json = said.json();
        let lines = text.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!((&json["lines"], &json["acked"]), (&lines.into(), &lines.into()));
        assert_eq!(json["distinct_words"], expected.split(|byte| *byte == b'\n').count() - 1);
        assert_eq!((&json["failed"], &json["replayed"]), (&0.into(), &0.into()));
        for field in ["words", "seconds", "words_per_second"] {
            assert!(json[field].as_f64() > Some(0.0), "{field} in {json}");
        }
        for quantile in ["p50", "p99", "max"] {
            assert!(json["complete_latency_us"][quantile].as_f64() > Some(0.0), "{json}");
        }
        assert_eq!(names(dir.path()), ["counts.tsv"]);
    }
}

#[test]
fn any_bytes_from_anywhere() {
    let dir = directory();
    let texts: [&[u8]; 3] = [
        b"the\x01 the\tthe\x0cThe \xff\xfe caf\xc3\xa9\r\n\r\n the,",
        b"a\0 a a\0\0 exactly-fifteen exactly-sixteen. and-more-than-sixteen",
        b"\n \n",
    ];
    file(&dir, "plain.txt", texts[0]);
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(texts[1]).expect("packed");
    file(&dir, "packed", packed.finish().expect("packed"));
    let mut child = tormenta(["demo", "word-count", "-q", "--tasks", "3", "--output"])
        .arg(dir.path().join(".counts"))
        .arg("-")
        .arg(dir.path())
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(texts[2]).and_then(|()| stdin.write_all(b"the")).expect("written");
    drop(stdin);
    assert!(child.wait().expect("it ends").success());
    let all = [texts[0], b"\n", texts[1], b"\nthe"].concat();
    let found = fs::read(dir.path().join(".counts")).expect("written");
    assert_eq!(String::from_utf8_lossy(&found), String::from_utf8_lossy(&table(&all)));
}

#[test]
fn the_top_is_data_and_the_rest_is_talk() {
    let (dir, text) = (directory(), "b a b\nc a b\n");
    let path = file(&dir, "text", text);
    let said = count([&path]);
    assert_eq!(said.out(), "count  word\n    3  b\n    2  a\n    1  c\n");
    assert!(said.err.starts_with("6 words in 2 lines, 3 distinct, in "), "{said:?}");
    let quiet = count([path.as_os_str(), "-q".as_ref()]);
    assert_eq!((quiet.out(), &quiet.err[..]), (said.out(), ""));
    let json = count([path.as_os_str(), "-o".as_ref(), "ndjson".as_ref()]);
    assert_eq!(json.json()["top"][0][0], "b");
    assert_eq!((json.out().lines().count(), &json.err[..]), (1, ""));
}

#[test]
fn nothing_is_a_text_too() {
    let dir = directory();
    let (empty, counts) = (file(&dir, "empty", ""), dir.path().join("counts"));
    let said = count(["--output".as_ref(), counts.as_os_str(), empty.as_os_str()]);
    assert_eq!((said.code, fs::read(&counts).expect("written")), (Some(0), Vec::new()));
}
