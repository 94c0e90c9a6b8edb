//! Which file is read next, and from where.
//!
//! ```text
//!   more bytes behind the offset         read them
//!   at the end, still at the path        wait
//!   at the end, renamed, quiet for a     the next file: renamed later than this one, or the one
//!   while, and there is another file     at the path, from its beginning
//!   shorter than the offset, or with     truncated: a copy with the same beginning is read on
//!   another beginning                    from the offset; without one, the file from its beginning
//!   gone                                 the same
//! ```
//!
//! Pure: it is shown the files that there are.

use std::{collections::BTreeSet, time::Duration};

use super::place::FileId;

/// A file that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: FileId,
    pub(crate) bytes: u64,
    /// When it was last written.
    pub(crate) modified: Duration,
    /// Whether it is the one at the path.
    pub(crate) is_live: bool,
    /// Whether it begins as the file begins that is being read.
    pub(crate) matches: bool,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Read on.
    Read,
    /// Look again later.
    Wait,
    /// This file is done: go on with that one.
    Next(FileId),
    /// This file was truncated: go on with a copy of what it was, at the same offset.
    Copy(FileId),
    /// What was not read of this file is gone: go on with that one, from its beginning.
    Lost(FileId),
}

/// The file that is being read.
#[derive(Clone, Debug)]
pub(crate) struct Follow {
    linger: Duration,
    current: Option<(FileId, u64)>,
    /// Since when the present file is renamed and at its end.
    quiet: Option<Duration>,
    /// Files that were read to their ends, as far as the time at which they were written last does
    /// not tell them from those that come after.
    left: BTreeSet<FileId>,
    /// The step that was advised last: from which file to which, and whether the time at which they
    /// were written tells them apart. It may not be taken, so nothing is left before it is.
    advised: Option<(FileId, FileId, bool)>,
}

impl Follow {
    /// Follows a file from an offset, or the one that will be at the path from its beginning. A
    /// file that was renamed must be quiet for `linger` before it is left.
    pub(crate) fn new(current: Option<(FileId, u64)>, linger: Duration) -> Self {
        Self { linger, current, quiet: None, left: BTreeSet::new(), advised: None }
    }

    pub(crate) fn current(&self) -> Option<(FileId, u64)> {
        self.current
    }

    /// So many bytes were read.
    pub(crate) fn read(&mut self, bytes: usize) {
        if let Some((_, offset)) = &mut self.current {
            *offset += bytes as u64;
        }
    }

    /// A step was taken to another file, or back to the beginning of this one.
    pub(crate) fn went_to(&mut self, id: FileId, offset: u64) {
        self.current = Some((id, offset));
        self.quiet = None;
        let Some((from, _, is_told)) = self.advised.take().filter(|(_, to, _)| *to == id) else {
            return;
        };
        if is_told {
            self.left.clear();
        }
        self.left.insert(from);
    }

    /// What to do, given all the files that might be this one or its successor.
    pub(crate) fn step(&mut self, seen: &[Seen], now: Duration) -> Step {
        self.advised = None;
        let live = seen.iter().find(|file| file.is_live);
        let Some((id, offset)) = self.current else {
            return live.map_or(Step::Wait, |live| Step::Next(live.id));
        };
        let me = seen.iter().find(|file| file.id == id);
        let Some(me) = me.filter(|me| me.matches && me.bytes >= offset) else {
            self.quiet = None;
            let is_copy = |file: &&Seen| file.id != id && file.matches && file.bytes >= offset;
            let copy = seen.iter().filter(is_copy).max_by_key(|file| file.modified);
            return match (copy, live) {
                (Some(copy), _) if offset > 0 => Step::Copy(copy.id),
                (_, Some(live)) => Step::Lost(live.id),
                _ => Step::Wait,
            };
        };
        if me.bytes > offset {
            self.quiet = None;
            return Step::Read;
        }
        let Some(next) = self.next_of(me, seen).filter(|_| !me.is_live) else { return Step::Wait };
        let since = *self.quiet.get_or_insert(now);
        if now.saturating_sub(since) < self.linger {
            return Step::Wait;
        }
        self.advised = Some((me.id, next.id, next.modified != me.modified));
        Step::Next(next.id)
    }

