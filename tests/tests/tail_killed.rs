//! A process that follows a log is killed again and again, while the log grows and is rotated.

#![cfg(unix)]

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tormenta_runtime::Rng;

/// How a log is rotated.
#[derive(Clone, Copy, PartialEq)]
enum Rotation {
    /// Renamed, and made anew.
    Rename,
    /// Copied, and truncated.
    CopyTruncate,
    /// One or the other.
    Either,
}

/// A log that grows by one number a line, and the process that follows it.
struct World {
    dir: TempDir,
    rng: Rng,
    written: u64,
    /// The first number in the log, since it was rotated last.
    first: u64,
    rotations: u64,
    child: Option<Child>,
}

impl World {
    fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        Self { dir, rng: Rng::new(seed), written: 0, first: 0, rotations: 0, child: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tail-to-file"));
        command.args([self.path("app.log"), self.path("place"), self.path("lines")]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        self.child = Some(command.spawn().expect("started"));
    }

    /// Without a word: SIGKILL.
    fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        let early = child.try_wait().expect("asked");
        assert!(early.is_none(), "it ended by itself: {early:?}, {}", said(child));
        child.kill().expect("killed");
        child.wait().expect("gone");
    }

    /// Adds some lines, the last of them in two parts.
    fn write(&mut self, count: usize) {
        let log = OpenOptions::new().create(true).append(true).open(self.path("app.log"));
        let mut log = log.expect("opened");
        let padding = "x".repeat(self.rng.below(60));
        let numbers = self.written..self.written + count as u64;
        let text: String = numbers.map(|n| format!("{n} {padding}\n")).collect();
        let (first, rest) =
            text.as_bytes().split_at(text.len() - self.rng.below(5).min(text.len()));
        log.write_all(first).expect("written");
        pause(self.rng.below(3));
        log.write_all(rest).expect("written");
        self.written += count as u64;
    }

    fn rotate(&mut self, rotation: Rotation) {
        if self.first == self.written {
            return; // there is nothing in it
        }
        let renames = match rotation {
            Rotation::Rename => true,
            Rotation::CopyTruncate => false,
            Rotation::Either => self.rng.below(2) == 0,
        };
        if !renames && self.child.is_some() {
            // What is written, copied and truncated between two looks is not seen by anybody.
            let first = self.first;
            self.wait("the process looks", |arrived| arrived.range(first..).next().is_some());
        }
        self.first = self.written;
        self.rotations += 1;
        let old = self.path(&format!("app.log.{}", 1_000 - self.rotations));
        if renames {
            fs::rename(self.path("app.log"), old).expect("renamed");
            return;
        }
        fs::copy(self.path("app.log"), old).expect("copied");
        File::options().write(true).open(self.path("app.log")).expect("opened").set_len(0).unwrap();
        // Files have the time of the last tick of the system. Of a copy, and of a file that was
        // written and renamed in the tick after which it was made, nobody can tell which is older:
        // both are read, but perhaps the younger one first, and here the order is judged.
        pause(8);
    }

    /// The numbers that the process has written.
    fn arrived(&self) -> BTreeSet<u64> {
        let text = fs::read(self.path("lines")).unwrap_or_default();
        // A write may have been cut off by the kill.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let text = std::str::from_utf8(&text[..whole]).expect("a text");
        text.lines().map(number).collect()
    }

    fn has_place(&self) -> bool {
        let text = fs::read(self.path("place")).unwrap_or_default();
        serde_json::from_slice::<Value>(&text).is_ok_and(|text| text["place"].is_object())
    }

