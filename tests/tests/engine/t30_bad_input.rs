//! Input that is no tuple becomes a dead letter, and nothing else changes.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use tormenta::{
    BadInput, DeadLetterFile, LocalCluster, Options, Simulation, Summary, Topology,
    bolts::func,
    prelude::*,
    spouts::{CsvRows, JsonLines, Replayed},
    testkit::Capture,
};

use crate::support::*;

/// The numbers of a text, one a line; what is no number is bad input.
#[derive(Clone)]
struct Numbers {
    lines: Vec<String>,
    at: usize,
    /// Waits before every line, so that each is asked for by itself.
    waits: bool,
    cx: Option<Context>,
}

impl Numbers {
    fn new(lines: Vec<String>, waits: bool) -> Self {
        Self { lines, at: 0, waits, cx: None }
    }
}

impl Spout for Numbers {
    type Output = u64;
    type Id = u64;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<(u64, u64)>> {
        if self.at == self.lines.len() {
            return Ok(None);
        }
        if let Some(cx) = self.cx.as_ref().filter(|_| self.waits) {
            cx.sleep(ms(1)).await;
        }
        let line = &self.lines[self.at];
        self.at += 1;
        let bad = |why| BadInput::new(format_args!("numbers:{}", self.at), line.as_bytes(), why);
        let number = line.parse::<u64>().map_err(|why| Error::poison(bad(why)))?;
        Ok(Some((number, number)))
    }
}

fn lines(is_bad: impl Fn(u64) -> bool) -> Vec<String> {
    (0..200).map(|n| if is_bad(n) { format!("x{n}") } else { n.to_string() }).collect()
}

/// In the order of their lines, each once, counted, with nothing else touched: neither the tuples,
/// nor their order, nor the acks.
#[test]
fn each_bad_line_is_a_letter_and_each_good_one_a_tuple() {
    let patterns: [fn(u64) -> bool; 5] =
        [|n| n % 7 == 3, |n| n < 60, |n| n > 140, |_| true, |n| n % 64 > 10];
    for (seed, is_bad) in patterns.into_iter().cycle().take(30).enumerate() {
        let mut simulation = Simulation::new(seed as u64);
        simulation.fuse = seed % 2 == 0;
        let told = Arc::new(Mutex::new(Vec::new()));
        let teller = told.clone();
        simulation.on_dead_letter = Some(Box::new(move |letter| {
            teller.lock().expect("nobody panics").push(letter.error.clone());
        }));
        let capture = Capture::new();
        let mut t = Topology::new("bad");
        let numbers = t.spout("numbers", Numbers::new(lines(is_bad), seed % 3 == 0));
        let numbers = if seed % 4 < 2 { numbers.replaying(Retry::default()) } else { numbers };
        let _ = t.bolt("kept", capture.bolt(), numbers.global());
        let summary = run_to_end(cluster_with(t, simulation));
        let (bad, good): (Vec<u64>, Vec<u64>) = (0..200).partition(|n| is_bad(*n));
        assert_eq!(capture.taken(), good, "seed {seed}");
        let letters = &summary.dead_letters;
        let origins = letters.iter().map(|l| l.input.as_ref().expect("the input").origin.clone());
        let expected = bad.iter().map(|n| format!("numbers:{}", n + 1));
        assert!(origins.eq(expected), "seed {seed}");
        for (letter, n) in letters.iter().zip(&bad) {
            let input = letter.input.as_ref().expect("the input");
            assert_eq!((input.text.clone(), input.cut_bytes), (format!("x{n}"), 0));
            let why = format!("numbers:{}: invalid digit found in string", n + 1);
            assert_eq!((letter.error.as_str(), letter.attempts), (why.as_str(), 0));
            assert_eq!((letter.spout.as_str(), letter.task), ("numbers", Some(0)));
        }
        let metrics = of(&summary, "numbers");
        assert_eq!(metrics.dead_letters, bad.len() as u64);
        assert_eq!((metrics.emitted, metrics.acked), (good.len() as u64, good.len() as u64));
        assert_eq!((summary.error, summary.errors.len()), (None, 0));
        assert_eq!(told.lock().expect("nobody panics").len(), bad.len());
    }
}

