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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_gone_is_no_error_but_a_full_disk_is() {
        let printed = Console::Failing(io::ErrorKind::BrokenPipe).print(b"x\n");
        assert_eq!(printed.expect("no error"), Printed::Unwanted);
        let error = Console::Failing(io::ErrorKind::StorageFull).print(b"x\n");
        assert!(error.expect_err("full").to_string().starts_with("write to standard output: "));
    }
}
