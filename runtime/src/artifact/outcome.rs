//! What is said at the end, and with which code the process exits.

use std::fmt::Write;

use serde_json::{Value, json};

use tormenta_dsl::plan::ComponentKind;

use super::{Attended, Ended};
use crate::{Cause, metrics::ComponentMetrics};

pub(super) const FAILED: u8 = 1;
pub(super) const USAGE: u8 = 2;
pub(super) const NOT_FOUND: u8 = 3;
pub(super) const INTERRUPTED: u8 = 130;

/// How the engine begins the error of a `finish`. A tuple that failed may have been replayed, but
/// nothing comes after a finish: what it should have written is lost.
const OF_FINISH: &str = "finish: ";

pub(super) fn code(attended: &Attended) -> u8 {
    match (attended.ended, judge(attended)) {
        (Ended::Drained | Ended::Cut, _) => INTERRUPTED,
        (Ended::Itself, Err(_)) if attended.summary.cause == Some(Cause::NotFound) => NOT_FOUND,
        (Ended::Itself, Err(_)) => FAILED,
        (Ended::Itself, Ok(())) => 0,
    }
}

/// Whether all that was read was processed, whatever ended it.
pub(super) fn judge(attended: &Attended) -> Result<(), String> {
    let summary = &attended.summary;
    if let Some(error) = &summary.error {
        return Err(error.clone());
    }
    if !summary.cut_off.is_empty() {
        return Err(format!("did not drain in time: {}", summary.cut_off.join("; ")));
    }
    if attended.ended == Ended::Cut {
        return Err("cut off before it had drained".to_owned());
    }
    if let Some(error) = summary.errors.iter().find(|error| error.error.starts_with(OF_FINISH)) {
        return Err(format!("{}: {}", error.component, error.error));
    }
    match spouts(attended).find(|(retries, spout)| *retries && lost(spout) > 0) {
        Some((_, spout)) => {
            let lost = number(lost(spout));
            Err(format!("{}: {lost} tuples failed, and were not replayed any more", spout.name))
        }
        None => Ok(()),
    }
}

/// The spouts, and whether the engine replays what they emit.
fn spouts(attended: &Attended) -> impl Iterator<Item = (bool, &ComponentMetrics)> {
    let components = attended.plan.components.iter().zip(&attended.summary.metrics.components);
    let spouts = components.filter(|(plan, _)| plan.kind == ComponentKind::Spout);
    spouts.map(|(plan, metrics)| (plan.settings.retry.is_some(), metrics))
}

/// Tuples whose last attempt failed.
fn lost(spout: &ComponentMetrics) -> u64 {
    spout.emitted.saturating_sub(spout.replayed + spout.acked + spout.pending)
}

/// The summary for people.
pub(super) fn told(name: &str, attended: &Attended) -> String {
    let summary = &attended.summary;
    let verb = match (attended.ended, judge(attended)) {
        (_, Err(_)) => "failed",
        (Ended::Drained, _) => "interrupted and drained",
        _ => "done",
    };
    // It has ended as it should, but somebody must know at the first glance.
    let given_up: u64 = spouts(attended).map(|(_, spout)| spout.dead_letters).sum();
    let but = match given_up {
        0 => String::new(),
        1 => ", but a tuple was given up".to_owned(),
        n => format!(", but {} tuples were given up", number(n)),
    };
    let mut text = format!("{name}: {verb} after {}{but}", seconds(summary.seconds));
    for (_, spout) in spouts(attended) {
        let _ = write!(text, "\n  {}: {} emitted", spout.name, number(spout.emitted));
        let counts = [
            ("acked", spout.acked),
            ("failed", spout.failed),
            ("replayed", spout.replayed),
            ("given up", spout.dead_letters),
            ("pending", spout.pending),
        ];
        for (what, count) in counts.iter().filter(|(what, count)| *count > 0 || *what == "acked") {
            let _ = write!(text, ", {} {what}", number(*count));
        }
    }
    let latency = &summary.metrics.complete_latency;
    if latency.count > 0 {
        let [p50, p99, max] = [latency.p50, latency.p99, latency.max].map(micros);
        let _ = write!(text, "\n  complete latency: p50 {p50}, p99 {p99}, max {max}");
    }
    if let Some(letter) = summary.dead_letters.last() {
        let (count, error) = (number(given_up), &letter.error);
        let _ = write!(text, "\n  given up: {count}, the last because of: {error}");
    }
    match (judge(attended), summary.errors.last()) {
        (Err(why), _) => {
            let _ = write!(text, "\nerror: {why}");
        }
        (Ok(()), Some(last)) => {
            let count = number(summary.errors.len() as u64);
            let errors = if count == "1" { "error was" } else { "errors were" };
            let _ = write!(text, "\n  {count} {errors} reported, the last: {last}");
        }
        (Ok(()), None) => {}
    }
    text
}