#[test]
fn an_error_that_is_no_poison_ends_the_spout_as_ever() {
    #[derive(Clone)]
    struct Ends(u64);
    impl Spout for Ends {
        type Output = u64;
        type Id = ();
        async fn next(&mut self) -> Result<Option<(u64, ())>> {
            self.0 += 1;
            match self.0 {
                1 => Err(Error::poison("one bad thing")),
                2 => Ok(Some((2, ()))),
                _ => Err(Error::msg("the disk is gone")),
            }
        }
    }
    let capture = Capture::new();
    let mut t = Topology::new("ends");
    let numbers = t.spout("numbers", Ends(0));
    t.bolt("kept", capture.bolt(), numbers.global());
    let summary = run_to_end(cluster(t, 1, true));
    assert_eq!(capture.taken(), [2]);
    assert_eq!(summary.error.as_deref(), Some("numbers: the disk is gone"));
    let letter = &summary.dead_letters[0];
    assert_eq!((letter.error.as_str(), letter.input.is_none()), ("one bad thing", true));
}

/// Input without end that is all bad keeps neither a drain nor its neighbours waiting.
#[test]
fn nothing_but_bad_input_keeps_nobody_waiting() {
    #[derive(Clone)]
    struct Garbage;
    impl Spout for Garbage {
        type Output = u64;
        type Id = ();
        async fn next(&mut self) -> Result<Option<(u64, ())>> {
            Err(Error::poison("garbage"))
        }
    }
    let mut t = Topology::new("garbage");
    let garbage = t.spout("garbage", Garbage);
    let few = t.spout("few", feed_of(0..10u64).spout());
    let capture = Capture::new();
    t.bolt("kept", capture.bolt(), [garbage.global(), few.global()]);
    let options = Options::default();
    let running = tormenta::start(t, options).expect("started");
    until("the others arrive", || capture.taken().len() == 10);
    running.drain();
    let summary = wait(running);
    assert_eq!((summary.error, summary.cut_off), (None, Vec::<String>::new()));
    assert_eq!(summary.dead_letters.len(), tormenta::limits::DEAD_LETTERS_KEPT);
    assert!(summary.metrics.sum(|c| c.dead_letters) >= 1_000);
}

#[derive(Tuple, Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    cents: i64,
}

fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        fs::write(directory.path().join(name), text).expect("written");
    }
    directory
}

/// A topology of the orders in a directory, as CSV and as JSON, each before a clock.
fn orders(dir: &Path, capture: &Capture<Order>) -> Topology {
    let mut t = Topology::new("orders");
    let csv = Replayed::new(CsvRows::<Order>::at(dir.join("orders.csv")), |order| order.id as i64);
    let csv = t.spout("csv", csv).replaying(Retry::default());
    let json = t.spout("json", JsonLines::<Order>::at(dir.join("orders.jsonl")));
    t.bolt("kept", capture.bolt(), [csv.global(), json.global()]);
    t
}

const CSV: &str = "id,cents\n1,100\ntwo,200\n3,\"30\n0\"\n4,400\n";
const JSON: &str = "{\"id\":5,\"cents\":500}\n{\"id\":6,\n{\"id\":7,\"cents\":700}\n";

