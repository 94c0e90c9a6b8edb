//! Real files, real rotations, time that the test moves.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::PathBuf,
};

use tempfile::TempDir;

use super::*;
use crate::testing::{ManualTimer, block_on, context, poll_once};

/// A log in a directory of its own, and a spout that follows it.
struct World {
    dir: TempDir,
    clock: Arc<ManualTimer>,
    tail: Tail,
    cx: Context,
}

impl World {
    fn new(make: impl Fn(Tail) -> Tail) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = ManualTimer::new();
        let tail = make(Tail::at(dir.path().join("app.log"))).checkpoint(dir.path().join("place"));
        let cx = context(0, 1, &clock);
        Self { dir, clock, tail, cx }
    }

    fn start(mut self) -> Self {
        block_on(self.tail.prepare(&self.cx)).expect("prepared");
        self
    }

    /// A process that was killed, and another one.
    fn killed(mut self) -> Self {
        let fresh = self.tail.clone();
        std::mem::forget(std::mem::replace(&mut self.tail, fresh)); // nothing is dropped
        self.cx = context(0, 1, &self.clock);
        self.start()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let file = OpenOptions::new().create(true).append(true).open(self.path(name));
        file.and_then(|mut file| file.write_all(text.as_bytes())).expect("written");
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect("renamed");
    }

    fn copy_and_truncate(&self, to: &str) {
        fs::copy(self.path("app.log"), self.path(to)).expect("copied");
        let file = OpenOptions::new().write(true).open(self.path("app.log"));
        file.and_then(|file| file.set_len(0)).expect("truncated");
    }

    /// The next line, within three seconds.
    fn line(&mut self) -> Option<(String, LineId)> {
        for _ in 0..60 {
            if let Some(next) = poll_once(self.tail.next()) {
                let (line, id) = next.expect("no error").expect("it never ends");
                return Some((String::from_utf8_lossy(&line.text).into_owned(), id));
            }
            self.clock.advance(Duration::from_millis(50));
        }
        None
    }

    /// The error with which it ends.
    fn error(&mut self) -> String {
        loop {
            match poll_once(self.tail.next()) {
                Some(Err(error)) => return error.to_string(),
                Some(Ok(next)) => panic!("{:?}", next.map(|(line, _)| line.text.len())),
                None => self.clock.advance(Duration::from_millis(50)),
            }
        }
    }

    /// Everything that comes, acked.
    fn acked(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        while let Some((text, id)) = self.line() {
            self.tail.acked(id);
            texts.push(text);
        }
        texts
    }
}

/// File times are coarse, and rotated files are sorted by them.
#[expect(clippy::disallowed_methods, reason = "what the kernel writes down is real time")]
fn tick_of_file_times() {
    std::thread::sleep(Duration::from_millis(20));
}

fn same(tail: Tail) -> Tail {
    tail
}

#[test]
fn a_file_that_comes_late_and_half_a_line() {
    let mut world = World::new(same).start();
    assert_eq!(world.line(), None);
    world.append("app.log", "one\r\ntw");
    assert_eq!(world.acked(), ["one"]);
    world.append("app.log", "o\nthree\n");
    assert_eq!(world.acked(), ["two", "three"]);
}

#[test]
fn what_is_there_is_left_out_if_told_so() {
    let mut world = World::new(Tail::from_end);
    world.append("app.log", "old\n");
    world = world.start();
    assert_eq!(world.line(), None);
    world.append("app.log", "new\n");
    world = world.killed();
    assert_eq!(world.acked(), ["new"], "the end at which it began is written down");
}

#[test]
fn a_rename_loses_nothing_of_a_writer_that_is_slow_to_notice() {
    let mut world = World::new(same).start();
    world.append("app.log", "1\n");
    assert_eq!(world.acked(), ["1"]);
    world.rename("app.log", "app.log.1");
    world.append("app.log.1", "2\n3 without an end");
    world.append("app.log", "4\n");
    assert_eq!(world.acked(), ["2", "3 without an end", "4"]);
    assert_eq!(world.cx.counter("rotations_lost").get(), 0);
}

#[test]
fn several_renames_between_two_looks() {
    let mut world = World::new(same);
    world.append("app.log.9", "older than all\n");
    tick_of_file_times();
    world = world.start();
    world.append("app.log", "1\n");
    assert_eq!(world.acked(), ["1"]);
    for n in 2..5 {
        tick_of_file_times();
        world.rename("app.log", &format!("app.log.{}", 9 - n));
        world.append("app.log", &format!("{n}\n"));
    }
    assert_eq!(world.acked(), ["2", "3", "4"]);
}

#[test]
fn a_copy_is_read_on_after_a_truncation() {
    let mut world = World::new(same).start();
    world.append("app.log", "1\n2\n");
    assert_eq!(world.acked(), ["1", "2"]);
    world.append("app.log", "3\n");
    world.copy_and_truncate("app.log.1");
    world.append("app.log", "4\n");
    assert_eq!(world.acked(), ["3", "4"]);
    world.append("app.log", "5\n");
    assert_eq!(world.acked(), ["5"]);
}

#[test]
fn a_truncation_without_a_copy_is_reported_and_survived() {
    let mut world = World::new(same).start();
    world.append("app.log", "1\n2\nhalf");
    assert_eq!(world.acked(), ["1", "2"]);
    fs::write(world.path("app.log"), "new\n").expect("written");
    assert_eq!(world.acked(), ["new"]);
    assert_eq!(world.cx.counter("rotations_lost").get(), 1);
}

