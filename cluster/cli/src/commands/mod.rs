//! One file for each command.

mod bench;
mod completions;
mod components;
mod demo;
mod fraud;
mod fraud_live;
mod fraud_told;
mod new;
mod run;
mod run_flow;
mod version;
mod word_count;
mod word_count_told;

use clap::Subcommand;

use crate::{exit::Outcome, output::Output};

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(run::Run),
    Demo(demo::Demo),
    New(new::New),
    Components(components::Components),
    Bench(bench::Bench),
    Completions(completions::Completions),
    Version(version::Version),
}

/// Does it.
pub(crate) fn obey(command: Command, output: &Output) -> Outcome {
    match command {
        Command::Run(run) => run.obey(output),
        Command::Demo(demo) => demo.obey(output),
        Command::New(new) => new.obey(output),
        Command::Components(components) => components.obey(output),
        Command::Bench(bench) => bench.obey(output),
        Command::Completions(completions) => completions.obey(output),
        Command::Version(version) => version.obey(output),
    }
}
