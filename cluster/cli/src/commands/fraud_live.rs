//! What moves while `tormenta demo fraud` runs, on a terminal only.
//!
//! ```text
//!   00:07  5,123,904 transactions  1,180,113 decisions/s
//!   approved 5,024,110  challenged 10,512  declined 89,282
//!   lost 0  duplicated 0  p50 0.31 ms  p99 0.50 ms
//!   last declined: g1-5123377, score 97.31
//!     nobody travels that far in so short a time
//! ```

use std::{
    io::{self, Write},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tormenta_fraud::{Books, Glance, Input};

use crate::output::{Output, grouped};

/// How often the lines are drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(250);

/// Each line is a draw of its own. Were there fewer, some lines would be older than others.
const DRAWS_A_SECOND_MAX: u8 = 100;

/// Lines: three of numbers, and what was declined last, for three reasons.
const LINES: usize = 7;

/// Lines on standard error. They are gone when this is dropped.
pub(super) struct Live {
    lines: MultiProgress,
    ends: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    pub(super) fn start(output: &Output, books: Books, input: Input) -> Self {
        let target = match output.is_quiet() {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr_with_hz(DRAWS_A_SECOND_MAX),
        };
        let lines = MultiProgress::with_draw_target(target);
        if lines.is_hidden() {
            return Self { lines, ends: None, thread: None };
        }
        // Cut off at the width of the terminal, however it changes.
        let style = ProgressStyle::with_template("{wide_msg}");
        let line = |_| {
            let line = lines.add(ProgressBar::no_length());
            style.iter().for_each(|style| line.set_style(style.clone()));
            line
        };
        let bars: Vec<_> = (0..LINES).map(line).collect();
        let (ends, has_ended) = channel();
        let paint = Paint { is_colored: output.is_colored() };
        let draw = move || {
            let (mut ticks, mut before) = (0, 0);
            while has_ended.recv_timeout(DRAWN_EVERY) == Err(RecvTimeoutError::Timeout) {
                ticks += 1;
                let seen = Seen::now(&books, &input);
                let rate = (seen.glance.decided - before) as f64 / DRAWN_EVERY.as_secs_f64();
                before = seen.glance.decided;
                let texts = seen.lines(DRAWN_EVERY * ticks, rate as u64, paint);
                bars.iter().zip(texts).for_each(|(bar, text)| bar.set_message(text));
                // The `^C` that a terminal shows must not begin another line.
                let _ = io::stderr().write_all(b"\r");
            }
        };
        let thread = thread::Builder::new().name("tormenta-live".to_owned()).spawn(draw);
        // Without the thread there are no lines. The work goes on.
        Self { lines, ends: Some(ends), thread: thread.ok() }
    }

    /// Prints lines above the moving ones.
    pub(super) fn teller(&self, output: Output) -> impl Fn(&str) + Send + 'static {
        let lines = self.lines.clone();
        move |line| lines.suspend(|| output.talk(line))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        drop(self.ends.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = self.lines.clear();
    }
}

/// Colours, where they are wanted.
#[derive(Clone, Copy)]
struct Paint {
    is_colored: bool,
}

impl Paint {
    fn on(self, code: &str, text: &str) -> String {
        if self.is_colored { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn good(self, text: &str) -> String {
        self.on("32", text)
    }

    fn doubtful(self, text: &str) -> String {
        self.on("33", text)
    }

    fn bad(self, text: &str) -> String {
        self.on("31", text)
    }

    fn strong(self, text: &str) -> String {
        self.on("1", text)
    }

    /// Good if zero.
    fn none(self, number: u64) -> String {
        let text = grouped(number);
        if number == 0 { self.good(&text) } else { self.on("1;31", &text) }
    }
}

/// What there is to be seen at one moment.
struct Seen {
    transactions: u64,
    /// Transactions that are acked although nobody decided them.
    lost: u64,
    glance: Glance,
}

impl Seen {
    fn now(books: &Books, input: &Input) -> Self {
        // In this order: what is acked was decided before.
        let acked = input.acked();
        let glance = books.glance();
        let lost = acked.saturating_sub(glance.decided);
        Self { transactions: input.transactions().max(glance.decided), lost, glance }
    }

    fn lines(&self, passed: Duration, rate: u64, paint: Paint) -> [String; LINES] {
        let [minutes, seconds] = [passed.as_secs() / 60, passed.as_secs() % 60];
        let Glance { verdicts, duplicated, latency_ns, declined, .. } = &self.glance;
        let [transactions, rate] = [self.transactions, rate].map(grouped);
        let [approved, challenged, dismissed] = verdicts.map(grouped);
        let [p50, p99] = latency_ns.map(|ns| match ns {
            0..100_000 => format!("{:.1} us", ns as f64 / 1e3),
            _ => format!("{:.2} ms", ns as f64 / 1e6),
        });
        let mut lines = <[String; LINES]>::default();
        lines[0] = format!(
            "{minutes:02}:{seconds:02}  {} transactions  {} decisions/s",
            paint.strong(&transactions),
            paint.strong(&rate)
        );
        lines[1] = format!(
            "approved {}  challenged {}  declined {}",
            paint.good(&approved),
            paint.doubtful(&challenged),
            paint.bad(&dismissed)
        );
        let (lost, duplicated) = (paint.none(self.lost), paint.none(*duplicated));
        lines[2] = format!("lost {lost}  duplicated {duplicated}  p50 {p50}  p99 {p99}");
        let Some((id, decision)) = declined else { return lines };
        let (whole, part) = (decision.score / 100, decision.score % 100);
        let id: String = String::from_utf8_lossy(id).chars().filter(|c| !c.is_control()).collect();
        lines[3] = format!("last {}: {id}, score {whole}.{part:02}", paint.bad("declined"));
        for (line, (rule, _)) in lines[4..].iter_mut().zip(decision.reasons.iter()) {
            *line = format!("  {}", rule.words());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use tormenta_fraud::{Evidence, Rule};

    use super::*;

    fn seen() -> Seen {
        let mut evidence = Evidence::default();
        evidence.add(Rule::Travel, 6.0);
        evidence.add(Rule::TerminalReported { reports: 3, payments: 40 }, 5.0);
        let glance = Glance {
            decided: 5_123_900,
            verdicts: [5_024_106, 10_512, 89_282],
            duplicated: 0,
            latency_ns: [310_000, 504_000],
            declined: Some(("g1-7\n".into(), evidence.decide())),
        };
        Seen { transactions: 5_123_904, lost: 0, glance }
    }

    #[test]
    fn it_says_what_matters_within_sixty_columns() {
        let lines = seen().lines(Duration::from_secs(67), 1_180_113, Paint { is_colored: false });
        assert_eq!(
            lines,
            [
                "01:07  5,123,904 transactions  1,180,113 decisions/s",
                "approved 5,024,106  challenged 10,512  declined 89,282",
                "lost 0  duplicated 0  p50 0.31 ms  p99 0.50 ms",
                "last declined: g1-7, score 99.75",
                "  nobody travels that far in so short a time",
                "  3 of the last 40 payments at this terminal were reported as fraud",
                "",
            ]
        );
        assert!(lines[..5].iter().all(|line| line.len() <= 60));
    }

    #[test]
    fn colours_are_only_where_they_are_wanted() {
        let lines = |is_colored| seen().lines(Duration::ZERO, 1, Paint { is_colored }).concat();
        assert!(lines(true).contains("\x1b[32m0\x1b[0m") && !lines(false).contains('\x1b'));
    }
}
