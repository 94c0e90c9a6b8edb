//! A file of dead letters.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use tormenta_dsl::{Error, Result};

use crate::DeadLetter;

/// A file that gets every dead letter as a line of JSON.
///
/// Lines are added to what is there, one write each and nothing held back, so that a process which
/// is killed loses none that it has written; they are not synced to the disk. A letter that cannot
/// be written ends the topology with an error, because what was given up would be nowhere.
///
/// The fields are those of [`DeadLetter`]; `input` is there for input that is no tuple:
///
/// ```text
/// {"spout":"orders","component":"orders","task":0,
///  "error":"orders.csv:17: column `cents` is `x`: invalid digit found in string",
///  "attempts":0,"tuple":null,"input":{"origin":"orders.csv:17","text":"7,x","cut_bytes":0}}
/// ```
///
/// ```no_run
/// use tormenta_runtime::{DeadLetterFile, Options, Topology, start};
///
/// let mut options = Options::default();
/// options.dead_letters = Some(DeadLetterFile::open("dead.jsonl")?);
/// let topology = Topology::new("orders");
/// start(topology, options)?.wait().into_result()?;
/// # Ok::<(), tormenta_dsl::Error>(())
/// ```
#[derive(Debug)]
pub struct DeadLetterFile {
    path: PathBuf,
    file: Mutex<File>,
}

impl DeadLetterFile {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// When it cannot be written; names it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = Mutex::new(file.map_err(|error| cannot("open", &path, error))?);
        Ok(Self { path, file })
    }

    pub(crate) fn write(&self, letter: &DeadLetter) -> Result {
        let mut line = serde_json::to_vec(letter)?;
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&line).map_err(|error| cannot("write", &self.path, error))
    }
}

fn cannot(what: &str, path: &Path, error: std::io::Error) -> Error {
    let directory = path.parent().filter(|parent| *parent != Path::new(""));
    let error = match (error.kind(), directory) {
        (io::ErrorKind::NotFound, Some(directory)) => {
            let directory = directory.display();
            io::Error::new(
                error.kind(),
                format!("the directory `{directory}` does not exist; create it"),
            )
        }
        _ => error,
    };
    Error::from(error).context(format!("{what} the dead letters in `{}`", path.display()))
}
