//! Components in other languages.

use std::{
    future::{Future, poll_fn},
    path::PathBuf,
    pin::pin,
    time::Duration,
};

use tormenta::{
    Bolt, Context, Emitter, Free, Result, Stream,
    bolts::map,
    multilang::{ShellBolt as TypedBolt, ShellSpout as TypedSpout},
    record::Record,
};

use super::{
    adapter::Mapped,
    sourced::{SOURCES_MAX, Sourced, reading, sourced},
};
use crate::{
    plan::{Inputs, Out, Part, Site},
    read::{
        document::{Item, Node},
        kinds::{Bytes, Columns, Period, Positive, Texts},
        params::{Param, Wrong, component},
    },
    row::Row,
    shape::{Kind, Shape},
};

component! {
    /// A program that emits tuples, by Storm's multilang protocol: JSON messages on standard input
    /// and output.
    ShellSpout: spout "shell", "the fields that are named";

    /// The program and its arguments. No shell is involved.
    command: Command, required, "[\"python3\", \"quotes.py\"]";
    /// What it emits, each field with its kind unless it is text.
    fields: Columns, required, "[\"symbol\", \"price: float\"]";
    /// The directory that it works in.
    cwd: Option<PathBuf>, optional, "\"components\"";
    /// Variables of its environment, on top of those of this process.
    env: Option<Texts>, optional, "{ TZ = \"UTC\" }";
    /// What it reads in `conf` when it starts.
    conf: Option<Texts>, optional, "{ url = \"http://127.0.0.1:8080\" }";
    /// For how long it may say nothing; it is killed then, and started again.
    timeout: Period, or "\"30s\"", "\"2m\"";
    /// Bytes that one of its messages may have; it is killed if it writes more.
    message_bytes_max: Bytes, or "\"16 MiB\"", "\"64 MiB\"";
}

component! {
    /// A program that works on tuples, by Storm's multilang protocol: JSON messages on standard
    /// input and output. It may read streams of several shapes: each tuple says which component and
    /// stream it comes from, and the program is told the fields of each when it starts.
    ShellBolt: bolt "shell", "the fields that are named, or nothing";

    /// The program and its arguments. No shell is involved.
    command: Command, required, "[\"python3\", \"stem.py\"]";
    /// What it emits, each field with its kind unless it is text; unless set, nothing.
    fields: Option<Columns>, optional, "[\"stem\", \"length: int\"]";
    /// The directory that it works in.
    cwd: Option<PathBuf>, optional, "\"components\"";
    /// Variables of its environment, on top of those of this process.
    env: Option<Texts>, optional, "{ TZ = \"UTC\" }";
    /// What it reads in `conf` when it starts.
    conf: Option<Texts>, optional, "{ language = \"pt\" }";
    /// For how long it may say nothing; it is killed then, and started again.
    timeout: Period, or "\"30s\"", "\"2m\"";
    /// Bytes that one of its messages may have; it is killed if it writes more.
    message_bytes_max: Bytes, or "\"16 MiB\"", "\"64 MiB\"";
    /// Tuples that may be with it and not acked.
    pending: Positive, or "4096", "100";
}

/// A program and its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Command(Vec<String>);

impl Param for Command {
    const KIND: &'static str = "a list of texts, the program first";

    fn read(node: &Node) -> Result<Self, Wrong> {
        let Item::List(words) = &node.value else { return Err(Wrong::Kind) };
        let words: Vec<String> = words.iter().map(String::read).collect::<Result<_, _>>()?;
        match words.first() {
            Some(program) if !program.is_empty() => Ok(Self(words)),
            _ => {
                Err(Wrong::value(&node.span, "it names no program; write one, then its arguments"))
            }
        }
    }
}

/// The fields as other languages have them. Each may be null, as in all rows.
fn fields(shape: &Shape) -> Vec<String> {
    let kind = |kind| match kind {
        Kind::Int => "Option<i64>",
        Kind::Float => "Option<f64>",
        Kind::Bool => "Option<bool>",
        Kind::Text => "Option<String>",
        Kind::Any => "any",
    };
    shape.fields().map(|(name, of)| format!("{name}: {}", kind(of))).collect()
}

/// What both are told.
macro_rules! told {
    ($shell:expr, $part:expr) => {{
        let mut shell = $shell.timeout($part.timeout.0);
        shell = shell.message_bytes_max($part.message_bytes_max.size());
        for (name, value) in $part.env.iter().flat_map(|texts| &texts.0) {
            shell = shell.env(name, value);
        }
        for (name, value) in $part.conf.iter().flat_map(|texts| &texts.0) {
            shell = shell.conf(name, value.as_str());
        }
        match &$part.cwd {
            Some(folder) => shell.cwd(folder),
            None => shell,
        }
    }};
}

impl Part for ShellSpout {
    fn streams(&self, _inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        Some(vec![Out::main(Shape::new(self.fields.0.iter().cloned()))])
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let shape = site.out();
        let spout = told!(TypedSpout::new(&self.command.0), self);
        let spout = spout.output("default", fields(&shape));
        let row = move |record: Record| Row::new(shape.schema(), record.into_values());
        vec![*site.spout(Mapped::new(spout, row))]
    }
}

impl Part for ShellBolt {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        if inputs.wires.len() > SOURCES_MAX {
            let why = format!("it reads {} streams; at most {SOURCES_MAX}", inputs.wires.len());
            inputs.notes.add(inputs.header, why);
        }
        let shape = self.fields.as_ref().map(|fields| Shape::new(fields.0.iter().cloned()));
        Some(shape.map(Out::main).into_iter().collect())
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let (shape, tasks) = (site.out(), site.tasks());
        let mut shell = told!(TypedBolt::<Sourced>::new(&self.command.0), self);
        shell = shell.pending_max(self.pending.size());
        for input in &site.inputs {
            shell = shell.input(&input.from, input.stream);
        }
        let reads = site.inputs.iter().map(|input| input.shape.clone()).collect();
        let edges = sourced(site.edges());
        if self.fields.is_none() {
            site.bolt_reading(Shell { shell, reads }, edges);
            return Vec::new();
        }
        let shell = shell.output("default", fields(&shape));
        let records = site.bolt_reading(Shell { shell, reads }, edges).shuffle();
        let row = move |record: Record| Row::new(shape.schema(), record.into_values());
        vec![*site.further("rows", map(row), records).tasks(tasks)]
    }
}

/// A shell bolt that can tell its child which fields the rows of each stream have.
#[derive(Clone)]
struct Shell {
    shell: TypedBolt<Sourced, Record>,
    reads: Vec<Shape>,
}

impl Bolt for Shell {
    type Input = Sourced;
    type Output = Record;

    async fn prepare(&mut self, cx: &Context) -> Result {
        let mut prepared = pin!(self.shell.prepare(cx));
        poll_fn(|waking| reading(&self.reads, || prepared.as_mut().poll(waking))).await
    }

    async fn execute(&mut self, row: Sourced, out: &Emitter<Record>) -> Result {
        self.shell.execute(row, out).await
    }

    async fn idle(&mut self, out: &Emitter<Record, Free>) -> Result {
        self.shell.idle(out).await
    }

    fn is_working(&self) -> bool {
        self.shell.is_working()
    }

    fn tick_interval(&self) -> Option<Duration> {
        self.shell.tick_interval()
    }

    async fn tick(&mut self, out: &Emitter<Record, Free>) -> Result {
        self.shell.tick(out).await
    }

    async fn finish(&mut self, out: &Emitter<Record, Free>) -> Result {
        self.shell.finish(out).await
    }
}
