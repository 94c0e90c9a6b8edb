//! Why a tuple failed, in the words of the component and in the words of the engine.
//!
//! [`Error`] is what user code returns; [`Failure`] is what a spout is told about a tree that did
//! not complete. The two differ on purpose: a tree may fail although no component returned an
//! error (it was lost, it got stuck, somebody dropped its ticket).

use std::fmt;

/// The result of everything that a component does.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// An error of a component: any error, with one bit of advice to the engine.
///
/// `?` converts every `std::error::Error` into it. A tuple whose bolt returns an `Error` fails; a
/// tuple whose bolt returns [`Error::poison`] is not worth another attempt and becomes a dead
/// letter at once.
///
/// ```
/// use tormenta_dsl::{Error, Result};
///
/// fn amount(text: &str) -> Result<u64> {
///     Ok(text.trim().parse()?) // fails the tuple, which may be replayed
/// }
/// fn strict(text: &str) -> Result<u64> {
///     text.trim().parse().map_err(Error::poison) // no replay can help
/// }
/// assert!(!amount("x").unwrap_err().is_poison());
/// assert!(strict("x").unwrap_err().is_poison());
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    source: Box<dyn std::error::Error + Send + Sync>,
    poison: bool,
}

impl Error {
    /// An error that is only a message.
    #[must_use]
    pub fn msg(message: impl fmt::Display) -> Self {
        Self::boxed(Box::new(Message(message.to_string())), false)
    }

    /// Marks the tuple as one that no replay can help: it becomes a dead letter at once and its
    /// tree counts as acked.
    #[must_use]
    pub fn poison(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::boxed(source.into(), true)
    }

    /// Says what was being done when the error happened.
    ///
    /// ```
    /// let error = tormenta_dsl::Error::msg("no such file").context("open `swipes.csv`");
    /// assert_eq!(error.chain(), "open `swipes.csv`: no such file");
    /// ```
    #[must_use]
    pub fn context(self, doing: impl fmt::Display) -> Self {
        let Inner { source, poison } = *self.0;
        Self::boxed(Box::new(Doing { doing: doing.to_string(), source }), poison)
    }

    /// Whether a replay is pointless.
    #[must_use]
    pub fn is_poison(&self) -> bool {
        self.0.poison
    }

    /// The error that was wrapped.
    #[must_use]
    pub fn source(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        &*self.0.source
    }

    /// The whole chain of causes in one line, `outer: inner: innermost`.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.0.source.to_string();
        let mut next = self.0.source.source();
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }

    fn boxed(source: Box<dyn std::error::Error + Send + Sync>, poison: bool) -> Self {
        Self(Box::new(Inner { source, poison }))
    }
}

// `Error` itself is no `std::error::Error`: that is what lets `?` convert from every one of them.
impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(source: E) -> Self {
        Self::boxed(Box::new(source), false)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.0.poison { "Poison" } else { "Error" };
        f.debug_tuple(kind).field(&self.chain()).finish()
    }
}

#[derive(Debug)]
struct Message(String);

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Message {}

#[derive(Debug)]
struct Doing {
    doing: String,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.doing)
    }
}

impl std::error::Error for Doing {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

/// Why a tuple tree did not complete. Given to [`Spout::failed`](crate::Spout::failed).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// A bolt returned an error.
    Error(Place, String),
    /// A bolt panicked; its task was restarted.
    Panic(Place, String),
    /// A ticket was failed with this reason.
    Refused(Place, String),
    /// A ticket was dropped without being settled.
    Dropped(Place),
    /// A tuple of the tree vanished: nothing that is queued, executing or held can complete it.
    Lost,
    /// One execute lasted longer than `execute_timeout`.
    Stuck(Place),
    /// A ticket was held longer than `hold_timeout` without a touch.
    Expired(Place),
    /// The tree was older than `message_timeout`.
    TimedOut,
    /// A feedback edge was full.
    Overflow(Place),
    /// A bolt said that no replay can help.
    Poison(Place, String),
    /// The topology stopped before the tree was complete.
    Stopped,
}

impl Failure {
    /// Where the failure happened, if it happened at a component.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Error(place, _)
            | Self::Panic(place, _)
            | Self::Refused(place, _)
            | Self::Poison(place, _)
            | Self::Dropped(place)
            | Self::Stuck(place)
            | Self::Expired(place)
            | Self::Overflow(place) => Some(place),
            Self::Lost | Self::TimedOut | Self::Stopped => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(place, why) => write!(f, "{place} failed: {why}"),
            Self::Panic(place, why) => write!(f, "{place} panicked: {why}"),
            Self::Refused(place, why) => write!(f, "{place} refused: {why}"),
            Self::Poison(place, why) => write!(f, "{place} rejected it for good: {why}"),
            Self::Dropped(place) => write!(f, "{place} dropped the ticket"),
            Self::Stuck(place) => write!(f, "{place} is stuck"),
            Self::Expired(place) => write!(f, "{place} held it for too long"),
            Self::Overflow(place) => write!(f, "a feedback edge from {place} overflowed"),
            Self::Lost => f.write_str("a tuple of the tree was lost"),
            Self::TimedOut => f.write_str("the message timeout passed"),
            Self::Stopped => f.write_str("the topology stopped"),
        }
    }
}

/// One task of one component.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Name of the component.
    pub component: std::sync::Arc<str>,
    /// Index of the task within the component, from zero.
    pub task: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}[{}]`", self.component, self.task)
    }
}
