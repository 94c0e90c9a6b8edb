//! Follows a log and adds its lines to a file: `tail-to-file LOG CHECKPOINT FILE`.
//!
//! A test kills it, and looks into the file and the checkpoint then. So a line is in the file when
//! it is acked: it is written at once, and the system keeps what a killed process has written.
//! Every seventh line fails first, before it is written, and holds the checkpoint.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::Write,
    path::PathBuf,
    time::Duration,
};

use tormenta::{
    Args,
    artifact::Usage,
    prelude::*,
    spouts::{Line, Tail},
};

/// Writes lines, each at once.
#[derive(Clone)]
struct Lines {
    path: PathBuf,
    open: OpenFile,
    failed: BTreeSet<(u64, Bytes)>,
}

/// A clone opens the file anew.
#[derive(Default)]
struct OpenFile(Option<File>);

impl Clone for OpenFile {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Bolt for Lines {
    type Input = Line;
    type Output = ();

    async fn prepare(&mut self, _cx: &Context) -> Result {
        let file = OpenOptions::new().create(true).append(true).open(&self.path);
        self.open.0 = Some(file.map_err(|error| Error::from(error).context("open the file"))?);
        Ok(())
    }

    async fn execute(&mut self, line: Line, _out: &Emitter<()>) -> Result {
        if line.number % 7 == 3 && self.failed.insert((line.number, line.text.clone())) {
            return Err(Error::msg("every seventh line fails first"));
        }
        let Some(file) = &mut self.open.0 else { return Err(Error::msg("not prepared")) };
        file.write_all(&[&line.text[..], b"\n"].concat())?;
        Ok(())
    }
}

#[tormenta::main]
fn main(t: &mut Topology, args: Args) -> Result {
    let (Some(log), Some(checkpoint), Some(path)) = (args.path(0), args.path(1), args.path(2))
    else {
        return Err(Usage("name a log, a checkpoint and a file".into()).into());
    };
    let ms = Duration::from_millis;
    let tail = Tail::at(log).checkpoint(checkpoint).poll(ms(2)).linger(ms(20)).save_every(ms(5));
    let log = t.spout("log", tail);
    let lines = Lines { path, open: OpenFile::default(), failed: BTreeSet::new() };
    t.bolt("lines", lines, log.global());
    Ok(())
}
