//! Rows to the terminal, to files and to servers.

use std::{io::IsTerminal, path::PathBuf, time::Duration};

use tormenta::{
    Stream,
    bolts::{FileSink, Fsync, HttpPost as TypedPost, LineFile as TypedFile, Print as TypedPrint},
};

use super::layout::{Style, Template, layout};
use crate::{
    plan::{Inputs, Out, Part, Site},
    read::{
        document::{Item, Node},
        kinds::{Bytes, Field, Period, Positive, Texts, Url},
        params::{Param, Wrong, component},
    },
    row::{Row, declaring},
};

component! {
    /// Writes each row to standard output, as a line. If its reader goes away, as `head` does, the
    /// flow ends.
    Print: bolt "print", "nothing";

    /// How a row looks unless there is a template: `json`, `tsv` or `csv`.
    format: Style, or "\"json\"", "\"tsv\"";
    /// How a row looks: fields in braces, and how wide they are at least.
    template: Option<Template>, optional, "\"{rank:3} {count:8} {url}\"";
    /// A field that is 1 in the first row of each picture, such as `rank`: on a terminal the screen
    /// is cleared before it, elsewhere an empty line is written.
    picture: Option<Field>, optional, "\"rank\"";
}

component! {
    /// Writes each row to a file that is complete or not there. The lines go to `<path>.partial`
    /// until the inputs have ended. Each run begins the file anew, so it is refused behind a `tail`
    /// with a checkpoint, which goes on: use `json-file` or `csv-file` there.
    LineFile: bolt "line-file", "nothing";

    /// The file. With several tasks, `{task}` in it is the number of the task.
    path: PathBuf, required, "\"counts.tsv\"";
    /// How a row looks unless there is a template: `json`, `tsv` or `csv`.
    format: Style, or "\"tsv\"", "\"json\"";
    /// How a row looks: fields in braces, and how wide they are at least.
    template: Option<Template>, optional, "\"{url},{count}\"";
}

component! {
    /// Writes each row to a file that grows, as an object of JSON. A row is acked when it is as
    /// safe as `fsync` says.
    JsonFile: bolt "json-file", "nothing";

    /// The file. With several tasks, `{task}` in it is the number of the task.
    path: PathBuf, required, "\"events.jsonl\"";
    /// When the disk is told to keep it: `never`, `each` row, after a number of rows, or a
    /// duration.
    fsync: Sync, or "\"never\"", "\"1s\"";
    /// Puts a file aside that would be larger.
    rotate_at: Option<Bytes>, optional, "\"64 MiB\"";
    /// Puts a file aside that is older.
    rotate_every: Option<Duration>, optional, "\"1h\"";
    /// Begins anew in place of going on with what is there.
    truncate: bool, or "false", "true";
}

component! {
    /// Writes each row to a file that grows, as comma-separated values below the names of the
    /// fields. A row is acked when it is as safe as `fsync` says.
    CsvFile: bolt "csv-file", "nothing";

    /// The file. With several tasks, `{task}` in it is the number of the task.
    path: PathBuf, required, "\"counts.csv\"";
    /// When the disk is told to keep it: `never`, `each` row, after a number of rows, or a
    /// duration.
    fsync: Sync, or "\"never\"", "\"1s\"";
    /// Puts a file aside that would be larger.
    rotate_at: Option<Bytes>, optional, "\"64 MiB\"";
    /// Puts a file aside that is older.
    rotate_every: Option<Duration>, optional, "\"1h\"";
    /// Begins anew in place of going on with what is there.
    truncate: bool, or "false", "true";
}

component! {
    /// Sends each row to a server, as an object of JSON, by HTTP POST.
    HttpPost: bolt "http-post", "nothing";

    /// Where to send it.
    url: Url, required, "\"http://127.0.0.1:8080/events\"";
    /// Headers of each request.
    headers: Option<Texts>, optional, "{ authorization = \"Bearer ${TOKEN:-none}\" }";
    /// Rows that a task has under way at the same time; they may arrive in another order.
    concurrent: Positive, or "1", "200";
    /// Requests under way at most, of all tasks together.
    connections: Positive, or "8", "64";
    /// Rows in one request at most, as lines.
    batch: Positive, or "1", "100";
    /// How long one attempt may take.
    timeout: Period, or "\"5s\"", "\"500ms\"";
    /// How often a request is sent. The setting `attempts` of the spout is another one.
    tries: Positive, or "4", "10";
    /// The pause before the second attempt; it doubles.
    backoff: Duration, or "\"100ms\"", "\"1s\"";
}

