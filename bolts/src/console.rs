//! Standard output.

use std::io::{self, Write};

use tormenta_dsl::{Error, Result};

/// Where things are printed.
#[derive(Clone, Debug, Default)]
pub(crate) enum Console {
    #[default]
    Stdout,
    #[cfg(test)]
    Memory(std::sync::Arc<std::sync::Mutex<Vec<u8>>>),
    #[cfg(test)]
    Failing(io::ErrorKind),
}

/// What became of lines that were to be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Printed {
    Whole,
    /// The reader has gone.
    Unwanted,
}

impl Console {
    /// Writes and flushes whole lines, in one piece whoever else prints.
    pub(crate) fn print(&self, lines: &[u8]) -> Result<Printed> {
        match self.write(lines) {
            Ok(()) => Ok(Printed::Whole),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Printed::Unwanted),
            Err(error) => Err(Error::from(error).context("write to standard output")),
        }
    }

    /// Whether somebody reads what is printed who may go away: it is a pipe or a socket.
    pub(crate) fn has_reader(&self) -> bool {
        match self {
            #[cfg(unix)]
            Self::Stdout => reader::is_possible(io::stdout()),
            #[cfg(not(unix))]
            Self::Stdout => false,
            #[cfg(test)]
            Self::Memory(_) => false,
            #[cfg(test)]
            Self::Failing(_) => true,
        }
    }

    /// Whether the reader has gone. Writes nothing.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            #[cfg(unix)]
            Self::Stdout => reader::has_gone(io::stdout()),
            #[cfg(not(unix))]
            Self::Stdout => false,
            #[cfg(test)]
            Self::Memory(_) => false,
            #[cfg(test)]
            Self::Failing(kind) => *kind == io::ErrorKind::BrokenPipe,
        }
    }

    fn write(&self, lines: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(lines)?;
                stdout.flush()
            }
            #[cfg(test)]
            Self::Memory(written) => {
                written.lock().expect("no test panics here").extend_from_slice(lines);
                Ok(())
            }
            #[cfg(test)]
            Self::Failing(kind) => Err((*kind).into()),
        }
    }
}

#[cfg(unix)]
mod reader {
    use std::{
        fs::File,
        os::{fd::AsFd, unix::fs::FileTypeExt},
    };

    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        io::Errno,
    };

    /// Whether what is written here goes to somebody who may close the other end.
    pub(super) fn is_possible(output: impl AsFd) -> bool {
        let copy = output.as_fd().try_clone_to_owned();
        let about = copy.and_then(|copy| File::from(copy).metadata());
        about.is_ok_and(|about| about.file_type().is_fifo() || about.file_type().is_socket())
    }

    /// Whether the other end is closed. Asks for no event: that it is closed is told unasked.
    pub(super) fn has_gone(output: impl AsFd) -> bool {
        let mut one = [PollFd::new(&output, PollFlags::empty())];
        let told: Result<usize, Errno> = poll(&mut one, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        let gone = PollFlags::ERR | PollFlags::HUP;
        told.is_ok() && one[0].revents().intersects(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_reader_that_goes_is_noticed_without_writing() {
        let (mut pipe, output) = io::pipe().expect("a pipe");
        assert!(reader::is_possible(&output) && !reader::has_gone(&output));
        (&output).write_all(b"unread").expect("there is room");
        assert!(!reader::has_gone(&output), "it may still read it");
        let mut read = [0; 6];
        io::Read::read_exact(&mut pipe, &mut read).expect("read");
        drop(pipe);
        assert!(reader::has_gone(&output));
        let file = tempfile::tempfile().expect("a file");
        assert!(!reader::is_possible(&file) && !reader::has_gone(&file));
    }

    #[test]
    fn who_has_gone_is_no_error_but_a_full_disk_is() {
        let printed = Console::Failing(io::ErrorKind::BrokenPipe).print(b"x\n");
        assert_eq!(printed.expect("no error"), Printed::Unwanted);
        let error = Console::Failing(io::ErrorKind::StorageFull).print(b"x\n");
        assert!(error.expect_err("full").to_string().starts_with("write to standard output: "));
    }
}
