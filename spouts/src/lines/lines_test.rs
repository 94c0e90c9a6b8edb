//! Files in, lines out.

use std::{fs, io::Write, path::Path};

use tempfile::TempDir;
use tormenta_dsl::{Result, Spout};

use super::*;
use crate::testing::{ManualTimer, block_on, context};

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

fn zstd(text: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(text, 1).expect("packed")
}

/// All lines of one task, and the error that it ended with.
fn read(lines: &Lines, task: usize, tasks: usize) -> (Vec<Line>, Result) {
    let mut lines = lines.clone();
    let mut read = Vec::new();
    let cx = context(task, tasks, &ManualTimer::new());
    if let Err(error) = block_on(lines.prepare(&cx)) {
        return (read, Err(error));
    }
    loop {
        match block_on(lines.next()) {
            Ok(Some((line, ()))) => read.push(line),
            Ok(None) => return (read, Ok(())),
            Err(error) => {
                assert!(block_on(lines.next()).is_ok_and(|next| next.is_none()));
                return (read, Err(error));
            }
        }
    }
}

fn texts(path: &Path) -> Vec<String> {
    let (lines, result) = read(&Lines::at(path), 0, 1);
    result.expect("no error");
    let text = |line: &Line| String::from_utf8_lossy(&line.text).into_owned();
    lines.iter().map(text).collect()
}

#[test]
fn plain_and_packed_files_read_the_same_whatever_their_name() {
    let text = b"one\r\ntwo\n\nthree \xff";
    let files: [(&str, &[u8]); 6] = [
        ("plain", text),
        ("a.gz", &gzip(text)),
        ("b.txt", &gzip(text)),
        ("c.zst", &zstd(text)),
        ("d.log", &zstd(text)),
        ("e.gz", &zstd(text)),
    ];
    let dir = directory(&files);
    for (name, _) in files {
        let expected = ["one", "two", "", "three \u{fffd}"];
        assert_eq!(texts(&dir.path().join(name)), expected, "{name}");
    }
}

#[test]
fn packed_files_may_have_several_members() {
    let gzips = [gzip(b"one\ntw"), gzip(b""), gzip(b"o\nthree")].concat();
    let zstds = [zstd(b"one\ntw"), zstd(b""), zstd(b"o\nthree")].concat();
    let dir = directory(&[("a.gz", &gzips), ("b.zst", &zstds)]);
    for name in ["a.gz", "b.zst"] {
        assert_eq!(texts(&dir.path().join(name)), ["one", "two", "three"]);
    }
}

#[test]
fn lines_know_their_file_and_number() {
    let dir = directory(&[("a", b"1\n2"), ("b", b""), ("c", b"3\n")]);
    let lines = Lines::at(dir.path());
    let (read, result) = read(&lines, 0, 1);
    result.expect("no error");
    let places: Vec<_> = read.iter().map(|line| (line.file, line.number)).collect();
    assert_eq!(places, [(0, 1), (0, 2), (2, 1)]);
    assert_eq!(lines.progress().file(2), Some(&*dir.path().join("c")));
}

#[test]
fn files_are_dealt_over_the_tasks() {
    let dir = directory(&[("a", b"1\n"), ("b", b"2\n"), ("c", b"3\n")]);
    let lines = Lines::at(dir.path());
    let (first, _) = read(&lines, 0, 2);
    let (second, _) = read(&lines, 1, 2);
    let text = |lines: &[Line]| lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>();
    assert_eq!((text(&first), text(&second)), (vec!["1".into(), "3".into()], vec!["2".into()]));
    assert_eq!(lines.progress().bytes_read(), 6);
    assert_eq!(lines.progress().bytes_total(), Some(6));
    let (none, result) = read(&lines, 3, 4);
    assert!(none.is_empty() && result.is_ok(), "more tasks than files");
}

/// More than one chunk, with lines of every length up to a few hundred.
fn long_text() -> Vec<u8> {
    let line = |n: usize| format!("{n} {}\n", "x".repeat(n * 7919 % 300));
    (0..10_000).flat_map(|n| line(n).into_bytes()).collect()
}

