//! From a task to the writer of its child: bytes, those first that cannot wait.
//!
//! These go into the pipe by themselves where the writer has nothing to do and the pipe has room: a
//! child that asks for task ids waits for one thread less. The second end of the pipe that they
//! go through never blocks, and is closed with the first.

use std::{
    fs::File,
    io::Write,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

/// Bytes that wait to be written, before the task has to.
const BYTES_MAX: usize = 256 << 10;

#[derive(Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    work: Condvar,
    /// Those of `later`.
    waiting: AtomicUsize,
}

#[derive(Default)]
struct State {
    first: Vec<u8>,
    later: Vec<u8>,
    /// The second end of the pipe, where there is one, and whether the first is being written to.
    shortcut: Option<File>,
    is_writing: bool,
    waker: Option<Waker>,
    closed: bool,
    abandoned: bool,
}

impl Outbox {
    /// Takes the bytes, and leaves their memory to the caller.
    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        let mut state = self.lock();
        if state.later.is_empty() {
            std::mem::swap(&mut state.later, bytes);
        } else {
            state.later.extend_from_slice(bytes);
        }
        self.waiting.store(state.later.len(), Ordering::Release);
        drop(state);
        bytes.clear();
        self.work.notify_one();
    }

    /// Takes bytes that overtake all others. Returns how many of these wait to be written.
    pub(super) fn put_first(&self, bytes: &mut Vec<u8>) -> usize {
        let mut state = self.lock();
        let written = state.write_at_once(bytes);
        if !state.closed {
            state.first.extend_from_slice(&bytes[written..]);
        }
        if state.first.is_empty() {
            drop(state);
            bytes.clear();
            return 0;
        }
        let waiting = state.first.len();
        drop(state);
        bytes.clear();
        self.work.notify_one();
        waiting
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.load(Ordering::Acquire) >= BYTES_MAX
    }

    /// To be woken when there is room. Looked at by `is_full` after that.
    pub(super) fn set_waker(&self, waker: &Waker) {
        self.lock().waker = Some(waker.clone());
    }

    /// Gives answers a way of their own.
    pub(super) fn set_shortcut(&self, shortcut: Option<File>) {
        self.lock().shortcut = shortcut;
    }

    /// Nothing will come behind what is there.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        (state.closed, state.shortcut) = (true, None);
        drop(state);
        self.work.notify_one();
    }

    /// The task is gone, or the child: nothing is written any more.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        (state.abandoned, state.shortcut) = (true, None);
        state.later.clear();
        self.waiting.store(0, Ordering::Release);
        let waker = state.waker.take();
        drop(state);
        self.work.notify_one();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits for bytes. False when there will be none.
    pub(super) fn take(&self, first: &mut Vec<u8>, later: &mut Vec<u8>) -> bool {
        let mut state = self.lock();
        state.is_writing = false;
        loop {
            if state.abandoned {
                return false;
            }
            if !state.first.is_empty() || !state.later.is_empty() {
                break;
            }
            if state.closed {
                return false;
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_writing = true;
        std::mem::swap(&mut state.first, first);
        std::mem::swap(&mut state.later, later);
        self.waiting.store(0, Ordering::Release);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Writes what can leave without waiting and without overtaking a half message. Returns how
    /// many bytes did.
    fn write_at_once(&mut self, bytes: &[u8]) -> usize {
        if self.is_writing || !self.first.is_empty() || !self.later.is_empty() {
            return 0;
        }
        // What fails here fails for the writer too, who knows what to do then.
        self.shortcut.as_mut().and_then(|pipe| pipe.write(bytes).ok()).unwrap_or(0)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{
        io::Read,
        process::{Command, Stdio},
    };

    use super::*;
    use crate::child::shortcut;

    /// Answers overtake what waits, none is cut in two, and all of them end with the pipe.
    #[test]
    fn answers_go_their_own_way_and_nothing_is_torn() {
        let mut command = Command::new("cat");
        let mut cat = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cat");
        let (mut stdin, outbox) = (cat.stdin.take().expect("piped"), Outbox::default());
        outbox.set_shortcut(shortcut::of(&stdin));
        let mut stdout = cat.stdout.take().expect("piped");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (mut first, mut later) = (Vec::new(), Vec::new());
                while outbox.take(&mut first, &mut later) {
                    stdin
                        .write_all(&first)
                        .and_then(|()| stdin.write_all(&later))
                        .expect("written");
                    first.clear();
                    later.clear();
                }
                drop(stdin);
            });
            let reader = scope.spawn(move || {
                let mut text = String::new();
                stdout.read_to_string(&mut text).expect("text");
                text
            });
            for n in 0..2_000 {
                outbox.put_first(&mut format!("a{n}\n").into_bytes());
                if n % 3 == 0 {
                    outbox.put(&mut format!("tuple {}\n", "x".repeat(n)).into_bytes());
                }
            }
            outbox.close();
            let text = reader.join().expect("read");
            let answers: Vec<&str> = text.lines().filter(|line| line.starts_with('a')).collect();
            assert_eq!(answers, (0..2_000).map(|n| format!("a{n}")).collect::<Vec<_>>());
            let tuples = text.lines().filter_map(|line| line.strip_prefix("tuple "));
            let lengths: Vec<usize> = tuples.map(str::len).collect();
            assert_eq!(lengths, (0..2_000).step_by(3).collect::<Vec<_>>());
        });
        assert!(cat.wait().expect("it saw the end").success());
    }

    #[test]
    fn an_answer_needs_no_writer_where_there_is_room() {
        let mut command = Command::new("cat");
        let mut cat = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cat");
        let (stdin, outbox) = (cat.stdin.take().expect("piped"), Outbox::default());
        outbox.set_shortcut(shortcut::of(&stdin));
        assert_eq!(outbox.put_first(&mut b"[1]\nend\n".to_vec()), 0);
        let mut read = [0; 8];
        cat.stdout.as_mut().expect("piped").read_exact(&mut read).expect("read");
        assert_eq!(&read, b"[1]\nend\n");
        outbox.put(&mut b"later".to_vec());
        assert_eq!(outbox.put_first(&mut b"first".to_vec()), 5, "it waits for its turn");
        outbox.abandon();
        drop(stdin);
        assert!(cat.wait().expect("it saw the end").success());
    }
}
