//! The command line of an artifact. Pure.

use std::{ffi::OsString, path::PathBuf, vec};

/// What an artifact is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// How to use it.
    Help,
    /// What it is.
    Version,
    /// To do something with its topology, which is given these words.
    Command(Command, Vec<OsString>),
}

/// What an artifact does with its topology.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Runs it.
    Run {
        /// What is said at the end.
        said: Said,
        /// Threads that share its loops.
        cores: Option<usize>,
        /// The file that gets its dead letters.
        dead_letters: Option<PathBuf>,
    },
    /// Prints its plan.
    Describe(Form),
}

/// How much is said at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// A few lines on standard error.
    Text,
    /// All metrics as JSON on standard output.
    Json,
    /// Only what went wrong.
    Nothing,
}

/// How a plan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Tree,
    /// For programs.
    Json,
    /// For Graphviz.
    Dot,
}

/// The options of a run, each of which has a value.
pub(super) const OPTIONS: [&str; 3] = ["--summary", "--cores", "--dead-letters"];

/// Threads that can be asked for. More than there are processors help nobody.
const CORES_MAX: usize = 1024;

type Parsed<T> = Result<T, String>;

/// Understands a command line, or says what is wrong with it.
pub(crate) fn parse(words: Vec<OsString>) -> Parsed<Request> {
    let mut words = words.into_iter();
    let mut command = Command::Run { said: Said::Text, cores: None, dead_letters: None };
    let mut is_first = true;
    while let Some(word) = words.next() {
        let first = std::mem::take(&mut is_first);
        let text = word.to_str().unwrap_or_default();
        match (text, &mut command) {
            ("--", _) => break,
            ("-h" | "--help", _) => return Ok(Request::Help),
            ("-V" | "--version", _) => return Ok(Request::Version),
            ("describe", _) if first => command = Command::Describe(Form::Tree),
            (option, Command::Describe(form)) if option.starts_with("--") => {
                *form = parse_form(option)?;
            }
            (option, Command::Run { said, cores, dead_letters }) if option.starts_with("--") => {
                let (name, value) = split(option, &mut words);
                match name {
                    "--summary" => *said = parse_said(value)?,
                    "--cores" => *cores = Some(parse_cores(value)?),
                    "--dead-letters" => *dead_letters = Some(parse_file(value)?),
                    _ => {
                        return Err(unknown(option, "`--summary`, `--cores` and `--dead-letters`"));
                    }
                }
            }
            (option, _) if option.starts_with('-') && option.len() > 1 => {
                return Err(unknown(option, "`-h` and `-V`"));
            }
            // The first word that is not ours: from here on everything is the topology's.
            _ => return Ok(Request::Command(command, [word].into_iter().chain(words).collect())),
        }
    }
    Ok(Request::Command(command, words.collect()))
}

/// An option and its value, which may be the next word.
fn split<'a>(option: &'a str, words: &mut vec::IntoIter<OsString>) -> (&'a str, Option<String>) {
    if let Some((name, value)) = option.split_once('=') {
        return (name, Some(value.to_owned()));
    }
    if !OPTIONS.contains(&option) {
        return (option, None);
    }
    (option, words.next().and_then(|word| word.into_string().ok()))
}

fn parse_form(option: &str) -> Parsed<Form> {
    match option {
        "--tree" => Ok(Form::Tree),
        "--json" => Ok(Form::Json),
        "--dot" => Ok(Form::Dot),
        _ => Err(unknown(option, "`--tree`, `--json` and `--dot`")),
    }
}

fn parse_said(value: Option<String>) -> Parsed<Said> {
    match value.as_deref() {
        Some("text") => Ok(Said::Text),
        Some("json") => Ok(Said::Json),
        Some("none") => Ok(Said::Nothing),
        _ => Err("`--summary` is one of `text`, `json` and `none`".to_owned()),
    }
}

fn parse_cores(value: Option<String>) -> Parsed<usize> {
    let cores = value.and_then(|value| value.parse().ok());
    let cores = cores.filter(|cores| (1..=CORES_MAX).contains(cores));
    cores.ok_or_else(|| format!("`--cores` is the number of threads, 1 to {CORES_MAX}"))
}