#[test]
fn files_larger_than_a_chunk_lose_and_double_nothing() {
    let text = long_text();
    let dir = directory(&[("a", &text), ("b.gz", &gzip(&text)), ("c.zst", &zstd(&text))]);
    let naive: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    for name in ["a", "b.gz", "c.zst"] {
        let (lines, result) = read(&Lines::at(dir.path().join(name)), 0, 1);
        result.expect("no error");
        assert!(lines.iter().map(|line| &line.text[..]).eq(naive[..10_000].iter().copied()));
        assert_eq!(lines[9_999].number, 10_000);
    }
}

#[test]
fn a_torn_file_fails_after_its_whole_lines() {
    let text = long_text();
    for (name, packed) in [("torn.gz", gzip(&text)), ("torn.zst", zstd(&text))] {
        let dir = directory(&[(name, &packed[..packed.len() * 2 / 3])]);
        let (lines, result) = read(&Lines::at(dir.path().join(name)), 0, 1);
        let naive = text.split(|byte| *byte == b'\n');
        assert!(lines.iter().map(|line| &line.text[..]).eq(naive.take(lines.len())), "{name}");
        assert!(lines.len() > 3_000, "{name}: {}", lines.len());
        let text = result.expect_err("torn").to_string();
        let count = lines.len();
        assert!(text.contains(&format!("{name}` is torn: its packed data end")), "{text}");
        let rest =
            format!("the {count} lines before that were delivered, line {} is cut off", count + 1);
        assert!(text.contains(&rest), "{text}");
    }
}

#[test]
fn a_damaged_file_fails_by_name() {
    let text = long_text();
    for (name, mut packed) in [("bad.gz", gzip(&text)), ("bad.zst", zstd(&text))] {
        let middle = packed.len() / 2;
        packed[middle..middle + 64].fill(0xff);
        let dir = directory(&[(name, &packed)]);
        let (_, result) = read(&Lines::at(dir.path().join(name)), 0, 1);
        let text = result.expect_err("damaged").to_string();
        assert!(text.contains(&format!("{name}` cannot be unpacked any further")), "{text}");
    }
}

#[test]
fn a_line_that_is_too_long_is_named() {
    let dir = directory(&[("a", b"short\n0123456789\nshort\n"), ("b", b"ok\nlast 56789")]);
    for (name, count) in [("a", 1), ("b", 1)] {
        let path = dir.path().join(name);
        let (lines, result) = read(&Lines::at(&path).line_bytes_max(9), 0, 1);
        assert_eq!(lines.len(), count);
        let expected = format!(
            "line 2 of `{}` is longer than 9 bytes; allow more with `line_bytes_max`, if this is \
             a text at all",
            path.display()
        );
        assert_eq!(result.expect_err("too long").to_string(), expected);
        let (_, result) = read(&Lines::at(&path).line_bytes_max(10), 0, 1);
        assert!(result.is_ok());
    }
}

#[test]
fn a_very_long_line_needs_permission() {
    let mut text = vec![b'x'; 20 << 20];
    text.extend_from_slice(b"\nend\n");
    let dir = directory(&[("long", &text)]);
    let (lines, result) = read(&Lines::at(dir.path().join("long")), 0, 1);
    assert!(lines.is_empty() && result.is_err());
    let allowed = Lines::at(dir.path().join("long")).line_bytes_max(32 << 20);
    let (lines, result) = read(&allowed, 0, 1);
    result.expect("allowed");
    assert_eq!([lines[0].text.len(), lines[1].text.len()], [20 << 20, 3]);
}

#[test]
fn mistakes_are_found_before_the_first_line() {
    let dir = directory(&[("good", b"text"), ("liar.gz", b"text")]);
    let lines = Lines::of([dir.path().join("good"), dir.path().join("liar.gz")]);
    assert!(lines.check().is_err());
    let (read, result) = read(&lines, 0, 1);
    assert!(read.is_empty() && result.is_err());
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_by_a_thread() {
    let dir = directory(&[]);
    let path = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    let lines = Lines::at(&path);
    lines.check().expect("a pipe is left alone");
    assert_eq!(lines.progress().bytes_total(), None);
    let packed = gzip(b"one\ntwo");
    let writer = std::thread::spawn(move || fs::write(path, packed));
    let (read, result) = read(&lines, 0, 1);
    result.expect("no error");
    writer.join().expect("joined").expect("written");
    assert_eq!(read.len(), 2);
}
