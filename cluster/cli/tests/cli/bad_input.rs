//! Every bad input is named, together with its mend, and nothing is lost without a word.

use std::{fs, io::Write, os::unix::fs::PermissionsExt, process::Command, process::Stdio};

use flate2::{Compression, write::GzEncoder};

use crate::kit::{Said, count, directory, file, names, said, tormenta};

#[test]
fn a_missing_file() {
    let dir = directory();
    let lost = dir.path().join("lost.txt");
    let here = file(&dir, "here.txt", "a b");
    let both = count([&here, &lost]);
    both.refused(3, &[&format!("`{}` does not exist", lost.display()), "check the name"]);
    let pattern = dir.path().join("*.log");
    count([&pattern]).refused(3, &["*.log` matches no file"]);
}

#[test]
fn a_directory_that_cannot_be_read() {
    let dir = directory();
    let text = file(&dir, "text", "a b");
    // The file is used as a directory.
    let within = text.join("x");
    count([&within]).refused(1, &[&format!("`{}` cannot be read: Not a dir", within.display())]);
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).expect("made");
    count([&empty]).refused(1, &["empty` has no file to read"]);

    let closed = dir.path().join("closed");
    fs::create_dir(&closed).expect("made");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("opened");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("closed");
    if let Some(said) = as_nobody(&closed) {
        said.refused(1, &["closed` cannot be read: Permission denied", "the right to read it"]);
    }
}

/// Counts as somebody who may not read everything. `None` where that is nobody.
fn as_nobody(path: &std::path::Path) -> Option<Said> {
    if fs::read_dir(path).is_err() {
        return Some(count([path]));
    }
    // Root reads everything; `setpriv` makes it somebody else, who must reach the executable.
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command.args([env!("CARGO_BIN_EXE_tormenta"), "demo", "word-count"]).arg(path);
    let said = Said::from(command.output().ok()?);
    (said.err.contains("closed")).then_some(said)
}

#[test]
fn a_torn_gzip() {
    let dir = directory();
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    for line in 0..100_000u32 {
        writeln!(packed, "line {line} {:x}", line.wrapping_mul(0x9e37_79b9)).expect("packed");
    }
    let whole = packed.finish().expect("packed");
    let old = file(&dir, "counts.tsv", "old\n");
    let torn = file(&dir, "torn.gz", &whole[..whole.len() / 2]);
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 0xff;
    let flipped = file(&dir, "flipped.gz", flipped);
    let no_gzip = file(&dir, "text.gz", "just a text");
    for (path, says) in [(torn, "is torn"), (flipped, "damaged"), (no_gzip, "no gzip file")] {
        let said = count(["--output".as_ref(), old.as_os_str(), path.as_os_str()]);
        said.refused(1, &[&path.display().to_string(), says]);
        assert_eq!(fs::read(&old).expect("there"), b"old\n");
    }
    assert_eq!(names(dir.path()), ["counts.tsv", "flipped.gz", "text.gz", "torn.gz"]);
}

#[test]
fn a_file_that_breaks_off() {
    // It can be opened, and every read of it is an error.
    count(["/proc/self/mem"]).refused(1, &["`/proc/self/mem` cannot be read"]);
}

#[test]
fn a_line_of_100_mib_is_a_line() {
    let dir = directory();
    let (word, words) = ([&[b'w'; 1023][..], b" "].concat(), 100 << 10);
    let many = file(&dir, "many", word.repeat(words));
    let one = file(&dir, "one", vec![b'w'; 100 << 20]);
    for (path, words) in [(many, words), (one, 1)] {
        let said = count(["-o".as_ref(), "json".as_ref(), path.as_os_str()]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert_eq!((&said.json()["lines"], &said.json()["words"]), (&1.into(), &words.into()));
    }
}

/// Whoever closes standard output has had enough: no failure, and above all no panic.
#[test]
fn closed_stdout() {
    let dir = directory();
    let counts = dir.path().join("counts");
    let commands: [&[&str]; 4] = [
        &["demo", "word-count"],
        &["demo", "word-count", "-o", "json", "--output", counts.to_str().expect("text")],
        &["completions", "bash"],
        &["--help"],
    ];
    for words in commands {
        let mut child = tormenta(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let said = Said::from(child.wait_with_output().expect("it ends"));
        assert_eq!(said.code, Some(0), "{words:?}: {said:?}");
    }
    assert!(counts.exists());
}

#[test]
fn a_full_stdout_is_a_failure() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("linux has one");
    let output = tormenta(["demo", "word-count"]).stdout(full).output().expect("it starts");
    Said::from(output).refused(1, &["write to standard output: No space left"]);
}

#[test]
fn a_full_disk() {
    count(["--output", "/dev/full"]).refused(1, &["`/dev/full`: No space left", "make room"]);
    let dir = directory();
    let Some(disk) = SmallDisk::mount(dir.path()) else { return };
    let path = file(&dir, "counts.tsv", "old\n");
    let said = count(["--output".as_ref(), path.as_os_str()]);
    said.refused(1, &["counts.tsv`: No space left", "name another place"]);
    assert_eq!(names(dir.path()), ["counts.tsv"]);
    assert_eq!(fs::read(&path).expect("there"), b"old\n");
    drop(disk);
}

/// A file system of 64 KiB. Only root may have one.
struct SmallDisk<'a>(&'a std::path::Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a std::path::Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(at);
        mount.output().ok().filter(|output| output.status.success()).map(|_| Self(at))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn places_where_no_file_can_stand() {
    let dir = directory();
    let lost = dir.path().join("lost/counts.tsv");
    let path = |path: &std::path::Path| path.to_str().expect("text").to_owned();
    count(["--output", &path(&lost)]).refused(3, &["/lost` does not exist"]);
    count(["--output", &path(dir.path())]).refused(1, &["is a directory; name a file in it"]);
}

#[test]
fn no_tasks() {
    count(["--tasks", "0"]).refused(2, &["'0'", "--tasks", "use at least one: `--tasks 1`"]);
    count(["--tasks", "many"]).refused(2, &["use 1 to 4096"]);
    count(["--tasks", "5000"]).refused(2, &["at most 4096"]);
}

#[test]
fn an_artifact_that_is_none() {
    let dir = directory();
    let script = file(&dir, "script", format!("#!/bin/sh\ntouch {}/ran", dir.path().display()));
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("executable");
    let own = env!("CARGO_BIN_EXE_tormenta");
    for path in [script.to_str().expect("text"), "/bin/true", own] {
        said(["run", path]).refused(1, &[path, "is no Tormenta artifact, and was not executed"]);
    }
    assert_eq!(names(dir.path()), ["script"], "it was executed");
    said(["run", "/lost"]).refused(3, &["`/lost` does not exist", "cargo build"]);
    said(["run", "/tmp"]).refused(1, &["`/tmp` is a directory", "target/debug"]);
    said(["run", "/dev/null"]).refused(1, &["`/dev/null` is no file"]);
}
