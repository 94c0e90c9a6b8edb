//! Artifacts: executables that are a topology.
//!
//! `#[tormenta::main]` makes the `main` of a crate call [`main`], and so the crate's executable
//! an artifact: without being told anything, it runs its topology in its own process.
//!
//! ```text
//!   hello                      runs until its inputs end, or until SIGINT or SIGTERM
//!   hello book.txt             the same; the topology is given the words
//!   hello --summary json       prints what it did as JSON, on standard output
//!   hello --dead-letters d     adds what is given up to the file `d`, as lines of JSON
//!   hello describe --json      prints the plan; runs nothing and opens nothing
//! ```
//!
//! | exit code | means |
//! |---|---|
//! | 0 | the inputs ended and all of it was processed |
//! | 1 | the topology failed, or what it did was lost at its end |
//! | 2 | the command line makes no sense |
//! | 3 | a file that was named does not exist, or another thing that a component needs |
//! | 130 | a signal ended it: the first drains it, the second cuts it off |
//!
//! Who is given a file can tell whether it is an artifact without executing it: see [`inspect`].

mod args;
mod attend;
mod command;
mod insistence;
mod inspect;
mod outcome;

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use tormenta_dsl::{Error, Result};

pub use args::{Args, Usage};
pub use attend::{Attended, Ended, attend};
pub use command::Said;
pub use inspect::{Inspected, inspect};

use crate::{Cause, DeadLetterFile, Options, Topology, start};
use command::{Command, Form, Request};

/// The `main` of an artifact. Written by `#[tormenta::main]`.
///
/// ```no_run
/// use tormenta_runtime::{Topology, artifact::{self, Args}};
///
/// fn main() -> std::process::ExitCode {
///     artifact::main("hello", |t: &mut Topology, args: Args| {
///         let tasks: usize = args.value("--tasks")?.unwrap_or(2);
///         // declare spouts and bolts here
///         Ok(())
///     })
/// }
/// ```
pub fn main(name: &str, define: impl Fn(&mut Topology, Args) -> Result) -> ExitCode {
    inspect::bear_the_mark();
    // Where cargo does not say how the executable is called, this is the path of a module: in tests
    // of documentation one whose name begins as those of the engine do.
    let name = name.rsplit_once("::").map_or(name, |(_, module)| module.trim_start_matches('_'));
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match command::parse(words) {
        Err(mistake) => {
            tell(&format!("error: {mistake}\n\nFor more information, try `{name} --help`."));
            ExitCode::from(outcome::USAGE)
        }
        Ok(Request::Help) => printed(&command::help(name)),
        Ok(Request::Version) => {
            printed(&format!("{name}: an artifact of tormenta {}\n", env!("CARGO_PKG_VERSION")))
        }
        Ok(Request::Command(command, args)) => {
            let mut topology = Topology::new(name);
            let args = Args::new(args);
            match define(&mut topology, args.clone()).and_then(|()| args.check_all_read()) {
                Ok(()) => obey(name, command, topology),
                Err(error) => refused(&error),
            }
        }
    }
}

fn obey(name: &str, command: Command, topology: Topology) -> ExitCode {
    match command {
        Command::Describe(form) => describe(&topology, form),
        Command::Run { said, cores, dead_letters } => {
            let dead_letters = match dead_letters.map(DeadLetterFile::open).transpose() {
                Ok(file) => file,
                Err(error) => return refused(&error),
            };
            let options = Options { cores, dead_letters, ..Options::default() };
            ExitCode::from(carry_out(name, topology, said, options))
        }
    }
}

fn describe(topology: &Topology, form: Form) -> ExitCode {
    let plan = match topology.plan() {
        Ok(plan) => plan,
        Err(errors) => return failed(&errors.to_string()),
    };
    printed(&match form {
        Form::Tree => plan.to_string(),
        Form::Dot => plan.to_dot(),
        Form::Json => format!("{:#}\n", plan.to_json()),
    })
}

/// Runs a topology to its end as an artifact of this name would: it says on standard error what
/// goes wrong, attends to signals, and says at the end what was done. Gives the exit code.
///
/// For commands that are given a topology in another form than an executable.
///
/// ```no_run
/// use tormenta_runtime::{Options, Topology, artifact::{self, Said}};
///
/// let topology = Topology::new("hello");
/// let code = artifact::carry_out("hello", topology, Said::Text, Options::default());
/// std::process::exit(i32::from(code));
/// ```
pub fn carry_out(name: &str, topology: Topology, said: Said, options: Options) -> u8 {
    let running = match start(topology, options) {
        Ok(running) => running,
        Err(error) => {
            tell(&format!("error: {}", outcome::chain(&error)));
            return outcome::FAILED;
        }
    };
    let attended = attend(running, tell);
    let text = outcome::told(name, &attended);
    match said {
        Said::Nothing => {}
        Said::Text => tell(&text),
        Said::Json => {
            if print(&outcome::json(name, &attended)).is_err() {
                return outcome::FAILED;
            }
        }
    }
    if let (Err(why), false) = (outcome::judge(&attended), said == Said::Text) {
        tell(&format!("error: {why}"));
    }
    outcome::code(&attended)
}

fn refused(error: &Error) -> ExitCode {
    tell(&format!("error: {error}"));
    ExitCode::from(match Cause::of(error) {
        _ if Usage::is_in(error) => outcome::USAGE,
        Cause::NotFound => outcome::NOT_FOUND,
        _ => outcome::FAILED,
    })
}

fn failed(why: &str) -> ExitCode {
    tell(&format!("error: {why}"));
    ExitCode::from(outcome::FAILED)
}

/// Says something to whoever watches. If nobody does, there is nobody to tell.
fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn printed(text: &str) -> ExitCode {
    print(text).err().unwrap_or(ExitCode::SUCCESS)
}

/// Prints data. Who closes standard output early, as `head` does, has had enough: no failure.
fn print(text: &str) -> Result<(), ExitCode> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(failed(&format!("write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}
