//! The line of `tormenta demo fraud` that moves while it runs, on a terminal only.

use std::{
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tormenta_fraud::{Books, Input, Verdict};

use crate::output::{Output, grouped};

/// How often the line is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(250);

/// A line on standard error. It is gone when this is dropped.
pub(super) struct Live {
    bar: ProgressBar,
    ends: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    pub(super) fn start(output: &Output, books: Books, input: Input) -> Self {
        let target = match output.is_quiet() {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr(),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if bar.is_hidden() {
            return Self { bar, ends: None, thread: None };
        }
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed}  {msg}") {
            bar.set_style(style);
        }
        let (ends, has_ended) = channel();
        let drawn = bar.clone();
        let draw = move || {
            let mut before = 0;
            while has_ended.recv_timeout(DRAWN_EVERY) == Err(RecvTimeoutError::Timeout) {
                let decided = books.decided();
                let rate = (decided - before) as f64 / DRAWN_EVERY.as_secs_f64();
                before = decided;
                drawn.set_message(message(&books, &input, rate));
                drawn.tick();
            }
        };
        let thread = thread::Builder::new().name("tormenta-live".to_owned()).spawn(draw);
        // Without the thread there is no line. The work goes on.
        Self { bar, ends: Some(ends), thread: thread.ok() }
    }

    /// Prints lines above the moving one.
    pub(super) fn teller(&self, output: Output) -> impl Fn(&str) + Send + 'static {
        let bar = self.bar.clone();
        move |line| bar.suspend(|| output.talk(line))
    }
}

fn message(books: &Books, input: &Input, rate: f64) -> String {
    let tally = books.tally();
    let [approve, challenge, decline] =
        [Verdict::Approve, Verdict::Challenge, Verdict::Decline].map(|v| grouped(tally.count(v)));
    let under_way = input.transactions().saturating_sub(books.decided());
    format!(
        "{} decisions/s, {approve} approved, {challenge} challenged, {decline} declined, \
         {} under way, p99 {:.2} ms",
        grouped(rate as u64),
        grouped(under_way),
        tally.latency.quantile(0.99) as f64 / 1e6,
    )
}

impl Drop for Live {
    fn drop(&mut self) {
        drop(self.ends.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}
