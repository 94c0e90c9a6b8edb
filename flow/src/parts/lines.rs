//! Spouts of lines: from files, from a file that grows, from the network.

use std::{path::PathBuf, time::Duration};

use tormenta::{
    Spout, Stream,
    record::Value,
    spouts::{self, Line},
};

use super::{
    adapter::Mapped,
    cells::{Wanted, from_json},
};
use crate::{
    plan::{Inputs, Out, Part, Site},
    read::{
        kinds::{Address, Bytes, Columns, Paths, Period, Positive},
        params::component,
    },
    row::Row,
    shape::{Kind, Shape},
};

component! {
    /// The lines of files, directories and patterns, packed or not, and of standard input (`-`).
    Lines: spout "lines", "line: text; if numbered also file: int, number: int";

    /// What to read, such as `book.txt`, `logs`, `logs/*.gz` or `-`. Several tasks share the files.
    path: Paths, required, "\"access.log\"";
    /// Whether each line has the number of its file, from 0, and its own there, from 1.
    numbered: bool, or "false", "true";
    /// Bytes that a line may have; a longer one is an error.
    line_bytes_max: Bytes, or "\"16 MiB\"", "\"64 KiB\"";
}

component! {
    /// The lines of a file as they are written, like `tail -F`, through rotations. A line that
    /// fails is emitted again until it is acked.
    Tail: spout "tail", "line: text; if numbered also file: int, number: int";

    /// The file to follow; it may not exist yet.
    path: PathBuf, required, "\"/var/log/access.log\"";
    /// A file that keeps the place up to which all is acked, for the next start.
    checkpoint: Option<PathBuf>, optional, "\"access.place\"";
    /// Without a checkpoint, leaves out what is in the file at the start.
    from_end: bool, or "false", "true";
    /// How often to look for more.
    poll: Period, or "\"100ms\"", "\"10ms\"";
    /// How long a renamed file must be quiet before it is left.
    linger: Duration, or "\"1s\"", "\"10s\"";
    /// How often the checkpoint is written at most.
    save_every: Duration, or "\"1s\"", "\"100ms\"";
    /// Whether each line has the number of its file, from 0, and its own there, from 1.
    numbered: bool, or "false", "true";
    /// Bytes that a line may have; a longer one is an error.
    line_bytes_max: Bytes, or "\"16 MiB\"", "\"64 KiB\"";
}

component! {
    /// The lines that are sent to a TCP port.
    TcpLines: spout "tcp-lines", "line: text; if numbered also file: int (the connection), \
        number: int";

    /// Where to listen.
    address: Address, required, "\"127.0.0.1:5140\"";
    /// Connections at a time; more are closed at once.
    connections_max: Positive, or "1024", "10";
    /// For how long a connection may be silent.
    idle_max: Duration, or "\"5m\"", "\"10s\"";
    /// Lines that may wait; then the senders wait.
    queued_max: Positive, or "4096", "100";
    /// Whether each line has the number of its connection, from 0, and its own there, from 1.
    numbered: bool, or "false", "true";
    /// Bytes that a line may have; a longer one closes its connection.
    line_bytes_max: Bytes, or "\"64 KiB\"", "\"1 MiB\"";
}

component! {
    /// The lines of the datagrams that are sent to a UDP port.
    UdpLines: spout "udp-lines", "line: text; if numbered also file: int (within its datagram), \
        number: int (of the datagram)";

    /// Where to listen.
    address: Address, required, "\"127.0.0.1:8125\"";
    /// Lines that may wait; those that come then are dropped.
    queued_max: Positive, or "65536", "1000";
    /// Whether each line has its number in its datagram, from 0, and that of the datagram, from 1.
    numbered: bool, or "false", "true";
}

component! {
    /// What is sent by HTTP POST, answered when its tree has ended: with 200 when it is acked, with
    /// 500 and the reason when it failed. With `fields` a body is an object of JSON, and what is
    /// none is answered with 400 and the reason.
    Http: spout "http", "path: text, body: text; or the fields that are named";

    /// Where to listen.
    address: Address, required, "\"127.0.0.1:8080\"";
    /// The only path that is taken; all of them unless set.
    path: Option<String>, optional, "\"/events\"";
    /// The fields of a body that is an object of JSON, each with its kind unless it is text. One
    /// that is missing is null. Unless set, the row has the path and the body as it came.
    fields: Option<Columns>, optional, "[\"sensor\", \"at: int\", \"celsius: float\"]";
    /// Connections at a time; more are closed at once.
    connections_max: Positive, or "1024", "10";
    /// Requests that may be without an answer; more get a 503.
    requests_max: Positive, or "4096", "100";
    /// Bytes that a body may have; a longer one gets a 413.
    body_bytes_max: Bytes, or "\"1 MiB\"", "\"64 KiB\"";
    /// Time for a request to come in.
    read_within: Duration, or "\"10s\"", "\"1s\"";
    /// Time for a tree to end; then there is a 504.
    answer_within: Duration, or "\"30s\"", "\"1s\"";
}

