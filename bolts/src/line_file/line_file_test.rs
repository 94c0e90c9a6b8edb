//! Tuples in, acks and files out.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::{
    WordCount,
    testing::{Bench, Settled, block_on, context},
};

struct Test {
    dir: TempDir,
    bench: Bench<()>,
    cx: Context,
}

impl Test {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        Self { dir, bench: Bench::new(), cx: context(0, 1) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path(name)).ok()
    }

    fn prepared(&self, prototype: &LineFile<WordCount>) -> LineFile<WordCount> {
        let mut file = prototype.clone();
        block_on(file.prepare(&self.cx)).expect("prepared");
        file
    }

    /// Executes one tuple, of tree `count`.
    fn execute(&self, file: &mut LineFile<WordCount>, count: u64) -> Result {
        let tuple = WordCount::new("storm", count);
        block_on(file.execute(tuple, &self.bench.emitter_of(count)))
    }
}

fn prototype(path: PathBuf) -> LineFile<WordCount> {
    LineFile::at(path).with(WordCount::tsv)
}

#[test]
fn unticked_every_line_is_written_before_its_ack() {
    let test = Test::new();
    let mut file = test.prepared(&prototype(test.path("a")));
    test.execute(&mut file, 1).expect("written");
    assert_eq!(test.text("a.partial").as_deref(), Some("storm\t1\n"));
    assert_eq!(test.bench.settled(), []);
    block_on(file.finish(&test.bench.emitter())).expect("published");
    assert_eq!(test.text("a").as_deref(), Some("storm\t1\n"));
    assert_eq!(test.text("a.partial"), None);
}

#[test]
fn ticked_acks_wait_for_their_lines() {
    let test = Test::new();
    let mut file = test.prepared(&prototype(test.path("a")));
    block_on(file.tick(&test.bench.emitter())).expect("nothing to write");
    for n in 1..=2 {
        test.execute(&mut file, n).expect("held");
    }
    assert_eq!((test.text("a.partial").as_deref(), test.bench.settled()), (Some(""), vec![]));
    block_on(file.tick(&test.bench.emitter())).expect("written");
    assert_eq!(test.text("a.partial").as_deref(), Some("storm\t1\nstorm\t2\n"));
    assert_eq!(test.bench.settled(), [Settled::Acked(1), Settled::Acked(2)]);
    test.execute(&mut file, 3).expect("held");
    block_on(file.finish(&test.bench.emitter())).expect("published");
    assert_eq!(test.bench.settled().len(), 3);
    assert_eq!(test.text("a").map(|text| text.lines().count()), Some(3));
}

#[test]
fn a_full_buffer_is_written_without_a_tick() {
    let test = Test::new();
    let mut file = test.prepared(&prototype(test.path("a")));
    block_on(file.tick(&test.bench.emitter())).expect("nothing to write");
    let tuples = 2 * HELD_MAX as u64 + 3;
    for n in 1..=tuples {
        test.execute(&mut file, n).expect("no error");
    }
    assert!(test.bench.settled().len() >= HELD_MAX);
    assert!(file.held.len() < HELD_MAX && file.lines.len() < BUFFER_BYTES);
    block_on(file.finish(&test.bench.emitter())).expect("published");
    assert_eq!(test.text("a").map(|text| text.lines().count() as u64), Some(tuples));
}

#[test]
fn a_restarted_task_goes_on_with_its_file() {
    let test = Test::new();
    let prototype = prototype(test.path("a"));
    let mut first = test.prepared(&prototype);
    test.execute(&mut first, 1).expect("written");
    drop(first);
    let mut second = test.prepared(&prototype);
    test.execute(&mut second, 2).expect("written");
    block_on(second.finish(&test.bench.emitter())).expect("published");
    assert_eq!(test.text("a").as_deref(), Some("storm\t1\nstorm\t2\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_fails_the_tuples_by_name_and_the_end() {
    let test = Test::new();
    let mut file = test.prepared(&prototype(test.path("a")));
    let open = file.draft.as_ref().expect("prepared");
    *lock(&open.draft) = Draft::on_a_full_disk();
    file.ticking = true;
    test.execute(&mut file, 1).expect("held");
    let error = block_on(file.tick(&test.bench.emitter())).expect_err("full");
    assert!(error.to_string().starts_with("write to `/dev/full`: No space left"), "{error}");
    assert_eq!(test.bench.settled(), [Settled::Failed(1, error.to_string())]);
    assert!(file.lines.is_empty() && file.held.is_empty());
    file.ticking = false;
    assert!(test.execute(&mut file, 2).is_err());
    assert!(block_on(file.finish(&test.bench.emitter())).is_err());
}

#[test]
fn two_bolts_cannot_write_one_file() {
    let test = Test::new();
    let _first = test.prepared(&prototype(test.path("a")));
    let open = test.cx.shared(Drafts::default);
    let other = Drafts::open(&open, test.path("a"), &context(1, 2)).err().expect("refused");
    assert!(other.to_string().ends_with("a` is being written by `test/test[0]`"), "{other}");
}

#[test]
fn every_task_has_a_file_of_its_own() {
    let test = Test::new();
    let one = prototype(test.path("a"));
    let error = block_on(one.clone().prepare(&context(1, 3))).expect_err("refused").to_string();
    assert!(error.starts_with("`test` has 3 tasks and one file, `"), "{error}");
    let mut part = prototype(test.path("part-{task}"));
    block_on(part.prepare(&context(1, 3))).expect("prepared");
    block_on(part.finish(&test.bench.emitter())).expect("published");
    assert_eq!(test.text("part-1").as_deref(), Some(""));
}

#[test]
fn a_missing_directory_is_named_before_the_first_tuple() {
    let test = Test::new();
    let mut file = prototype(test.path("lost/a"));
    let error = block_on(file.prepare(&test.cx)).expect_err("refused").to_string();
    assert!(error.contains("lost` does not exist; create it"), "{error}");
}
