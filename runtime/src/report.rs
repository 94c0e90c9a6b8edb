//! Errors and dead letters: what operators are told.

use std::{
    collections::VecDeque,
    fmt, io,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;
use tormenta_dsl::{Error, RawInput, Result, error::Place, record::Record};

use crate::{clock::Nanos, executor::panics, letter_file::DeadLetterFile, limits};

/// What was given up: a tuple whose attempts were used up, or of which a bolt said that no replay
/// can help; or input that its spout could not make into a tuple.
#[derive(Debug, Clone, Serialize)]
pub struct DeadLetter {
    /// The spout that emitted the root of the tree, or that read the input; of a result the bolt
    /// that answers for it.
    pub spout: String,
    /// Component and task at which the last attempt failed, where there is one.
    pub component: Option<String>,
    /// Index of that task.
    pub task: Option<usize>,
    /// The chain of causes.
    pub error: String,
    /// Attempts made; none at input that never was a tuple.
    pub attempts: u32,
    /// The tuple that could not be processed, where a copy was kept, else the root tuple.
    pub tuple: Option<Record>,
    /// The input that is no tuple, where the spout says what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<RawInput>,
}

/// What the engine asked of a component's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// `prepare`, and what comes before it: the clone and `state`.
    Prepare,
    /// `execute` of a bolt.
    Execute,
    /// `tick` of a bolt.
    Tick,
    /// `finish` of a bolt.
    Finish,
    /// `idle` of a bolt.
    Idle,
    /// `next` of a spout; also `activated` and `deactivated`.
    Next,
    /// `acked` or `failed` of a spout.
    Acked,
}

impl Phase {
    pub(crate) const ALL: [Self; 7] = [
        Self::Prepare,
        Self::Execute,
        Self::Tick,
        Self::Finish,
        Self::Idle,
        Self::Next,
        Self::Acked,
    ];
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prepare => "prepare",
            Self::Execute => "execute",
            Self::Tick => "tick",
            Self::Finish => "finish",
            Self::Idle => "idle",
            Self::Next => "next",
            Self::Acked => "acked",
        })
    }
}

/// An error that a component reported.
#[derive(Debug, Clone, Serialize)]
pub struct ReportedError {
    /// Seconds since the topology started.
    pub at_seconds: f64,
    /// Name of the component.
    pub component: String,
    /// Index of the task.
    pub task: usize,
    /// What the task was at. `None` where that is not known: for an error that was reported while
    /// the task waited, or from another thread.
    pub phase: Option<Phase>,
    /// The chain of causes.
    pub error: String,
    /// File, line and column of a panic, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub panicked_at: Option<String>,
    /// The calls that led to a panic, where `RUST_BACKTRACE` asks for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backtrace: Option<String>,
}

/// In one line: `count[1]: panicked: no such word (src/main.rs:7:9)`.
impl fmt::Display for ReportedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}", self.component, self.task, self.error)?;
        self.panicked_at.as_ref().map_or(Ok(()), |at| write!(f, " ({at})"))
    }
}

/// Of what kind it is that ended a topology before its inputs did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// A component failed.
    Failed,
    /// Something that a component was to read, write or run does not exist.
    NotFound,
    /// A bug of the engine.
    Bug,
}

impl Cause {
    /// Of what kind an error of a component is, by its causes: `NotFound` where an
    /// [`std::io::Error`] of that kind is among them.
    ///
    /// ```
    /// use tormenta_runtime::Cause;
    ///
    /// let lost = std::fs::read("no/such/file").expect_err("there is none");
    /// assert_eq!(Cause::of(&tormenta_dsl::Error::from(lost).context("read it")), Cause::NotFound);
    /// assert_eq!(Cause::of(&tormenta_dsl::Error::msg("no")), Cause::Failed);
    /// ```
    #[must_use]
    pub fn of(error: &Error) -> Self {
        let first: &(dyn std::error::Error + 'static) = error.source();
        let mut causes = std::iter::successors(Some(first), |cause| cause.source());
        let is_lost = |cause: &(dyn std::error::Error + 'static)| {
            let io = cause.downcast_ref::<io::Error>();
            io.is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
        };
        if causes.any(is_lost) { Self::NotFound } else { Self::Failed }
    }
}

/// The latest errors and dead letters, and what to do with each new one.
#[derive(Default)]
pub(crate) struct Reports {
    errors: Mutex<VecDeque<ReportedError>>,
    letters: Mutex<VecDeque<DeadLetter>>,
    on_letter: Option<OnLetter>,
    letter_file: Option<DeadLetterFile>,
    fatal: Mutex<Option<(Cause, String)>>,
    cut_off: Mutex<Vec<String>>,
}

/// Called for every dead letter.
pub type OnLetter = Box<dyn Fn(&DeadLetter) + Send + Sync>;

impl Reports {
    pub(crate) fn new(on_letter: Option<OnLetter>, letter_file: Option<DeadLetterFile>) -> Self {
        Self { on_letter, letter_file, ..Self::default() }
    }

    pub(crate) fn error(&self, now: Nanos, place: &Place, phase: Option<Phase>, error: &str) {
        tracing::warn!(component = %place.component, task = place.task, error, "component error");
        let origin = if error.contains("panicked") { panics::take_origin() } else { None };
        let (panicked_at, backtrace) = origin.map(|o| (o.at, o.backtrace)).unzip();
        let error = ReportedError {
            at_seconds: now as f64 / 1e9,
            component: place.component.to_string(),
            task: place.task,
            phase,
            error: error.to_owned(),
            panicked_at,
            backtrace: backtrace.flatten(),
        };
        keep(&self.errors, error, limits::ERRORS_KEPT);
    }

    /// An error that ends the topology. The first one is what it ends with.
    pub(crate) fn fatal(&self, now: Nanos, place: &Place, phase: Phase, error: &Error) {
        let why = error.chain();
        self.error(now, place, Some(phase), &why);
        self.set_fatal(Cause::of(error), format!("{}: {why}", place.component));
    }

    pub(crate) fn set_fatal(&self, cause: Cause, error: String) {
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert((cause, error));
    }

    pub(crate) fn set_cut_off(&self, tasks: Vec<String>) {
        *self.cut_off.lock().unwrap_or_else(PoisonError::into_inner) = tasks;
    }

    pub(crate) fn cut_off(&self) -> Vec<String> {
        self.cut_off.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps and writes a dead letter. Fails where a file is to have it and cannot.
    pub(crate) fn dead_letter(&self, letter: &DeadLetter) -> Result {
        tracing::warn!(
            spout = letter.spout,
            component = letter.component,
            attempts = letter.attempts,
            error = letter.error,
            "dead letter"
        );
        keep(&self.letters, letter.clone(), limits::DEAD_LETTERS_KEPT);
        self.letter_file.as_ref().map_or(Ok(()), |file| file.write(letter))
    }

    /// Calls whoever is to be called for a dead letter: code of the user.
    pub(crate) fn tell_letter(&self, letter: &DeadLetter) {
        if let Some(on_letter) = &self.on_letter {
            on_letter(letter);
        }
    }

    pub(crate) fn fatal_error(&self) -> Option<(Cause, String)> {
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn errors(&self) -> Vec<ReportedError> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(crate) fn letters(&self) -> Vec<DeadLetter> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Keeps the latest, bounded.
fn keep<T>(list: &Mutex<VecDeque<T>>, item: T, kept: usize) {
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    if list.len() == kept {
        list.pop_front();
    }
    list.push_back(item);
}
