//! What becomes of rows that are no tuples.

use std::{
    collections::VecDeque,
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tormenta_dsl::{Context, Error};

/// Bad rows that are kept for who asks: the latest.
const KEPT_MAX: usize = 1_000;

/// Bad rows of a task that are reported one by one. A file of another kind has millions of them.
const REPORTED_MAX: u64 = 1_000;

/// A row that could not be made into a tuple.
///
/// ```
/// let row = tormenta_spouts::BadRow {
///     file: "swipes.csv".into(),
///     line: 7,
///     error: "column `cents` is `many`: invalid digit found in string".into(),
/// };
/// assert!(row.to_string().starts_with("`swipes.csv` line 7: column `cents`"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// The file; `-` is standard input.
    pub file: PathBuf,
    /// Number of the line in which the row begins, counted from one.
    pub line: u64,
    /// What is wrong with it.
    pub error: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` line {}: {}", self.file.display(), self.line, self.error)
    }
}

/// The bad rows of all tasks of a spout. Shared; cheap to ask.
///
/// A bad row does not end the run. It is counted here and in the counter `bad_rows`, and reported
/// by [`Context::report`] as poison, since no replay can help it. The latest 1,000 are kept.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tormenta_dsl::Tuple;
/// use tormenta_spouts::CsvRows;
/// # extern crate tormenta_dsl as tormenta;
///
/// #[derive(Tuple, Clone, Serialize, Deserialize)]
/// struct Swipe { card: u64, cents: u64 }
///
/// let swipes = CsvRows::<Swipe>::at("swipes.csv");
/// let bad = swipes.bad_rows();
/// assert_eq!((bad.count(), bad.latest()), (0, vec![]));
/// ```
#[derive(Debug, Default)]
pub struct BadRows {
    count: AtomicU64,
    latest: Mutex<VecDeque<BadRow>>,
}

impl BadRows {
    /// How many there were.
    ///
    /// ```
    /// assert_eq!(tormenta_spouts::BadRows::default().count(), 0);
    /// ```
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The latest 1,000, the oldest of them first.
    ///
    /// ```
    /// assert!(tormenta_spouts::BadRows::default().latest().is_empty());
    /// ```
    #[must_use]
    pub fn latest(&self) -> Vec<BadRow> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.iter().cloned().collect()
    }

    fn put(&self, row: BadRow) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.len() == KEPT_MAX {
            latest.pop_front();
        }
        latest.push_back(row);
    }
}

/// Called for every bad row.
pub(crate) type OnBadRow = Arc<dyn Fn(&BadRow) + Send + Sync>;

/// Where the prototype and all tasks put bad rows.
#[derive(Clone, Default)]
pub(crate) struct Bin {
    pub(crate) rows: Arc<BadRows>,
    pub(crate) on_bad_row: Option<OnBadRow>,
}

/// The bin as one task uses it.
pub(crate) struct TaskBin {
    bin: Bin,
    cx: Context,
    reported: u64,
}

impl Bin {
    pub(crate) fn open(&self, cx: &Context) -> TaskBin {
        TaskBin { bin: self.clone(), cx: cx.clone(), reported: 0 }
    }
}

impl TaskBin {
    #[cold]
    pub(crate) fn put(&mut self, file: &Path, line: u64, error: String) {
        let row = BadRow { file: file.to_owned(), line, error };
        self.cx.counter("bad_rows").add(1);
        self.reported += 1;
        if self.reported <= REPORTED_MAX {
            self.cx.report(&Error::poison(row.to_string()));
        } else if self.reported == REPORTED_MAX + 1 {
            let text = "more bad rows follow that are counted and not reported";
            self.cx.report(&Error::msg(text));
        }
        if let Some(on_bad_row) = &self.bin.on_bad_row {
            on_bad_row(&row);
        }
        self.bin.rows.put(row);
    }
}
