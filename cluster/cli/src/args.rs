//! The command line.

use std::ffi::OsString;

use clap::{ColorChoice, Parser, ValueEnum};

use crate::{commands::Command, exit};

/// Streams of tuples through spouts and bolts, one at a time and none lost.
#[derive(Debug, Parser)]
#[command(name = "tormenta", version, arg_required_else_help = true)]
#[command(after_help = exit::after_help(&[
    "tormenta demo word-count                     count the words of a book",
    "tormenta demo word-count --output t.tsv logs those of a directory, into a file",
    "tormenta new hello && cd hello && cargo run  a topology of your own",
    "tormenta run target/debug/hello              run one that was built",
    "tormenta run flow.toml                       run one that is declared",
]))]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the options of every command stand in a page of help: behind those of the command, before
/// `--help`.
const LAST: usize = 900;

/// Options of every command.
#[derive(Debug, clap::Args)]
pub(crate) struct Globals {
    /// How data is printed
    #[arg(short = 'o', long = "output-format", global = true, display_order = LAST)]
    #[arg(value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    #[arg(env = "TORMENTA_FORMAT", hide_env = true)]
    pub(crate) format: Format,
    /// Print data and errors only: no progress, no summary for people
    #[arg(short, long, global = true, display_order = LAST + 1)]
    pub(crate) quiet: bool,
    /// When to use colour; `NO_COLOR` switches it off as well
    #[arg(long, global = true, value_name = "WHEN", value_enum)]
    #[arg(default_value_t = ColorChoice::Auto, display_order = LAST + 2)]
    pub(crate) color: ColorChoice,
}

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns, for people
    Table,
    /// One JSON value, indented
    Json,
    /// One JSON value a line
    Ndjson,
}

/// What `--color` says, for the mistakes that are found before there is anything parsed.
pub(crate) fn color_of(words: &[OsString]) -> ColorChoice {
    let ours = || words.iter().take_while(|word| *word != "--");
    let inline = ours().filter_map(|word| word.to_str()?.strip_prefix("--color="));
    let apart = ours().zip(ours().skip(1)).filter(|(name, _)| *name == "--color");
    let value = inline.chain(apart.filter_map(|(_, value)| value.to_str())).last();
    value.and_then(|value| ColorChoice::from_str(value, false).ok()).unwrap_or(ColorChoice::Auto)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    /// Every page of help ends with examples and the exit codes.
    #[test]
    fn every_help_has_examples_and_codes() {
        fn check(command: &clap::Command) {
            let help = command.clone().render_long_help().to_string();
            let name = command.get_name();
            assert!(help.contains("Examples:\n  tormenta "), "{name}: {help}");
            assert!(help.trim_end().ends_with("130 interrupted"), "{name}: {help}");
            let after = command.get_after_help().expect("examples").to_string();
            let longest = after.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(80), "{name}: a line of its examples is broken");
            command.get_subcommands().filter(|c| c.get_name() != "help").for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn colour_is_known_before_the_rest() {
        let color = |line: &str| {
            let words: Vec<_> = line.split_whitespace().map(OsString::from).collect();
            color_of(&words)
        };
        assert_eq!(color("tormenta --color never dmo"), ColorChoice::Never);
        assert_eq!(color("tormenta dmo --color=always"), ColorChoice::Always);
        assert_eq!(color("tormenta run x -- --color=always"), ColorChoice::Auto);
    }
}
