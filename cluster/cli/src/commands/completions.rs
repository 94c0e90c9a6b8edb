//! `tormenta completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{
    args::Cli,
    exit::{self, Code, Outcome},
    output::Output,
};

/// Print a script with which a shell completes this command
#[derive(Debug, clap::Args)]
#[command(after_help = exit::after_help(&[
    "tormenta completions bash >> ~/.bash_completion",
    "tormenta completions zsh > ~/.zfunc/_tormenta",
    "tormenta completions fish > ~/.config/fish/completions/tormenta.fish",
]))]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn obey(self, output: &Output) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "tormenta", &mut script);
        output.data(&script)?;
        Ok(Code::Ok)
    }
}