#[test]
fn a_restart_begins_at_the_first_line_that_was_not_acked() {
    let mut world = World::new(same).start();
    world.append("app.log", "1\n2\n3\n4\n");
    let lines: Vec<_> = std::iter::from_fn(|| world.line()).collect();
    for index in [0, 1, 3] {
        world.tail.acked(lines[index].1);
    }
    assert_eq!(world.line(), None); // and time passes, so that it is saved
    world = world.killed();
    assert_eq!(world.acked(), ["3", "4"]);
    world = world.killed();
    assert_eq!(world.acked(), [""; 0]);
    world.append("app.log", "5\n");
    let (line, _) = world.line().expect("a line");
    assert_eq!(line, "5");
}

#[test]
fn rotations_while_nobody_looks_leave_no_gap() {
    let mut world = World::new(same).start();
    world.append("app.log", "1\n2\n");
    let (_, first) = world.line().expect("a line");
    world.tail.acked(first);
    while world.line().is_some() {}
    world.append("app.log", "3\n");
    tick_of_file_times();
    world.rename("app.log", "app.log.2");
    world.append("app.log.1", "4\n");
    tick_of_file_times();
    world.append("app.log", "5\n");
    world = world.killed();
    assert_eq!(world.acked(), ["2", "3", "4", "5"]);
    world.append("app.log", "6\n");
    world.copy_and_truncate("app.log.0");
    world.append("app.log", "7\n");
    world = world.killed();
    assert_eq!(world.acked(), ["6", "7"]);
}

#[test]
fn failed_lines_come_again_and_hold_the_place() {
    let mut world = World::new(same).start();
    world.append("app.log", "1\n2\n");
    let (_, first) = world.line().expect("a line");
    let (_, second) = world.line().expect("a line");
    world.tail.acked(second);
    world.tail.failed(first, Failure::Lost);
    assert_eq!(world.line(), Some(("1".to_owned(), first)));
    while world.line().is_some() {}
    world = world.killed();
    assert_eq!(world.acked(), ["1", "2"]);
}

#[test]
fn acks_for_the_spout_before_a_panic_are_not_ours() {
    let mut world = World::new(same).start();
    world.append("app.log", "1\n");
    let (_, old) = world.line().expect("a line");
    world = world.killed();
    let (_, new) = world.line().expect("again");
    assert_ne!(old, new);
    world.tail.acked(old);
    world = world.killed();
    assert_eq!(world.acked(), ["1"]);
}

/// A kernel writes down file times in ticks, so that several rotated files may have the same one.
#[test]
fn rotated_files_of_one_moment_are_read_once_each() {
    let mut world = World::new(same).start();
    world.append("app.log", "1\n");
    assert_eq!(world.acked(), ["1"]);
    world.rename("app.log", "app.log.2");
    world.append("app.log", "2\n");
    world.rename("app.log", "app.log.1");
    let written = fs::metadata(world.path("app.log.2")).and_then(|about| about.modified());
    let file = OpenOptions::new().write(true).open(world.path("app.log.1")).expect("opened");
    file.set_modified(written.expect("known")).expect("set");
    tick_of_file_times();
    world.append("app.log", "3\n");
    let mut texts = Vec::new();
    while let Some((text, id)) = world.line()
        && texts.len() < 9
    {
        world.tail.acked(id);
        texts.push(text);
    }
    assert_eq!(texts, ["2", "3"]);
}

#[test]
fn a_file_that_is_deleted_and_made_anew_is_read_from_its_beginning() {
    let mut world = World::new(same).start();
    world.append("app.log", "1\n2\nhalf");
    assert_eq!(world.acked(), ["1", "2"]);
    fs::remove_file(world.path("app.log")).expect("removed");
    assert_eq!(world.acked(), [""; 0]);
    world.append("app.log", "3\n");
    assert_eq!(world.acked(), ["half", "3"], "the old one is open until it was read to its end");
    fs::remove_file(world.path("app.log")).expect("removed");
    world.append("app.log", "4\n");
    world = world.killed();
    assert_eq!(world.acked(), ["4"]);
    assert_eq!(world.cx.counter("rotations_lost").get(), 1, "nobody held the old one open");
}

#[test]
fn a_line_that_grows_for_ever_is_refused_by_name_and_the_lines_before_it_are_not() {
    let limit = 100 << 20;
    let mut world = World::new(|tail| tail.line_bytes_max(limit)).start();
    world.append("app.log", "1\n");
    assert_eq!(world.acked(), ["1"]);
    let file = OpenOptions::new().write(true).open(world.path("app.log")).expect("opened");
    file.set_len(limit as u64).expect("grown"); // zeros, which take no room on the disk
    assert_eq!(world.line(), None, "it may still end");
    file.set_len(limit as u64 + (1 << 20)).expect("grown");
    let expected = "app.log` is longer than 104857600 bytes; allow more with `line_bytes_max`";
    let error = world.error();
    assert!(error.starts_with("line 2 of `") && error.contains(expected), "{error}");
    assert_eq!(world.killed().error(), error, "it begins where it was, and says so again");
}

#[test]
fn checkpoints_that_are_none_are_refused_by_name() {
    let mut world = World::new(same);
    fs::write(world.path("place"), "garbage").expect("written");
    let error = block_on(world.tail.prepare(&world.cx)).expect_err("refused").to_string();
    assert!(error.contains("place` is no checkpoint"), "{error}");
    let mut tail = Tail::at("a.log").checkpoint(world.path("no/such/folder"));
    let error = block_on(tail.prepare(&world.cx)).expect_err("refused").to_string();
    assert!(error.starts_with("cannot write the checkpoint"), "{error}");
}