fn parse_file(value: Option<String>) -> Parsed<PathBuf> {
    let value = value.filter(|value| !value.is_empty());
    value.map(PathBuf::from).ok_or_else(|| "`--dead-letters` is the name of a file".to_owned())
}

fn unknown(option: &str, known: &str) -> String {
    format!(
        "`{option}` is no option here; there are {known}. Options of the topology go after `--`: \
         `-- {option}`"
    )
}

/// How to use an artifact of this name.
pub(crate) fn help(name: &str) -> String {
    format!(
        "{name}: a Tormenta topology, in one executable

Usage: {name} [OPTIONS] [--] [WORD]...
       {name} describe [--tree|--json|--dot] [--] [WORD]...

Runs the topology in this process until its inputs end. `describe` prints its plan instead, and
opens nothing. The words are the topology's own; options among them go after a word or `--`.

Options:
      --summary <text|json|none>  What to print at the end: a few lines on standard error (the
                                  default), all metrics as JSON on standard output, or nothing
      --cores <N>                 Threads to run on; as many as there are processors unless set
      --dead-letters <FILE>       Add what is given up to this file, one JSON object a line
  -h, --help                      Print this
  -V, --version                   Print the version

Signals: after the first SIGINT or SIGTERM nothing more is read, and what was read is processed
to its end; the second cuts it off. Within half a second they count as one.

Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 130 interrupted

Examples:
  {name}
  {name} --summary json -- --an-option-of-the-topology
  {name} describe --dot | dot -Tsvg > {name}.svg
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Parsed<Request> {
        parse(line.split_whitespace().map(OsString::from).collect())
    }

    fn run(said: Said, cores: Option<usize>, words: &[&str]) -> Parsed<Request> {
        let words = words.iter().map(OsString::from).collect();
        Ok(Request::Command(Command::Run { said, cores, dead_letters: None }, words))
    }

    #[test]
    fn words_of_the_topology_start_where_ours_end() {
        assert_eq!(parsed(""), run(Said::Text, None, &[]));
        assert_eq!(
            parsed("book.txt --tasks 2"),
            run(Said::Text, None, &["book.txt", "--tasks", "2"])
        );
        assert_eq!(parsed("-- --tasks"), run(Said::Text, None, &["--tasks"]));
        assert_eq!(parsed("-- --"), run(Said::Text, None, &["--"]));
        assert_eq!(parsed("-"), run(Said::Text, None, &["-"]));
        assert_eq!(parsed("--summary=json --cores 2 x -h"), run(Said::Json, Some(2), &["x", "-h"]));
        assert_eq!(parsed("x describe"), run(Said::Text, None, &["x", "describe"]));
    }

    #[test]
    fn dead_letters_have_a_file() {
        for line in ["--dead-letters dead.jsonl", "--dead-letters=dead.jsonl"] {
            let dead_letters = Some(PathBuf::from("dead.jsonl"));
            let command = Command::Run { said: Said::Text, cores: None, dead_letters };
            assert_eq!(parsed(line), Ok(Request::Command(command, Vec::new())));
        }
    }

    #[test]
    fn plans_are_printed_in_three_forms() {
        for (line, form) in [("", Form::Tree), ("--json x", Form::Json), ("--dot x", Form::Dot)] {
            let Ok(Request::Command(command, words)) = parsed(&format!("describe {line}")) else {
                panic!("refused: {line}");
            };
            assert_eq!(command, Command::Describe(form));
            assert_eq!(words.is_empty(), line.is_empty());
        }
    }

    #[test]
    fn mistakes_name_the_mend() {
        let mistakes = [
            ("--tasks 2", "Options of the topology go after `--`: `-- --tasks`"),
            ("-x", "`-x` is no option here"),
            ("describe --xml", "there are `--tree`, `--json` and `--dot`"),
            ("--summary", "`--summary` is one of"),
            ("--summary yaml", "`--summary` is one of"),
            ("--cores 0", "1 to 1024"),
            ("--cores", "1 to 1024"),
            ("--dead-letters", "the name of a file"),
            ("--dead-letters= x", "the name of a file"),
        ];
        for (line, expected) in mistakes {
            let mistake = parsed(line).expect_err("refused");
            assert!(mistake.contains(expected), "{line}: {mistake}");
        }
        assert_eq!(parsed("--help"), Ok(Request::Help));
        assert_eq!(parsed("describe -V"), Ok(Request::Version));
    }
}