fn line_shape(numbered: bool) -> Shape {
    match numbered {
        false => Shape::of([("line", Kind::Text)]),
        true => Shape::of([("line", Kind::Text), ("file", Kind::Int), ("number", Kind::Int)]),
    }
}

fn declare_lines<S: Spout<Output = Line>>(
    spout: S,
    numbered: bool,
    site: &mut Site<'_>,
) -> Vec<Stream<Row>> {
    let schema = site.out().schema();
    let row = move |line: Line| {
        let values = match numbered {
            false => vec![Value::Bytes(line.text)],
            true => vec![Value::Bytes(line.text), line.file.into(), line.number.into()],
        };
        Row::new(schema, values)
    };
    vec![*site.spout(Mapped::new(spout, row))]
}

impl Part for Lines {
    fn streams(&self, _inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        Some(vec![Out::main(line_shape(self.numbered))])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let lines = spouts::Lines::of(&self.path.0).line_bytes_max(self.line_bytes_max.size());
        declare_lines(lines, self.numbered, site)
    }
}

impl Part for Tail {
    fn goes_on(&self) -> bool {
        self.checkpoint.is_some()
    }

    fn streams(&self, _inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        Some(vec![Out::main(line_shape(self.numbered))])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let mut tail = spouts::Tail::at(&self.path)
            .poll(self.poll.0)
            .linger(self.linger)
            .save_every(self.save_every)
            .line_bytes_max(self.line_bytes_max.size());
        if let Some(checkpoint) = &self.checkpoint {
            tail = tail.checkpoint(checkpoint);
        }
        if self.from_end {
            tail = tail.from_end();
        }
        declare_lines(tail, self.numbered, site)
    }
}

impl Part for TcpLines {
    fn streams(&self, _inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        Some(vec![Out::main(line_shape(self.numbered))])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let lines = spouts::TcpLines::at(&self.address.0)
            .connections_max(self.connections_max.size())
            .idle_max(self.idle_max)
            .queued_max(self.queued_max.size())
            .line_bytes_max(self.line_bytes_max.size());
        declare_lines(lines, self.numbered, site)
    }
}

impl Part for UdpLines {
    fn streams(&self, _inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        Some(vec![Out::main(line_shape(self.numbered))])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let lines = spouts::UdpLines::at(&self.address.0).queued_max(self.queued_max.size());
        declare_lines(lines, self.numbered, site)
    }
}

impl Part for Http {
    fn streams(&self, _inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        let shape = match &self.fields {
            None => Shape::of([("path", Kind::Text), ("body", Kind::Text)]),
            Some(fields) => Shape::new(fields.0.iter().cloned()),
        };
        Some(vec![Out::main(shape)])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let shape = site.out();
        if self.fields.is_none() {
            let row = move |path: &str, body| {
                Ok(Row::new(shape.schema(), vec![path.into(), Value::Bytes(body)]))
            };
            return self.listen(spouts::HttpBodies::decoded(&self.address.0, row), site);
        }
        let wanted = Wanted::new(&shape, false);
        let row = move |_: &str, body: bytes::Bytes| {
            from_json(&wanted, &body).map_err(|why| {
                let names: Vec<&str> = shape.names().collect();
                format!("send one object of JSON with {}: {why}", names.join(", "))
            })
        };
        self.listen(spouts::HttpBodies::decoded(&self.address.0, row), site)
    }
}

impl Http {
    fn listen(&self, bodies: spouts::HttpBodies<Row>, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let mut bodies = bodies
            .connections_max(self.connections_max.size())
            .requests_max(self.requests_max.size())
            .body_bytes_max(self.body_bytes_max.size())
            .read_within(self.read_within)
            .answer_within(self.answer_within);
        if let Some(path) = &self.path {
            bodies = bodies.path(path);
        }
        vec![*site.spout(bodies)]
    }
}
