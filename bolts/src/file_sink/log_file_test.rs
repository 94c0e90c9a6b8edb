//! What is in the file when something went wrong, and when nothing did.

use std::{fs, path::Path};

use super::log_file::{Fault, LOOK_BYTES, LogFile, Shape};

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("a file")
}

fn shape(header: &str, is_quoted: bool) -> Shape {
    Shape { header: header.as_bytes().to_vec(), is_quoted }
}

#[test]
fn a_torn_last_line_is_cut_off() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a");
    let long = format!("one\n{}", "x".repeat(3 * LOOK_BYTES));
    for (before, is_quoted, whole) in [
        ("one\ntw", false, "one\n"),
        ("one\n", false, "one\n"),
        ("o", false, ""),
        ("", false, ""),
        (&*long, false, "one\n"),
        ("1,\"a\nb\"\n2,\"c\nd", true, "1,\"a\nb\"\n"),
        ("1,\"a\n\"\"b\"\n2", true, "1,\"a\n\"\"b\"\n"),
    ] {
        fs::write(&path, before).expect("written");
        let mut log = LogFile::open(&path, &shape("", is_quoted), true).expect("opened");
        assert_eq!(text(&path), whole);
        log.write(b"new\n").expect("written");
        assert_eq!(text(&path), format!("{whole}new\n"));
    }
}

#[test]
fn every_file_begins_with_the_header() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.csv");
    fs::write(dir.path().join("a-000041.csv"), "old\n").expect("written");
    for is_append in [false, true] {
        let mut log = LogFile::open(&path, &shape("n\n", true), is_append).expect("opened");
        log.write(b"1\n").expect("written");
        assert_eq!(log.lines_bytes(), if is_append { 4 } else { 2 });
    }
    assert_eq!(text(&path), "n\n1\n1\n");
    let mut log = LogFile::open(&path, &shape("n\n", true), true).expect("opened");
    log.rotate().expect("rotated");
    log.write(b"2\n").expect("written");
    assert_eq!(text(&path), "n\n2\n");
    assert_eq!(text(&dir.path().join("a-000042.csv")), "n\n1\n1\n");
}

#[test]
fn a_full_disk_loses_nothing_that_was_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a");
    let mut log = LogFile::open(&path, &Shape::default(), false).expect("opened");
    log.write(b"kept\n").expect("written");
    log.keep();
    log.write(b"written\n").expect("written");
    log.fault = Some(Fault::Full(3));
    let error = log.write(b"torn\n").expect_err("full").to_string();
    assert!(error.starts_with("write to `") && error.contains("a`: "), "{error}");
    assert_eq!(text(&path), "kept\n");
    log.fault = None;
    log.write(b"again\n").expect("there is room");
    log.keep();
    assert_eq!(text(&path), "kept\nagain\n");
    log.write(b"lost\n").expect("written");
    log.fault = Some(Fault::Sync);
    let error = log.sync().expect_err("no disk").to_string();
    assert!(error.ends_with("the disk is gone"), "{error}");
    assert_eq!(text(&path), "kept\nagain\n");
}

#[test]
fn places_where_no_file_can_stand_are_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let open = |path: &Path| LogFile::open(path, &Shape::default(), true);
    let error = open(dir.path()).expect_err("refused").to_string();
    assert!(error.ends_with("` is no file; name one that is or can be"), "{error}");
    let error = open(&dir.path().join("lost/a")).expect_err("refused").to_string();
    assert!(error.ends_with("lost` does not exist; create it"), "{error}");
    let path = dir.path().join("a");
    let _first = open(&path).expect("opened");
    let error = open(&path).expect_err("refused").to_string();
    assert!(error.ends_with("is being written by somebody else"), "{error}");
}
