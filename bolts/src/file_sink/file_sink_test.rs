//! Tuples in, acks and files out.

use std::{fs, sync::Arc};

use tempfile::TempDir;

use super::{log_file::Fault, *};
use crate::{
    WordCount,
    testing::{Bench, HandClock, Settled, block_on, context, context_at},
};

struct Test {
    dir: TempDir,
    bench: Bench<()>,
    clock: Arc<HandClock>,
    cx: Context,
}

impl Test {
    fn new() -> Self {
        let clock = HandClock::new();
        let cx = context_at(&clock, 0);
        Self { dir: tempfile::tempdir().expect("a directory"), bench: Bench::new(), clock, cx }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|_| "none".into())
    }

    fn prepared<T: Streams>(&self, prototype: &FileSink<T>) -> FileSink<T> {
        let mut sink = prototype.clone();
        block_on(sink.prepare(&self.cx)).expect("prepared");
        sink
    }

    /// Ticks once, so that tuples are collected from now on.
    fn ticking<T: Streams>(&self, prototype: &FileSink<T>) -> FileSink<T> {
        let mut sink = self.prepared(prototype);
        self.tick(&mut sink).expect("ticked");
        sink
    }

    fn tick<T: Streams>(&self, sink: &mut FileSink<T>) -> Result {
        block_on(sink.tick(&self.bench.emitter()))
    }

    fn finish<T: Streams>(&self, mut sink: FileSink<T>) {
        block_on(sink.finish(&self.bench.emitter())).expect("finished");
    }

    /// Executes a number, of the tree with this number.
    fn execute(&self, sink: &mut FileSink<u64>, n: u64) -> Result {
        block_on(sink.execute(n, &self.bench.emitter_of(n)))
    }

    fn acked(&self) -> usize {
        let is_acked = |settled: &&Settled| matches!(settled, Settled::Acked(_));
        self.bench.settled().iter().filter(is_acked).count()
    }

    fn number_of_files(&self) -> usize {
        fs::read_dir(self.dir.path()).expect("listed").count()
    }
}

fn numbers(path: PathBuf) -> FileSink<u64> {
    FileSink::lines_with(path, |n: &u64, line| line.extend_from_slice(n.to_string().as_bytes()))
}

fn fault(sink: &mut FileSink<u64>, fault: Option<Fault>) {
    sink.work.as_mut().expect("prepared").log.fault = fault;
}

fn syncs(sink: &FileSink<u64>) -> u64 {
    sink.work.as_ref().expect("prepared").log.syncs
}

#[test]
fn json_and_csv_can_be_read_while_they_grow() {
    let test = Test::new();
    let mut json = test.prepared(&FileSink::json(test.path("a.jsonl")));
    let mut csv = test.prepared(&FileSink::csv(test.path("a.csv")));
    for n in 1..=2 {
        let count = WordCount::new("to,be", n);
        block_on(json.execute(count.clone(), &test.bench.emitter())).expect("written");
        block_on(csv.execute(count, &test.bench.emitter())).expect("written");
    }
    let lines = "{\"word\":\"to,be\",\"count\":1}\n{\"word\":\"to,be\",\"count\":2}\n";
    assert_eq!(test.text("a.jsonl"), lines);
    assert_eq!(test.text("a.csv"), "word,count\n\"to,be\",1\n\"to,be\",2\n");
    test.finish(json);
    test.finish(csv);
}

#[test]
fn it_goes_on_where_the_last_run_ended() {
    let test = Test::new();
    fs::write(test.path("a"), "1\n2\ntor").expect("written");
    let mut sink = test.prepared(&numbers(test.path("a")));
    test.execute(&mut sink, 3).expect("written");
    test.finish(sink);
    assert_eq!(test.text("a"), "1\n2\n3\n");
    let anew = numbers(test.path("a")).truncate();
    let mut sink = test.prepared(&anew);
    test.execute(&mut sink, 4).expect("written");
    drop(sink);
    let mut restarted = test.prepared(&anew);
    test.execute(&mut restarted, 5).expect("written");
    test.finish(restarted);
    assert_eq!(test.text("a"), "4\n5\n");
}

#[test]
fn never_acks_when_it_is_written() {
    let test = Test::new();
    let mut sink = test.ticking(&numbers(test.path("a")));
    test.execute(&mut sink, 1).expect("held");
    assert_eq!((test.text("a").as_str(), test.acked()), ("", 0));
    test.tick(&mut sink).expect("written");
    assert_eq!((test.text("a").as_str(), test.acked()), ("1\n", 1));
    assert_eq!(syncs(&sink), 0);
}

#[test]
fn acks_wait_for_so_many_tuples_or_for_a_pause() {
    let test = Test::new();
    let mut sink = test.ticking(&numbers(test.path("a")).fsync(Fsync::Tuples(3)));
    for n in 1..=3 {
        test.execute(&mut sink, n).expect("no error");
    }
    assert_eq!(test.acked(), 2, "the third is acked as its execute returns");
    assert_eq!(syncs(&sink), 1);
    test.execute(&mut sink, 4).expect("held");
    test.tick(&mut sink).expect("written");
    assert_eq!((test.text("a").as_str(), test.acked()), ("1\n2\n3\n4\n", 2));
    assert_eq!(syncs(&sink), 1);
    test.tick(&mut sink).expect("synced");
    assert_eq!((syncs(&sink), test.acked()), (2, 3));
}

