//! Exit codes. They are a contract: scripts branch on them.

use std::{fmt::Display, io, process::ExitCode};

use tormenta::{Cause, Error};

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Code {
    Ok = 0,
    /// It was tried and did not work.
    Failed = 1,
    /// The command line makes no sense, whatever the world looks like.
    Usage = 2,
    /// Something that was named does not exist.
    NotFound = 3,
    NotAuthorised = 4,
    /// Something is in the way.
    Conflict = 5,
    Timeout = 6,
    Unreachable = 7,
    /// A signal ended it.
    Interrupted = 130,
}

impl Code {
    const ALL: [Self; 9] = [
        Self::Ok,
        Self::Failed,
        Self::Usage,
        Self::NotFound,
        Self::NotAuthorised,
        Self::Conflict,
        Self::Timeout,
        Self::Unreachable,
        Self::Interrupted,
    ];

    fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NotFound => "not found",
            Self::NotAuthorised => "not authorised",
            Self::Conflict => "conflict",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Interrupted => "interrupted",
        }
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// What a command comes to.
pub(crate) type Outcome<T = Code> = Result<T, Failure>;

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Display) -> Self {
        Self { code, message: message.to_string() }
    }

    pub(crate) fn failed(message: impl Display) -> Self {
        Self::new(Code::Failed, message)
    }

    /// An error of the library: what it names may not exist.
    pub(crate) fn of(error: Error) -> Self {
        let code = match Cause::of(&error) {
            Cause::NotFound => Code::NotFound,
            _ => Code::Failed,
        };
        Self::new(code, error)
    }

    /// What the operating system said about something.
    pub(crate) fn io(doing: impl Display, error: &io::Error) -> Self {
        let code = match error.kind() {
            io::ErrorKind::NotFound => Code::NotFound,
            _ => Code::Failed,
        };
        Self::new(code, format!("{doing}: {error}"))
    }
}

/// The end of every page of help: examples, and the exit codes.
pub(crate) fn after_help(examples: &[&str]) -> String {
    let code = |code: &Code| format!("{} {}", *code as u8, code.meaning());
    let line = |codes: &[Code]| codes.iter().map(code).collect::<Vec<_>>().join(", ");
    let (few, others) = Code::ALL.split_at(5);
    let (examples, few, others) = (examples.join("\n  "), line(few), line(others));
    format!("Examples:\n  {examples}\n\nExit codes:\n  {few}\n  {others}")
}
