//! Runs flows in a directory of their own.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;
use tormenta::{Options, Summary};
use tormenta_flow::{Flow, Mistakes};

/// A directory, which flows call `${DIR}`.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    /// With a file in it.
    pub(crate) fn with(name: &str, text: &str) -> Self {
        let desk = Self::new();
        desk.write(name, text);
        desk
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).expect("written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).expect("a file")
    }

    /// Reads a flow.
    pub(crate) fn flow(&self, text: &str) -> Result<Flow, Mistakes> {
        let dir = self.0.path().to_str().expect("text").to_owned();
        Flow::parse("flow.toml", text, move |name| (name == "DIR").then(|| dir.clone()))
    }

    /// Runs a flow to its end.
    pub(crate) fn run(&self, text: &str) -> Summary {
        let flow = self.flow(text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let mut options = Options::default();
        options.cores = Some(2);
        let running = tormenta::start(flow.topology(), options).expect("it starts");
        let summary = running.wait();
        assert_eq!(summary.error, None);
        summary
    }

    /// Runs a flow, and gives what the component `out` would print, as JSON, sorted.
    pub(crate) fn rows(&self, text: &str) -> Vec<String> {
        let sink = "
            [bolts.sink]
            type = \"json-file\"
            reads = \"out\"
            path = \"${DIR}/sink.jsonl\"
            truncate = true
            tick = \"5ms\"";
        let _ = self.run(&format!("{text}\n{sink}"));
        let mut lines: Vec<String> = self.read("sink.jsonl").lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    }

    /// The same, as values.
    pub(crate) fn values(&self, text: &str) -> Vec<Value> {
        let value = |line: &String| serde_json::from_str(line).expect("JSON");
        self.rows(text).iter().map(value).collect()
    }
}

/// What the mistakes of a flow are, one line each.
#[track_caller]
pub(crate) fn mistakes(text: &str) -> String {
    match Flow::parse("f.toml", text, |_| None) {
        Ok(flow) => panic!("no mistake in {flow:?}"),
        Err(mistakes) => mistakes.to_string(),
    }
}