    /// The file that was written after this one: the oldest of those that are renamed too, else the
    /// one at the path.
    fn next_of<'a>(&self, me: &Seen, seen: &'a [Seen]) -> Option<&'a Seen> {
        let is_later = |file: &Seen| {
            let was_left = file.modified == me.modified && self.left.contains(&file.id);
            file.modified >= me.modified && !was_left
        };
        let later = |file: &&Seen| file.id != me.id && !file.is_live && is_later(file);
        let renamed = seen.iter().filter(later).min_by_key(|file| (file.modified, file.id.inode));
        renamed.or_else(|| seen.iter().find(|file| file.is_live && file.id != me.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn id(inode: u64) -> FileId {
        FileId { device: 1, inode }
    }

    fn seen(inode: u64, bytes: u64, modified: u64) -> Seen {
        let modified = SECOND * modified as u32;
        Seen { id: id(inode), bytes, modified, is_live: false, matches: false }
    }

    fn mine(file: Seen) -> Seen {
        Seen { matches: true, ..file }
    }

    fn live(file: Seen) -> Seen {
        Seen { is_live: true, ..file }
    }

    fn at(inode: u64, offset: u64) -> Follow {
        Follow::new(Some((id(inode), offset)), SECOND)
    }

    #[test]
    fn waits_for_a_file_and_reads_what_there_is() {
        let mut follow = Follow::new(None, SECOND);
        assert_eq!(follow.step(&[], SECOND), Step::Wait);
        assert_eq!(follow.step(&[live(seen(1, 5, 0))], SECOND), Step::Next(id(1)));
        follow.went_to(id(1), 0);
        let files = [live(mine(seen(1, 5, 0)))];
        assert_eq!(follow.step(&files, SECOND), Step::Read);
        follow.read(5);
        assert_eq!(follow.step(&files, SECOND * 100), Step::Wait);
    }

    #[test]
    fn a_renamed_file_is_read_until_it_is_quiet() {
        let mut follow = at(1, 5);
        let files = |bytes| [mine(seen(1, bytes, 1)), live(seen(2, 9, 2))];
        assert_eq!(follow.step(&files(5), SECOND), Step::Wait);
        assert_eq!(follow.step(&files(7), SECOND * 2), Step::Read, "the writer has it open");
        follow.read(2);
        assert_eq!(follow.step(&files(7), SECOND * 2), Step::Wait);
        assert_eq!(follow.step(&files(7), SECOND * 3), Step::Next(id(2)));
    }

    #[test]
    fn a_renamed_file_is_the_last_until_there_is_another() {
        let mut follow = at(1, 5);
        assert_eq!(follow.step(&[mine(seen(1, 5, 1))], SECOND), Step::Wait);
        assert_eq!(follow.step(&[mine(seen(1, 5, 1))], SECOND * 9), Step::Wait);
    }

    #[test]
    fn files_that_were_renamed_meanwhile_come_in_their_order() {
        let files =
            [seen(9, 1, 1), mine(seen(1, 5, 2)), live(seen(4, 9, 5)), seen(3, 8, 4), seen(2, 8, 3)];
        let mut follow = at(1, 5);
        let mut order = Vec::new();
        for _ in 0..4 {
            let now = SECOND * (order.len() as u32 * 2);
            let here = follow.current().expect("a file").0;
            let files = files.map(|file| Seen { matches: file.id == here, ..file });
            let _ = follow.step(&files, now);
            if let Step::Next(next) = follow.step(&files, now + SECOND) {
                let bytes = files.iter().find(|file| file.id == next).expect("seen").bytes;
                follow.went_to(next, bytes);
                order.push(next.inode);
            }
        }
        assert_eq!(order, [2, 3, 4]);
    }

    /// File times are coarse: a clock of the kernel ticks every few milliseconds.
    #[test]
    fn files_of_one_moment_are_read_once_each() {
        let files = [seen(1, 5, 2), seen(2, 8, 2), seen(3, 8, 2), live(seen(4, 9, 2))];
        for first in [1, 2, 3] {
            let mut follow = at(first, files[first as usize - 1].bytes);
            let mut order = Vec::new();
            for turn in 0..9 {
                let here = follow.current().expect("a file").0;
                let files = files.map(|file| Seen { matches: file.id == here, ..file });
                let _ = follow.step(&files, SECOND * turn * 2);
                if let Step::Next(next) = follow.step(&files, SECOND * (turn * 2 + 1)) {
                    let bytes = files.iter().find(|file| file.id == next).expect("seen").bytes;
                    follow.went_to(next, bytes);
                    order.push(next.inode);
                }
            }
            let others: Vec<u64> = [1, 2, 3, 4].into_iter().filter(|id| *id != first).collect();
            assert_eq!(order, others, "from {first}");
        }
    }

    #[test]
    fn a_truncated_file_is_read_on_in_its_copy() {
        let copy = mine(seen(2, 7, 3));
        assert_eq!(at(1, 5).step(&[live(seen(1, 0, 4)), copy], SECOND), Step::Copy(id(2)));
        let short = mine(seen(2, 4, 3));
        assert_eq!(at(1, 5).step(&[live(seen(1, 0, 4)), short], SECOND), Step::Lost(id(1)));
        let grown = live(seen(1, 100, 4));
        assert_eq!(at(1, 5).step(&[grown, copy], SECOND), Step::Copy(id(2)), "by its beginning");
    }

    #[test]
    fn a_file_that_is_gone_is_lost_when_there_is_another() {
        assert_eq!(at(1, 5).step(&[], SECOND), Step::Wait);
        assert_eq!(at(1, 5).step(&[live(seen(2, 1, 1))], SECOND), Step::Lost(id(2)));
        assert_eq!(at(1, 5).step(&[mine(seen(3, 9, 1))], SECOND), Step::Copy(id(3)), "moved away");
    }
}
