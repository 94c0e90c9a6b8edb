//! When a file is put aside, when it is synced, and what it is called then. Pure.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    time::Duration,
};

/// When a file sink tells the disk to keep what it has. A tuple is acked after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Fsync {
    /// Never. A tuple is acked when the operating system has its line: it survives the process,
    /// but not the power.
    #[default]
    Never,
    /// When so many tuples wait for it, or none came between two ticks. At most 16,384 wait.
    Tuples(usize),
    /// When so much time has passed since the last time, or 16,384 tuples wait for it.
    Interval(Duration),
    /// For every tuple by itself, before its ack. As slow as the disk.
    Each,
}

/// When a file is full or old enough.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rotation {
    pub(super) bytes_max: Option<u64>,
    pub(super) age_max: Option<Duration>,
}

impl Rotation {
    /// Whether a file with so many bytes and of such an age is put aside before `more` are added.
    /// One without lines never is: a line that is too long for any file has one for itself.
    pub(super) fn is_due(&self, lines_bytes: u64, more: u64, age: Duration) -> bool {
        let is_full = self.bytes_max.is_some_and(|max| lines_bytes.saturating_add(more) > max);
        let is_old = self.age_max.is_some_and(|max| age >= max);
        lines_bytes > 0 && (is_full || is_old)
    }
}

/// What a file is called when it was put aside: `events.csv` becomes `events-000001.csv`.
pub(super) fn aside(path: &Path, number: u64) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number:06}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// The number in the name of a file that was put aside from `path`.
pub(super) fn number_of(path: &Path, other: &OsStr) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?;
    let rest = other.to_str()?.strip_prefix(stem)?.strip_prefix('-')?;
    let digits = match path.extension() {
        Some(extension) => rest.strip_suffix(extension.to_str()?)?.strip_suffix('.')?,
        None => rest,
    };
    let is_number = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_put_aside_when_it_is_full_or_old() {
        let second = Duration::from_secs(1);
        let full = Rotation { bytes_max: Some(100), age_max: None };
        assert!(!full.is_due(60, 40, 9 * second) && full.is_due(60, 41, second));
        assert!(!full.is_due(0, 1_000, second), "an empty one is not");
        let old = Rotation { bytes_max: None, age_max: Some(2 * second) };
        assert!(!old.is_due(1 << 40, 1 << 40, second) && old.is_due(1, 0, 2 * second));
        assert!(!Rotation::default().is_due(u64::MAX, u64::MAX, Duration::MAX));
    }

    #[test]
    fn names_have_numbers_and_numbers_are_found() {
        for (path, name) in
            [("d/a.csv", "a-000007.csv"), ("a", "a-000007"), ("x.tar.gz", "x.tar-000007.gz")]
        {
            let path = Path::new(path);
            assert_eq!(aside(path, 7), path.with_file_name(name));
            assert_eq!(number_of(path, OsStr::new(name)), Some(7));
        }
        assert_eq!(aside(Path::new("a.csv"), 1_234_567), Path::new("a-1234567.csv"));
        for other in ["a.csv", "a-7.csv", "a-00000x.csv", "b-000007.csv", "a-000007.tsv"] {
            assert_eq!(number_of(Path::new("a.csv"), OsStr::new(other)), None, "{other}");
        }
    }
}
