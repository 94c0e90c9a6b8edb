//! What is read, how fast, and how far it has come.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;

use super::{
    chargebacks::Chargebacks,
    rows::{Format, Rows},
    table::{OpenError, RowError},
};
use crate::{
    generator::Generator,
    tx::{Truth, Tx},
};

/// Where transactions come from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// The generator with this seed.
    Generated {
        /// Decides everything.
        seed: u64,
    },
    /// A file.
    File {
        /// Where it is.
        path: PathBuf,
        /// What its columns are.
        format: Format,
        /// A file of chargebacks, which are merged with the transactions by their time.
        chargebacks: Option<PathBuf>,
    },
}

impl Origin {
    /// All its transactions, from the first one on. Each call gives the same ones.
    ///
    /// # Errors
    /// When the file cannot be opened or lacks a column.
    pub fn open(&self) -> Result<Transactions, OpenError> {
        Ok(match self {
            Self::Generated { seed } => Transactions::Generated(Box::new(Generator::new(*seed))),
            Self::File { path, format, .. } => {
                Transactions::Rows(Box::new(Rows::open(path, *format)?))
            }
        })
    }

    /// All its chargebacks, where there are any to come.
    ///
    /// # Errors
    /// When the file cannot be opened or lacks a column.
    pub fn open_chargebacks(&self) -> Result<Option<Chargebacks>, OpenError> {
        match self {
            Self::File { format, chargebacks: Some(path), .. } => {
                Chargebacks::open(path, *format).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Whether there are chargebacks to come.
    #[must_use]
    pub fn has_chargebacks(&self) -> bool {
        matches!(self, Self::File { chargebacks: Some(_), .. })
    }
}

/// The transactions of an [`Origin`].
pub enum Transactions {
    /// Made up.
    Generated(Box<Generator>),
    /// Read.
    Rows(Box<Rows>),
}

impl Iterator for Transactions {
    type Item = Result<(Tx, Truth), RowError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Generated(generator) => generator.next().map(Ok),
            Self::Rows(rows) => rows.next(),
        }
    }
}

/// How fast transactions come, and how many.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// Transactions a second; as fast as they are taken unless set.
    pub per_second: Option<f64>,
    /// No more than so many.
    pub limit: Option<u64>,
    /// None after this.
    pub duration: Option<Duration>,
    /// The first so many come as fast as they are taken: they are in the ledger already, and only
    /// the memory of the rules has to be built up again.
    pub caught_up: u64,
}

/// What is believed of times, and how much is remembered.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// No transaction is later than this, in seconds since 1970.
    pub time_max: i64,
    /// Cards, and terminals, that are remembered at most. When there are more, those that were
    /// not used for longest are forgotten and begin anew. At least [`Limits::KEYS_MIN`] are.
    pub keys_max: usize,
    /// Whether chargebacks may come, so that payments have to be counted day by day.
    pub hears_chargebacks: bool,
}

impl Limits {
    /// Cards that are remembered in any case: more than can be under way, so that nothing is
    /// under way of a card that is forgotten.
    pub const KEYS_MIN: usize = 32_768;

    /// More than any memory holds.
    pub const KEYS_MAX: usize = 1_000_000_000;

    /// Cards that are remembered unless somebody says. A million cards in daily use
    /// take about 1.5 GB.
    pub const KEYS: usize = 1_000_000;
}

impl Default for Limits {
    fn default() -> Self {
        Self { time_max: i64::MAX, keys_max: Self::KEYS, hears_chargebacks: true }
    }
}

/// Stops the source from elsewhere, with a reason.
#[derive(Clone, Debug, Default)]
pub struct Halt(Arc<OnceLock<String>>);

impl Halt {
    /// Stops the source. The first reason counts.
    pub fn because(&self, why: impl std::fmt::Display) {
        let _ = self.0.set(why.to_string());
    }

    /// Why the source was stopped.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

/// What the source has read so far, for whoever watches.
#[derive(Clone, Debug, Default)]
pub struct Input(Arc<Counters>);

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) transactions: AtomicU64,
    pub(super) chargebacks: AtomicU64,
    pub(super) acked: AtomicU64,
    pub(super) replayed: AtomicU64,
    pub(super) refused: AtomicU64,
    /// The first ones that were refused.
    pub(super) refusals: Mutex<Vec<String>>,
    pub(super) cards_forgotten: AtomicU64,
    pub(super) terminals_forgotten: AtomicU64,
    /// Transactions that were read and not acked when the source ended.
    left: Mutex<Vec<(u64, Bytes)>>,
}

impl Input {
    /// Rows that are kept in words, of those that made no sense.
    pub const REFUSALS: usize = 5;

    /// Transactions.
    #[must_use]
    pub fn transactions(&self) -> u64 {
        self.0.transactions.load(Ordering::Relaxed)
    }

    /// Transactions whose trees are complete. Each of them was decided before.
    #[must_use]
    pub fn acked(&self) -> u64 {
        self.0.acked.load(Ordering::Relaxed)
    }

    /// Times that a tree failed and its transaction or chargeback came again.
    #[must_use]
    pub fn replayed(&self) -> u64 {
        self.0.replayed.load(Ordering::Relaxed)
    }

    /// Chargebacks.
    #[must_use]
    pub fn chargebacks(&self) -> u64 {
        self.0.chargebacks.load(Ordering::Relaxed)
    }

    /// Rows that made no sense.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// The first [`Input::REFUSALS`] of them: file, line, and why.
    #[must_use]
    pub fn refusals(&self) -> Vec<String> {
        self.0.refusals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn refuse(&self, why: &str) {
        if self.0.refused.fetch_add(1, Ordering::Relaxed) < Self::REFUSALS as u64 {
            let mut refusals = self.0.refusals.lock().unwrap_or_else(PoisonError::into_inner);
            refusals.push(why.to_owned());
        }
    }

    /// Cards that were forgotten, because there were more than are remembered.
    #[must_use]
    pub fn cards_forgotten(&self) -> u64 {
        self.0.cards_forgotten.load(Ordering::Relaxed)
    }

    /// Terminals that were forgotten.
    #[must_use]
    pub fn terminals_forgotten(&self) -> u64 {
        self.0.terminals_forgotten.load(Ordering::Relaxed)
    }

    /// Transactions that were read and whose trees were not complete when the source ended, because
    /// it was cut off: number and id of each, in their order. Some of them may be decided.
    #[must_use]
    pub fn left(&self) -> Vec<(u64, Bytes)> {
        self.0.left.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn leave(&self, left: Vec<(u64, Bytes)>) {
        *self.0.left.lock().unwrap_or_else(PoisonError::into_inner) = left;
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.0
    }
}
