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

impl Console {
    /// Writes and flushes whole lines, in one piece whoever else prints.
    pub(crate) fn print(&self, lines: &[u8]) -> Result {
        self.write(lines).map_err(|error| {
            let doing = match error.kind() {
                io::ErrorKind::BrokenPipe => "standard output was closed by its reader",
                _ => "write to standard output",
            };
            Error::from(error).context(doing)
        })
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
    fn a_closed_output_says_so() {
        let error = Console::Failing(io::ErrorKind::BrokenPipe).print(b"x\n");
        let text = error.expect_err("closed").to_string();
        assert_eq!(text, "standard output was closed by its reader: broken pipe");
        let error = Console::Failing(io::ErrorKind::StorageFull).print(b"x\n");
        assert!(error.expect_err("full").to_string().starts_with("write to standard output: "));
    }
}
