//! Runs flows in a directory of their own.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tormenta::{Options, Running, Summary};
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

    /// The path of a file.
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("text").to_owned()
    }

    /// Runs a flow to its end.
    pub(crate) fn run(&self, text: &str) -> Summary {
        self.run_flow(&self.flow(text).unwrap_or_else(|mistakes| panic!("{mistakes}")))
    }

    /// The same, for one that was read.
    pub(crate) fn run_flow(&self, flow: &Flow) -> Summary {
        let summary = self.start(flow).wait();
        assert_eq!(summary.error, None);
        summary
    }

    /// Starts a flow.
    pub(crate) fn start(&self, flow: &Flow) -> Running {
        let mut options = Options::default();
        options.cores = Some(2);
        tormenta::start(flow.topology(), options).expect("it starts")
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

/// An address that a flow may listen at.
pub(crate) struct Listening(String);

impl Listening {
    pub(crate) fn free() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self(listener.local_addr().expect("bound").to_string())
    }

    pub(crate) fn address(&self) -> &str {
        &self.0
    }

    /// Waits until somebody listens: a flow that has started may not have come so far.
    #[expect(clippy::disallowed_methods, reason = "a real port is in no virtual time")]
    fn connect(&self) -> TcpStream {
        for _ in 0..2_000 {
            match TcpStream::connect(&self.0) {
                Ok(stream) => return stream,
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        panic!("nobody listens at {}", self.0)
    }

    /// Posts a body; the status and the text of the answer.
    pub(crate) fn post(&self, path: &str, body: &str) -> (u16, String) {
        let mut stream = self.connect();
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
        let request = format!("{head}content-length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let text = answer.split_once("\r\n\r\n").map_or("", |(_, text)| text);
        (status.expect("a status"), text.trim_end().to_owned())
    }
}