#[test]
fn acks_wait_for_the_interval() {
    let test = Test::new();
    let interval = Fsync::Interval(Duration::from_secs(2));
    let mut sink = test.ticking(&numbers(test.path("a")).fsync(interval));
    test.execute(&mut sink, 1).expect("held");
    for (second, acked) in [(1, 0), (2, 1)] {
        test.clock.set(Duration::from_secs(second));
        test.tick(&mut sink).expect("ticked");
        assert_eq!((test.text("a").as_str(), test.acked()), ("1\n", acked));
        assert_eq!(syncs(&sink), acked as u64);
    }
    test.execute(&mut sink, 2).expect("held");
    test.finish(sink);
    assert_eq!(test.acked(), 2);
}

#[test]
fn each_is_synced_by_itself() {
    let test = Test::new();
    let mut sink = test.ticking(&numbers(test.path("a")).fsync(Fsync::Each));
    test.execute(&mut sink, 1).expect("synced");
    assert_eq!((test.text("a").as_str(), test.bench.settled()), ("1\n", vec![]));
    fault(&mut sink, Some(Fault::Sync));
    let error = test.execute(&mut sink, 2).expect_err("not synced").to_string();
    assert!(error.starts_with("sync `"), "{error}");
    assert_eq!(test.text("a"), "1\n");
}

#[test]
fn a_full_disk_fails_what_waits_and_keeps_what_was_acked() {
    let test = Test::new();
    let mut sink = test.ticking(&numbers(test.path("a")).fsync(Fsync::Tuples(100)));
    for pause in 0..2 {
        test.execute(&mut sink, 10 + pause).expect("held");
        test.tick(&mut sink).expect("written");
    }
    test.tick(&mut sink).expect("synced");
    test.execute(&mut sink, 20).expect("held");
    test.tick(&mut sink).expect("written, not synced");
    test.execute(&mut sink, 21).expect("held");
    fault(&mut sink, Some(Fault::Full(1)));
    let error = test.tick(&mut sink).expect_err("full").to_string();
    assert!(error.starts_with("write to `"), "{error}");
    let failed = [20, 21].map(|tree| Settled::Failed(tree, error.clone()));
    assert_eq!(test.bench.settled()[2..], failed);
    assert_eq!(test.text("a"), "10\n11\n");
    fault(&mut sink, None);
    for replay in [20, 21] {
        test.execute(&mut sink, replay).expect("held");
    }
    test.finish(sink);
    assert_eq!((test.text("a").as_str(), test.acked()), ("10\n11\n20\n21\n", 4));
}

#[test]
fn a_full_file_is_put_aside() {
    let test = Test::new();
    fs::write(test.path("a-000008.log"), "from before\n").expect("written");
    let mut sink = test.ticking(&numbers(test.path("a.log")).rotate_at(6));
    for n in [10, 11, 12, 1_234_567, 13] {
        test.execute(&mut sink, n).expect("no error");
    }
    test.finish(sink);
    assert_eq!(test.text("a-000009.log"), "10\n11\n");
    assert_eq!(test.text("a-000010.log"), "12\n");
    assert_eq!(test.text("a-000011.log"), "1234567\n");
    assert_eq!(test.text("a.log"), "13\n");
    assert_eq!((test.acked(), test.number_of_files()), (5, 5));
}

#[test]
fn an_old_file_is_put_aside_and_an_empty_one_is_not() {
    let test = Test::new();
    let hourly = FileSink::<u64>::csv(test.path("a.csv")).rotate_every(Duration::from_secs(10));
    let mut sink = test.ticking(&hourly);
    for (second, n) in [(50, Some(1)), (55, Some(2)), (60, None), (90, None), (95, Some(3))] {
        test.clock.set(Duration::from_secs(second));
        if let Some(n) = n {
            test.execute(&mut sink, n).expect("held");
        }
        test.tick(&mut sink).expect("ticked");
    }
    assert_eq!(test.text("a-000001.csv"), "value\n1\n2\n");
    assert_eq!((test.text("a.csv").as_str(), test.number_of_files()), ("value\n3\n", 2));
}

#[test]
fn every_task_has_a_file_of_its_own() {
    let test = Test::new();
    let one = numbers(test.path("a"));
    let error = block_on(one.clone().prepare(&context(1, 3))).expect_err("refused").to_string();
    assert!(error.starts_with("`test` has 3 tasks and one file, `"), "{error}");
    let _first = test.prepared(&one);
    let owners = test.cx.shared(Owners::default);
    let error = owners.claim(&test.path("a"), &context(1, 2)).expect_err("refused").to_string();
    assert!(error.ends_with("a` is being written by `test/test[0]`"), "{error}");
}
