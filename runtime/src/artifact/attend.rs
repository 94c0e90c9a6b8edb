//! Stays with a running topology until it ends: signals, errors, what is held at the end.
//!
//! ```text
//!   this thread     waits for the end
//!   another one     SIGINT, SIGTERM -> drain, then cut, then leave;  each second: new errors
//! ```

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::sync::oneshot;
use tormenta_dsl::Plan;

use super::{
    insistence::{Insistence, Wish},
    outcome,
};
use crate::{Running, Stopper, Summary, watch::Watch};

/// How often it is told what is still held, and which errors were reported.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// How long a topology may take to end after it was cut, before the process is left anyhow.
const CUT_MAX: Duration = Duration::from_secs(3);

/// Errors that are told at a time.
const ERRORS_TOLD_MAX: usize = 5;

/// What a topology did, and how it came to its end.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Attended {
    /// What it was.
    pub plan: Plan,
    /// What it did.
    pub summary: Summary,
    /// How it ended.
    pub ended: Ended,
}

/// How a topology came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// Its inputs ended, or it failed.
    Itself,
    /// A signal came: nothing more was read, and what was read was processed.
    Drained,
    /// A second signal came: what was under way has failed.
    Cut,
}

/// Waits for the end of a topology. The first SIGINT or SIGTERM drains it, the second cuts it off;
/// should it not even end then, the process exits with 130. Signals within half a second count as
/// one, as `timeout` sends two. It exits with 1 where nobody sent a signal, and user code keeps its
/// thread although the end was cut off at its limit.
///
/// `tell` is given lines for people: that a signal came, who holds what while the topology drains,
/// and each second the errors that components reported. What the topology ends with is in the
/// summary.
pub fn attend(running: Running, tell: impl Fn(&str) + Send + 'static) -> Attended {
    let signals = Arc::<AtomicU32>::default();
    let attendant = Attendant {
        stopper: running.stopper(),
        watch: running.watch(),
        signals: signals.clone(),
        insistence: Insistence::default(),
        errors_until: -1.0,
        tell: Box::new(tell),
    };
    let (listens, is_listening) = std::sync::mpsc::channel();
    let (ended, has_ended) = oneshot::channel();
    let name = "tormenta-signals".to_owned();
    let thread = thread::Builder::new().name(name).spawn(|| attendant.run(listens, has_ended));
    // An error means that the thread is gone. Then signals do what they do without us.
    let _ = is_listening.recv();
    let plan = running.plan().clone();
    let summary = running.wait();
    let _ = ended.send(());
    if let Ok(thread) = thread {
        let _ = thread.join();
    }
    let ended = match signals.load(Ordering::Relaxed) {
        0 => Ended::Itself,
        1 => Ended::Drained,
        _ => Ended::Cut,
    };
    Attended { plan, summary, ended }
}

struct Attendant {
    stopper: Stopper,
    watch: Watch,
    /// Wishes for an end that were heard.
    signals: Arc<AtomicU32>,
    insistence: Insistence,
    /// Errors up to this moment were told.
    errors_until: f64,
    tell: Box<dyn Fn(&str) + Send>,
}

impl Attendant {
    fn run(mut self, listens: std::sync::mpsc::Sender<()>, has_ended: oneshot::Receiver<()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let attended = runtime.and_then(|runtime| {
            runtime.block_on(async {
                let mut signals = Signals::listen()?;
                let _ = listens.send(());
                self.stay(&mut signals, has_ended).await;
                Ok(())
            })
        });
        if let Err(error) = attended {
            (self.tell)(&format!("warning: signals will end this at once: {error}"));
        }
    }

    async fn stay(&mut self, signals: &mut Signals, mut has_ended: oneshot::Receiver<()>) {
        let mut clock = tokio::time::interval(TOLD_EVERY);
        clock.tick().await;
        let mut cut_for = Duration::ZERO;
        loop {
            tokio::select! {
                _ = &mut has_ended => break,
                () = signals.next() => self.signalled(),
                _ = clock.tick() => {
                    self.tell_errors();
                    match self.signals.load(Ordering::Relaxed) {
                        0 | 1 if self.watch.is_cut() && cut_for < CUT_MAX => cut_for += TOLD_EVERY,
                        0 if self.watch.is_cut() => {
                            self.leave("its end took too long", outcome::FAILED);
                        }
                        0 => {}
                        1 if self.watch.is_cut() => self.leave_interrupted("it does not end"),
                        1 => self.tell_held(),
                        _ if cut_for < CUT_MAX => cut_for += TOLD_EVERY,
                        _ => self.leave_interrupted("it does not end"),
                    }
                }
            }
        }
    }

    fn signalled(&mut self) {
        let Some(wish) = self.insistence.signal(self.watch.now()) else { return };
        self.signals.fetch_add(1, Ordering::Relaxed);
        match wish {
            Wish::Drain => {
                self.stopper.drain();
                let pending = self.watch.metrics().sum(|c| c.pending);
                let pending = outcome::number(pending);
                (self.tell)(&format!(
                    "interrupted: nothing more is read; {pending} tuples are under way (once more \
                     cuts them off)"
                ));
            }
            Wish::Cut => {
                self.stopper.cut();
                (self.tell)("interrupted again: cut off what was under way");
            }
            Wish::Leave => self.leave_interrupted("interrupted a third time"),
        }
    }

    /// Says what the end waits for.
    fn tell_held(&self) {
        let pending = self.watch.metrics().sum(|c| c.pending);
        let holders = self.watch.holders();
        if pending == 0 && holders.is_empty() {
            return;
        }
        let who = holders.iter().map(|holder| format!("; {holder}")).collect::<String>();
        let pending = outcome::number(pending);
        (self.tell)(&format!("draining: {pending} tuples are under way{who}"));
    }

    fn tell_errors(&mut self) {
        let mut new = self.watch.errors();
        new.retain(|error| error.at_seconds > self.errors_until);
        for error in new.iter().take(ERRORS_TOLD_MAX) {
            (self.tell)(&error.to_string());
            if let Some(calls) = &error.backtrace {
                (self.tell)(calls.trim_end());
            }
        }
        if new.len() > ERRORS_TOLD_MAX {
            let more = outcome::number((new.len() - ERRORS_TOLD_MAX) as u64);
            (self.tell)(&format!("... and {more} more errors of components within a second"));
        }
        if let Some(last) = new.last() {
            self.errors_until = last.at_seconds;
        }
    }

    fn leave_interrupted(&self, why: &str) {
        self.leave(why, outcome::INTERRUPTED);
    }

    /// Leaves although threads still run: they do not listen, and the end is overdue.
    #[expect(clippy::disallowed_methods, reason = "a task that never returns keeps `main` waiting")]
    fn leave(&self, why: &str, code: u8) {
        let holders = self.watch.holders();
        let who = match holders.is_empty() {
            true => "a component that executes does not return".to_owned(),
            false => holders.join("; "),
        };
        (self.tell)(&format!("{why}, so it is left as it is: {who}"));
        std::process::exit(i32::from(code));
    }
}

/// The signals that ask a process to end.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