    /// All lines before the checkpoint have arrived.
    fn judge_checkpoint(&self) {
        let Ok(text) = fs::read(self.path("place")) else { return };
        let place: Value = serde_json::from_slice(&text).expect("the checkpoint is whole");
        let place = &place["place"];
        let Some(offset) = place["offset"].as_u64() else { return };
        let offset = offset as usize;
        // By its beginning: what was truncated is in a copy.
        let mut texts =
            files(self.dir.path()).into_iter().map(|path| fs::read(path).expect("read"));
        let bytes = texts.find(|text| text.len() >= offset && begins(text, place));
        let bytes = bytes.expect("the file that the checkpoint is about");
        let before = std::str::from_utf8(&bytes[..offset]).expect("a text");
        assert!(before.is_empty() || before.ends_with('\n'), "{offset} is in a line");
        // Lines are written in the order of their numbers, whatever file they are in.
        let Some(last) = before.lines().last().map(number) else { return };
        let arrived = self.arrived();
        let missing: Vec<u64> = (0..=last).filter(|n| !arrived.contains(n)).collect();
        assert!(missing.is_empty(), "the checkpoint is at {last}, and these miss: {missing:?}");
    }

    fn wait(&self, what: &str, is_so: impl Fn(&BTreeSet<u64>) -> bool) {
        for _ in 0..3_000 {
            if is_so(&self.arrived()) {
                return;
            }
            pause(10);
        }
        let arrived = self.arrived();
        let missing: Vec<u64> = (0..self.written).filter(|n| !arrived.contains(n)).collect();
        panic!("never: {what}; of {} lines these miss: {missing:?}", self.written);
    }

    /// The checkpoint is at the end of the log.
    fn judge_end(&self) {
        let place: Value = serde_json::from_slice(&fs::read(self.path("place")).unwrap()).unwrap();
        let about = fs::metadata(self.path("app.log")).expect("the log");
        let at = &place["place"];
        assert_eq!(
            (at["inode"].as_u64(), at["offset"].as_u64()),
            (Some(about.ino()), Some(about.len()))
        );
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Whether a file begins as a checkpoint says: by the FNV-1a hash of its first bytes.
fn begins(text: &[u8], place: &Value) -> bool {
    let bytes = place["head_bytes"].as_u64().expect("a number") as usize;
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    let hash = text[..bytes.min(text.len())].iter().fold(0xcbf2_9ce4_8422_2325, step);
    place["head_hash"].as_u64() == Some(hash)
}

fn number(line: &str) -> u64 {
    line.split(' ').next().and_then(|n| n.parse().ok()).expect("a number")
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let is_log = |path: &PathBuf| {
        path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"app.log"))
    };
    paths.filter(is_log).collect()
}

fn said(child: Child) -> String {
    let output = child.wait_with_output().expect("its words");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[expect(clippy::disallowed_methods, reason = "processes take real time")]
fn pause(ms: usize) {
    std::thread::sleep(Duration::from_millis(ms as u64));
}

/// Thirty kills at random moments, some of them before the process has begun to read.
fn killed(seed: u64, rotation: Rotation) {
    let mut world = World::new(seed);
    world.write(1);
    world.start();
    world.wait("it begins", |arrived| !arrived.is_empty());
    // A log that is rotated before the first place was written down is another log.
    while !world.has_place() {
        pause(1);
    }
    world.kill();
    for _ in 0..30 {
        world.start();
        for _ in 0..world.rng.below(8) {
            let lines = 1 + world.rng.below(200);
            world.write(lines);
            if world.rng.below(6) == 0 {
                world.rotate(rotation);
            }
            pause(world.rng.below(15));
        }
        world.kill();
        world.judge_checkpoint();
        if world.rng.below(3) == 0 {
            world.rotate(rotation); // while nobody looks
            world.write(5);
        }
    }
    assert!(world.rotations > 10 && world.written > 1_000);
    world.write(10); // there may be no log at the moment
    world.start();
    world.wait("all come", |arrived| arrived.len() as u64 == world.written);
    ended(world);
}

/// A signal ends it in good order, with the place written down.
fn ended(mut world: World) {
    let child = world.child.take().expect("it runs");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
    let output = child.wait_with_output().expect("gone");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.contains("interrupted and drained"), "{text}");
    world.judge_checkpoint();
    world.judge_end();
}

#[test]
fn through_renames() {
    killed(1, Rotation::Rename);
}

#[test]
fn through_copies_and_truncations() {
    killed(2, Rotation::CopyTruncate);
}

#[test]
fn through_both() {
    killed(3, Rotation::Either);
}