fn judge_orders(dir: &Path, summary: &Summary, capture: &Capture<Order>) {
    let mut ids: Vec<u64> = capture.taken().iter().map(|order| order.id).collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 4, 5, 7]);
    let of = |spout: &str| -> Vec<(String, String)> {
        let letters = summary.dead_letters.iter().filter(|letter| letter.spout == spout);
        let inputs = letters.map(|letter| letter.input.clone().expect("the input"));
        inputs.map(|input| (input.origin, input.text)).collect()
    };
    let at = |name: &str, line: u64| format!("{}:{line}", dir.join(name).display());
    let csv = [("two,200", 3), ("3,\"30\n0\"", 4)];
    assert_eq!(of("csv"), csv.map(|(text, line)| (at("orders.csv", line), text.to_owned())));
    assert_eq!(of("json"), [(at("orders.jsonl", 2), "{\"id\":6,".to_owned())]);
    assert_eq!((summary.error.clone(), summary.metrics.sum(|c| c.dead_letters)), (None, 3));
}

#[test]
fn rows_of_files_that_are_no_tuples_are_letters_with_file_and_line() {
    let dir = directory(&[("orders.csv", CSV), ("orders.jsonl", JSON)]);
    let capture = Capture::new();
    let mut cluster = LocalCluster::new(orders(dir.path(), &capture), Simulation::new(3)).unwrap();
    judge_orders(dir.path(), &run_on(&mut cluster), &capture);
}

#[test]
fn a_file_of_dead_letters_has_them_as_lines_of_json() {
    let dir = directory(&[("orders.csv", CSV), ("orders.jsonl", JSON), ("dead", "before\n")]);
    let (capture, dead) = (Capture::new(), dir.path().join("dead"));
    let mut options = Options::default();
    options.dead_letters = Some(DeadLetterFile::open(&dead).expect("opened"));
    let running = tormenta::start(orders(dir.path(), &capture), options).expect("started");
    let summary = wait(running);
    judge_orders(dir.path(), &summary, &capture);
    let text = fs::read_to_string(&dead).expect("read");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("before"), "what was there stays");
    let written: Vec<serde_json::Value> =
        lines.map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let kept = summary.dead_letters.iter().map(|letter| serde_json::to_value(letter).unwrap());
    assert!(written.iter().cloned().eq(kept));
    let two = written.iter().find(|letter| letter["input"]["text"] == "two,200");
    let two = two.expect("the letter");
    assert_eq!(two["input"]["cut_bytes"], 0);
    assert_eq!((&two["tuple"], &two["attempts"]), (&serde_json::Value::Null, &0.into()));
}

/// Every write to this device fails.
#[cfg(target_os = "linux")]
#[test]
fn letters_that_cannot_be_written_end_the_topology() {
    let mut t = Topology::new("full");
    let numbers = t.spout("numbers", Numbers::new(lines(|n| n == 5), false));
    t.bolt("sink", func(async |_: u64, _: &Emitter<()>| Ok(())), numbers.global());
    let mut options = Options::default();
    options.dead_letters = Some(DeadLetterFile::open("/dev/full").expect("opened"));
    let summary = wait(tormenta::start(t, options).expect("started"));
    let error = summary.error.expect("an error");
    let expected = "numbers: write the dead letters in `/dev/full`: No space left on device";
    assert!(error.starts_with(expected), "{error}");
    assert_eq!(summary.dead_letters.len(), 1, "it is in the summary all the same");
    let refused = DeadLetterFile::open("/no/such/folder/dead").expect_err("refused").to_string();
    assert!(refused.starts_with("open the dead letters in `/no/such/folder/dead`: "), "{refused}");
}

#[test]
fn a_handler_that_panics_at_bad_input_costs_nothing_but_its_letter() {
    let capture = Capture::new();
    let mut t = Topology::new("panics");
    let numbers = t.spout("numbers", Numbers::new(lines(|n| n == 7), false));
    t.bolt("kept", capture.bolt(), numbers.global());
    let mut simulation = Simulation::new(1);
    simulation.on_dead_letter = Some(Box::new(|_| panic!("disk full")));
    let summary = run_to_end(cluster_with(t, simulation));
    assert_eq!((capture.taken().len(), &summary.error), (199, &None));
    assert_eq!(summary.errors[0].error, "`on_dead_letter` panicked: disk full");
    assert_eq!(summary.metrics.sum(|component| component.restarts), 0);
}
