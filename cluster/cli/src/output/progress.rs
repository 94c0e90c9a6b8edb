//! A bar that shows how far something is, on a terminal only.

use std::{
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Output;

/// How often the bar is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(100);

/// How many bytes were read, of how many, if that is known.
pub(super) type ReadBytes = (u64, Option<u64>);

/// A bar on standard error. It is gone when this is dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    ends: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Shows what `read` says, until dropped. Shows nothing where nobody watches.
    pub(crate) fn start(
        output: &Output,
        read: impl Fn() -> (ReadBytes, String) + Send + 'static,
    ) -> Self {
        let target = match output.is_quiet() {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr(),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if bar.is_hidden() {
            return Self { bar, ends: None, thread: None };
        }
        let (ends, has_ended) = channel();
        let drawn = bar.clone();
        let draw = move || {
            while has_ended.recv_timeout(DRAWN_EVERY) == Err(RecvTimeoutError::Timeout) {
                let (bytes, message) = read();
                draw(&drawn, bytes, message);
            }
        };
        let thread = thread::Builder::new().name("tormenta-progress".to_owned()).spawn(draw);
        // Without the thread there is no bar. The work goes on.
        Self { bar, ends: Some(ends), thread: thread.ok() }
    }

    /// Prints lines above the bar.
    pub(crate) fn teller(&self, output: Output) -> impl Fn(&str) + Send + 'static {
        let bar = self.bar.clone();
        move |line| bar.suspend(|| output.talk(line))
    }
}

fn draw(bar: &ProgressBar, (read, total): ReadBytes, message: String) {
    if let (Some(total), None) = (total, bar.length()) {
        bar.set_length(total);
    }
    let template = match bar.length() {
        Some(_) => "{bar:32} {bytes} of {total_bytes}, {bytes_per_sec}, {msg}, {eta} left",
        None => "{spinner} {bytes}, {bytes_per_sec}, {msg}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(message);
    bar.set_position(read);
    bar.tick();
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.ends.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}
