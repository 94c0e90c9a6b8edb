//! What is printed: data to standard output, talk to standard error.

mod file;
mod progress;
mod table;

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

use clap::ColorChoice;
use serde::Serialize;

pub(crate) use file::WholeFile;
pub(crate) use progress::Progress;
pub(crate) use table::{Table, grouped, time};

use crate::{
    args::{Format, Globals},
    exit::{Failure, Outcome},
};

/// Where and how things are printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    format: Format,
    quiet: bool,
    colored: bool,
}

impl Output {
    pub(crate) fn new(globals: &Globals) -> Self {
        let colored = match globals.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                !refused && io::stderr().is_terminal()
            }
        };
        Self { format: globals.format, quiet: globals.quiet, colored }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    pub(crate) fn is_table(&self) -> bool {
        self.format == Format::Table
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether talk is coloured.
    pub(crate) fn is_colored(&self) -> bool {
        self.colored
    }

    /// Prints data.
    pub(crate) fn data(&self, bytes: &[u8]) -> Outcome<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::failed(format!("write to standard output: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Prints a value as JSON, in the way that was asked for.
    pub(crate) fn json(&self, value: &impl Serialize) -> Outcome<()> {
        let text = match self.format {
            Format::Ndjson => serde_json::to_string(value),
            Format::Table | Format::Json => serde_json::to_string_pretty(value),
        };
        let text = text.map_err(|error| Failure::failed(format!("write JSON: {error}")))?;
        self.data(format!("{text}\n").as_bytes())
    }

    /// Prints a value as JSON on one line.
    pub(crate) fn json_line(&self, value: &impl Serialize) -> Outcome<()> {
        Self { format: Format::Ndjson, ..*self }.json(value)
    }

    /// Says something to whoever watches, unless asked to be quiet.
    pub(crate) fn talk(&self, text: impl Display) {
        if !self.quiet {
            // If nobody listens, there is nobody to tell.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Says what went wrong.
    pub(crate) fn error(&self, message: &str) {
        let (on, off) = if self.colored { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        let _ = writeln!(io::stderr(), "{on}error:{off} {message}");
    }
}
