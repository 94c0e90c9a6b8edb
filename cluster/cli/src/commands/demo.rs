//! `tormenta demo`.

use clap::Subcommand;

use super::{fraud::Fraud, word_count::WordCount};
use crate::{
    exit::{self, Outcome},
    output::Output,
};

/// Run something worth watching, in this process
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true, after_help = exit::after_help(&[
    "tormenta demo fraud",
    "tormenta demo word-count",
    "tormenta demo word-count --output counts.tsv /var/log",
]))]
pub(crate) struct Demo {
    #[command(subcommand)]
    name: Name,
}

#[derive(Debug, Subcommand)]
enum Name {
    Fraud(Fraud),
    WordCount(WordCount),
}

impl Demo {
    pub(crate) fn obey(self, output: &Output) -> Outcome {
        match self.name {
            Name::Fraud(fraud) => fraud.obey(output),
            Name::WordCount(word_count) => word_count.obey(output),
        }
    }
}
