//! The threads of a child. They end with its pipes.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read, Write},
    process::{ChildStderr, ChildStdin, ChildStdout, ExitStatus},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{End, Heard, Shared};
use crate::{
    frames::{Frames, Refused, shown},
    said::Said,
};

/// Bytes that are read at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// How long a child may live on when it has closed its output, in steps.
const LEAVES: (u32, Duration) = (500, Duration::from_millis(2));

/// What is kept of the log of a child, and of one line, in bytes.
const LAST_BYTES: usize = 2 << 10;
const LINE_BYTES_MAX: u64 = 64 << 10;

/// Writes what the task sends, all that there is at a time, and closes the pipe at the end.
pub(super) fn write(mut stdin: ChildStdin, shared: &Shared) {
    let (mut first, mut later) = (Vec::new(), Vec::new());
    while shared.outbox.take(&mut first, &mut later) {
        let written = stdin.write_all(&first).and_then(|()| stdin.write_all(&later));
        if written.is_err() {
            // The child has closed its input; what became of it the reader will tell.
            return shared.outbox.abandon();
        }
        first.clear();
        later.clear();
    }
}

/// Reads and parses what the child says, to its end.
pub(super) fn read(mut stdout: ChildStdout, shared: &Shared, bytes_max: usize) {
    let mut frames = Frames::new(bytes_max);
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut batch = VecDeque::new();
    loop {
        let read = match stdout.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        frames.push(&chunk[..read]);
        let refused = parse(&mut frames, &mut batch).err();
        let is_last = refused.is_some();
        batch.extend(refused.map(|why| Heard::End(End::Refused(why))));
        if !batch.is_empty() && !shared.inbox.put(&mut batch, read) || is_last {
            return;
        }
    }
    let end = Heard::End(End::Exited(wait(shared)));
    shared.inbox.put(&mut VecDeque::from([end]), 0);
}

fn parse(frames: &mut Frames, batch: &mut VecDeque<Heard>) -> Result<(), String> {
    loop {
        let message = match frames.next() {
            Ok(None) => return Ok(()),
            Ok(Some(message)) => message,
            Err(Refused::Nonsense(bytes)) => {
                return Err(format!(
                    "wrote `{}` where a message belongs: what is no message goes to standard \
                     error, or through `log`",
                    bytes.escape_ascii()
                ));
            }
            Err(Refused::TooLong(bytes)) => {
                return Err(format!(
                    "wrote a message of more than {bytes} bytes: write less at a time, or raise \
                     `message_bytes_max`"
                ));
            }
        };
        let said = Said::parse(message).map_err(|why| {
            format!("wrote `{}`: {why}", shown(message.trim_ascii()).escape_ascii())
        })?;
        batch.push_back(Heard::Said(said));
    }
}

/// A child that has closed its output exits soon, or is made to.
fn wait(shared: &Shared) -> io::Result<ExitStatus> {
    for _ in 0..LEAVES.0 {
        let status = shared.group.exited()?;
        // Its last words say why it ended.
        if let (Some(status), true) = (status, shared.stderr.has_ended()) {
            return Ok(status);
        }
        std::thread::park_timeout(LEAVES.1);
    }
    shared.group.kill();
    shared.group.wait()
}

/// Passes the log of a child on, line by line.
pub(super) fn listen(stderr: ChildStderr, shared: &Shared, (task, pid): &(String, u32)) {
    let mut lines = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut lines).take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return shared.stderr.end(),
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(line.trim_ascii_end());
        tracing::info!(task, pid, "{text}");
        shared.stderr.add(&text);
    }
}

/// The last lines that a child wrote to its log.
#[derive(Default)]
pub(super) struct Stderr {
    lines: Mutex<VecDeque<String>>,
    ended: AtomicBool,
}

impl Stderr {
    fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    fn add(&self, line: &str) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push_back(line.chars().take(LAST_BYTES / 4).collect());
        while lines.len() > 1 && lines.iter().map(String::len).sum::<usize>() > LAST_BYTES {
            lines.pop_front();
        }
    }

    /// The last line that says something.
    pub(super) fn last_words(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let said = lines.iter().rev().find(|line| !line.trim().is_empty());
        said.map(|line| line.trim().to_owned()).unwrap_or_default()
    }
}