/// The summary for programs, in one line.
pub(super) fn json(name: &str, attended: &Attended) -> String {
    let mut value = serde_json::to_value(&attended.summary).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        fields.insert("topology".to_owned(), json!(name));
        fields.insert("interrupted".to_owned(), json!(attended.ended != Ended::Itself));
        fields.insert("exit_code".to_owned(), json!(code(attended)));
    }
    format!("{value}\n")
}

/// An error and its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// `1,234,567`.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn seconds(seconds: f64) -> String {
    if seconds < 1.0 { micros(seconds * 1e6) } else { format!("{seconds:.1} s") }
}

fn micros(us: f64) -> String {
    match us {
        us if us < 1e3 => format!("{us:.0} us"),
        us if us < 1e6 => format!("{:.1} ms", us / 1e3),
        us => format!("{:.1} s", us / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Metrics, Phase, ReportedError, Summary, Topology};
    use tormenta_dsl::{Result, Retry, Spout};

    #[derive(Clone)]
    struct Nothing;

    impl Spout for Nothing {
        type Output = u64;
        type Id = ();

        async fn next(&mut self) -> Result<Option<(u64, ())>> {
            Ok(None)
        }
    }

    fn attended(ended: Ended) -> Attended {
        let mut t = Topology::new("hello");
        t.spout("lines", Nothing).replaying(Retry::default());
        let summary = Summary {
            seconds: 0.0123,
            metrics: Metrics::default(),
            errors: Vec::new(),
            dead_letters: Vec::new(),
            error: None,
            cause: None,
            cut_off: Vec::new(),
        };
        let plan = t.plan().expect("sound");
        Attended { plan, summary, ended }
    }

    fn reported(phase: Phase, error: &str) -> ReportedError {
        let (component, error) = ("file".to_owned(), error.to_owned());
        ReportedError {
            at_seconds: 1.0,
            component,
            task: 0,
            phase: Some(phase),
            error,
            panicked_at: None,
            backtrace: None,
        }
    }

    #[test]
    fn codes() {
        let mut ended = attended(Ended::Itself);
        assert_eq!(code(&ended), 0);
        ended.summary.errors.push(reported(Phase::Execute, "no such host"));
        assert_eq!(code(&ended), 0, "a tuple that failed may have been replayed");
        ended.summary.errors.push(reported(Phase::Finish, "finish: disk full"));
        assert_eq!(code(&ended), FAILED);
        assert_eq!(judge(&ended), Err("file: finish: disk full".to_owned()));
        assert_eq!(code(&attended(Ended::Drained)), INTERRUPTED);
        assert_eq!(judge(&attended(Ended::Drained)), Ok(()));
        assert!(judge(&attended(Ended::Cut)).is_err());
    }

    #[test]
    fn what_was_not_replayed_to_its_end_is_lost() {
        let mut ended = attended(Ended::Itself);
        ended.summary.metrics.components = vec![ComponentMetrics {
            name: "lines".into(),
            emitted: 10,
            acked: 6,
            failed: 4,
            replayed: 4,
            ..ComponentMetrics::default()
        }];
        assert_eq!(judge(&ended), Ok(()));
        ended.summary.metrics.components[0].acked = 5;
        let why = judge(&ended).expect_err("one is lost");
        assert_eq!(why, "lines: 1 tuples failed, and were not replayed any more");
        assert!(
            told("hello", &ended).contains("  lines: 10 emitted, 5 acked, 4 failed, 4 replayed")
        );
    }

    #[test]
    fn the_end_in_words() {
        assert_eq!(told("hello", &attended(Ended::Itself)), "hello: done after 12.3 ms");
        let cut = told("hello", &attended(Ended::Cut));
        assert!(cut.ends_with("\nerror: cut off before it had drained"), "{cut}");
        let json = json("hello", &attended(Ended::Drained));
        assert!(json.contains("\"exit_code\":130") && json.ends_with("}\n"), "{json}");
    }

    #[test]
    fn numbers_are_grouped() {
        let numbers = [0, 999, 1_000, 1_234_567].map(number);
        assert_eq!(numbers, ["0", "999", "1,000", "1,234,567"]);
    }
}
