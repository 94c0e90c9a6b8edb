//! The `tormenta` command.
//!
//! Data goes to standard output, talk to standard error. Whoever closes standard output early, as
//! `head` does, has had enough: that is no failure. The exit codes are in [`exit::Code`].

mod args;
mod bench;
mod commands;
mod exit;
mod output;
mod word_count;

use std::{io::ErrorKind, process::ExitCode};

use clap::{CommandFactory, FromArgMatches};

use args::Cli;
use exit::{Code, Outcome};
use output::Output;

/// Tuples are made on one core and dropped on another; `bench` shows what is allocated for them.
#[global_allocator]
static ALLOCATOR: tormenta_alloc::CountingAllocator = tormenta_alloc::CountingAllocator;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let command = Cli::command().color(args::color_of(&words));
    let parsed = command.try_get_matches_from(words).and_then(|m| Cli::from_arg_matches(&m));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to standard output, mistakes to standard error. If nobody reads, so be it;
            // but help that could not be written was not given.
            let is_usage = error.use_stderr();
            return match error.print() {
                _ if is_usage => Code::Usage,
                Err(why) if why.kind() != ErrorKind::BrokenPipe => Code::Failed,
                _ => Code::Ok,
            }
            .into();
        }
    };
    let output = Output::new(&cli.globals);
    log_to_stderr(&output);
    finish(&output, commands::obey(cli.command, &output))
}

fn finish(output: &Output, outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(code) => code.into(),
        Err(failure) => {
            output.error(&failure.message);
            failure.code.into()
        }
    }
}

/// The log of the engine, for those who ask for it: `TORMENTA_LOG=tormenta=debug`.
fn log_to_stderr(output: &Output) {
    use tracing_subscriber::EnvFilter;
    // What goes wrong is reported by the commands themselves.
    let filter = EnvFilter::try_from_env("TORMENTA_LOG").unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(output.is_colored())
        .with_writer(std::io::stderr)
        .init();
}
