//! `tormenta run`.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use tormenta::artifact::{Inspected, Said, inspect};

use super::run_flow;
use crate::{
    args::Format,
    exit::{self, Code, Failure, Outcome},
    output::Output,
};

/// Run a topology: an artifact, or a flow that is declared in TOML
///
/// A file that ends in `.toml` is a flow, and runs in this process; `tormenta components` lists
/// what it can be made of. An artifact is the executable of a crate whose `main` is a
/// `#[tormenta::main]`. It takes the place of this process, so that signals, standard input and its
/// exit code are its own. A file that is no artifact is not executed.
#[derive(Debug, clap::Args)]
#[command(after_help = exit::after_help(&[
    "tormenta run flow.toml",
    "tormenta run --check flow.toml",
    "tormenta run target/release/hello",
    "tormenta run target/release/hello -- book.txt --tasks 4",
    "tormenta run -o json target/release/hello | tail -n 1 > summary.json",
]))]
pub(crate) struct Run {
    /// The executable, or the flow
    artifact: PathBuf,
    /// Check it and print its plan; run nothing, open nothing
    #[arg(long)]
    check: bool,
    /// Add what is given up to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    dead_letters: Option<PathBuf>,
    /// What somebody has put before `--`
    #[arg(hide = true)]
    misplaced: Vec<OsString>,
    /// Words for the topology of an artifact; put them after `--`
    #[arg(last = true)]
    args: Vec<OsString>,
}

impl Run {
    pub(crate) fn obey(self, output: &Output) -> Outcome {
        if run_flow::is_flow(&self.artifact) {
            if let Some(word) = self.misplaced.first().or(self.args.first()) {
                let why = format!(
                    "a flow takes no words, and was given `{}`; use variables of the environment: \
                     `${{NAME:-default}}`",
                    word.display()
                );
                return Err(Failure::new(Code::Usage, why));
            }
            let said = if self.check { None } else { Some(said(output)) };
            return run_flow::run(&self.artifact, said, self.dead_letters, output);
        }
        let name = self.artifact.display();
        if let Some(word) = self.misplaced.first() {
            let word = word.display();
            let why = format!(
                "`{word}` stands before `--`; put words for the topology after it: \
                 `tormenta run {name} -- {word} ..`"
            );
            return Err(Failure::new(Code::Usage, why));
        }
        let path = find(&self.artifact)?;
        match inspect(&path).map_err(|error| Failure::io(format!("read `{name}`"), &error))? {
            Inspected::Artifact { .. } => {}
            Inspected::Foreign { version } => {
                return Err(Failure::failed(format!(
                    "`{name}` was built with tormenta {version}, which this one ({}) cannot talk \
                     to; use the same version for both, or run `{}` by itself",
                    env!("CARGO_PKG_VERSION"),
                    path.display()
                )));
            }
            _ => {
                return Err(Failure::failed(format!(
                    "`{name}` is no Tormenta artifact, and was not executed; name the executable \
                     of a crate with `#[tormenta::main]`, such as `target/debug/hello`"
                )));
            }
        }
        let mut command = Command::new(&path);
        match (self.check, said(output)) {
            (true, _) if output.is_table() => command.args(["describe", "--tree"]),
            (true, _) => command.args(["describe", "--json"]),
            (false, Said::Json) => command.args(["--summary", "json"]),
            (false, Said::Nothing) => command.args(["--summary", "none"]),
            (false, Said::Text) => command.args(["--summary", "text"]),
        };
        if let (Some(file), false) = (self.dead_letters, self.check) {
            command.arg("--dead-letters").arg(file);
        }
        command.arg("--").args(self.args);
        become_it(command).map_err(|error| {
            let fix = match error.kind() {
                io::ErrorKind::PermissionDenied => format!("; try `chmod +x {name}`"),
                _ => String::new(),
            };
            Failure::failed(format!("run `{name}`: {error}{fix}"))
        })
    }
}

/// What is said at the end.
fn said(output: &Output) -> Said {
    match output.format() {
        Format::Json | Format::Ndjson => Said::Json,
        Format::Table if output.is_quiet() => Said::Nothing,
        Format::Table => Said::Text,
    }
}

/// The whole path, so that no other file of that name is looked for.
fn find(artifact: &Path) -> Outcome<PathBuf> {
    let name = artifact.display();
    let path = fs::canonicalize(artifact).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::new(
            Code::NotFound,
            format!("`{name}` does not exist; build it first, with `cargo build`"),
        ),
        _ => Failure::io(format!("find `{name}`"), &error),
    })?;
    if path.is_dir() {
        // `.` has a name all the same.
        let crate_name = path.file_name().unwrap_or("hello".as_ref());
        return Err(Failure::failed(format!(
            "`{name}` is a directory; name the executable, such as `{}`",
            artifact.join("target/debug").join(crate_name).display()
        )));
    }
    if !path.is_file() {
        return Err(Failure::failed(format!("`{name}` is no file; name an executable")));
    }
    Ok(path)
}

/// Returns only if that does not work.
#[cfg(unix)]
fn become_it(mut command: Command) -> io::Result<Code> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

#[cfg(not(unix))]
fn become_it(mut command: Command) -> io::Result<Code> {
    Ok(match command.status()?.code() {
        Some(0) => Code::Ok,
        Some(2) => Code::Usage,
        Some(3) => Code::NotFound,
        Some(130) | None => Code::Interrupted,
        Some(_) => Code::Failed,
    })
}