/// When the disk is told to keep what was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sync(Fsync);

impl Param for Sync {
    const KIND: &'static str = "`never`, `each`, a number of rows or a duration";

    fn read(node: &Node) -> Result<Self, Wrong> {
        match &node.value {
            Item::Text(text, _) if text == "never" => Ok(Self(Fsync::Never)),
            Item::Text(text, _) if text == "each" => Ok(Self(Fsync::Each)),
            Item::Text(..) => match Duration::read(node) {
                Ok(every) if !every.is_zero() => Ok(Self(Fsync::Interval(every))),
                _ => Err(Wrong::value(&node.span, format!("write {}", Self::KIND))),
            },
            _ => Positive::read(node).map(|rows| Self(Fsync::Tuples(rows.size()))),
        }
    }
}

/// Checks how rows are to look.
fn check_layout(style: Style, template: Option<&Template>, inputs: &mut Inputs<'_>) {
    // JSON has the names in each line, so that rows of several shapes may be mixed.
    if let Some(template) = template {
        if let Some(shape) = inputs.shape() {
            template.check(&shape, inputs.notes);
        }
    } else if style != Style::Json {
        inputs.shape();
    }
}

/// Several tasks cannot write one file.
fn check_path(path: &std::path::Path, inputs: &mut Inputs<'_>) {
    if inputs.tasks > 1 && !path.to_string_lossy().contains("{task}") {
        let why = format!(
            "the {} tasks of `{}` would write one file; put `{{task}}` into the path",
            inputs.tasks, inputs.whose
        );
        inputs.notes.add(inputs.header, why);
    }
}

impl Part for Print {
    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        check_layout(self.format, self.template.as_ref(), inputs);
        if let Some(field) = &self.picture {
            inputs.number(field);
        }
        Some(Vec::new())
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let is_terminal = std::io::stdout().is_terminal();
        let before: &[u8] = if is_terminal { b"\x1b[2J\x1b[H" } else { b"\n" };
        let write = layout(self.format, self.template.as_ref(), &site.shape(), is_terminal);
        let first = self.picture.as_ref().map(|field| site.slot(field).at);
        site.bolt(TypedPrint::with(move |row: &Row, line| {
            if first.is_some_and(|at| row.at(at).as_int() == Some(1)) {
                line.extend_from_slice(before);
            }
            write(row, line);
        }));
        Vec::new()
    }
}

impl Part for LineFile {
    fn begins_anew(&self) -> bool {
        true
    }

    fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        check_layout(self.format, self.template.as_ref(), inputs);
        check_path(&self.path, inputs);
        Some(Vec::new())
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let write = layout(self.format, self.template.as_ref(), &site.shape(), false);
        site.bolt(TypedFile::at(&self.path).with(move |row: &Row, line| write(row, line)));
        Vec::new()
    }
}

/// What both kinds of growing files have.
macro_rules! growing {
    ($name:ident, $make:ident, $one_shape:expr) => {
        impl Part for $name {
            fn streams(&self, inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
                check_path(&self.path, inputs);
                if $one_shape {
                    inputs.shape();
                }
                Some(Vec::new())
            }

            fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
                let shape = site.shape();
                let mut sink = declaring(Some(&shape), || FileSink::<Row>::$make(&self.path));
                sink = sink.fsync(self.fsync.0);
                if let Some(Bytes(bytes)) = self.rotate_at {
                    sink = sink.rotate_at(bytes);
                }
                if let Some(age) = self.rotate_every {
                    sink = sink.rotate_every(age);
                }
                if self.truncate {
                    sink = sink.truncate();
                }
                site.bolt(sink);
                Vec::new()
            }
        }
    };
}

growing!(JsonFile, json, false);
growing!(CsvFile, csv, true);

impl Part for HttpPost {
    fn streams(&self, _inputs: &mut Inputs<'_>) -> Option<Vec<Out>> {
        Some(Vec::new())
    }

    fn declare(&self, site: &mut Site<'_>) -> Vec<Stream<Row>> {
        let tries = u32::try_from(self.tries.0).unwrap_or(u32::MAX);
        let mut post = TypedPost::to(&self.url.0)
            .connections(self.connections.size())
            .batch(self.batch.size())
            .timeout(self.timeout.0)
            .attempts(tries, self.backoff);
        for (name, value) in self.headers.iter().flat_map(|texts| &texts.0) {
            post = post.header(name, value);
        }
        let handle = site.bolt(post);
        if self.concurrent.0 > 1 {
            let _ = handle.concurrent_unordered(self.concurrent.size());
        }
        Vec::new()
    }
}
