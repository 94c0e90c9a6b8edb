//! What `tormenta demo fraud` says at the end.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    path::Path,
};

use serde::Serialize;
use tormenta::artifact::{Attended, Ended};
use tormenta_fraud::{Audit, Books, Input, Kind, QUIET, Quality, VERSION, Verdict, audit};

use crate::{
    exit::{Failure, Outcome},
    output::{grouped, time},
};

use super::fraud::was_cut;

/// Transactions that are named, of those that were cut off.
const IDS_SHOWN: usize = 5;

/// The summary. Its fields are a contract.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    transactions: u64,
    decisions: u64,
    /// Transactions without a decision that was cut off before it could be made.
    pending: u64,
    /// The ids of the first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    undecided: Vec<String>,
    /// Transactions without a decision.
    lost: u64,
    /// Decisions beyond the first for one transaction, by an independent reader of the ledger.
    duplicated: u64,
    approve: u64,
    challenge: u64,
    decline: u64,
    /// Chargebacks that were heard of.
    chargebacks: u64,
    /// Times that something failed and came again.
    replayed: u64,
    /// Rows that made no sense.
    refused: u64,
    /// Cards and terminals that were forgotten, because there were more than are remembered.
    cards_forgotten: u64,
    terminals_forgotten: u64,
    /// Transactions whose id was in the ledger when the run began.
    held: u64,
    /// Transactions with an id that another one of this run had before. Told by the ledger.
    repeated: u64,
    seconds: f64,
    decisions_per_second: f64,
    latency_us: Latency,
    /// Version of the rules.
    rules: u32,
    interrupted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    auc: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    false_positive_rate: Option<f64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    per_kind: BTreeMap<Kind, Quality>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<Entered>,
    #[serde(skip)]
    is_generated: bool,
}

#[derive(Debug, Serialize)]
struct Latency {
    p50: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

/// What is in the ledger.
#[derive(Debug, Serialize)]
struct Entered {
    path: String,
    lines: u64,
    unreadable: u64,
}

impl Told {
    pub(super) fn new(
        attended: &Attended,
        books: &Books,
        input: &Input,
        is_generated: bool,
        ledger: Option<&Path>,
    ) -> Outcome<Self> {
        let (tally, decisions) = (books.tally(), books.decided());
        let (transactions, seconds) = (input.transactions(), attended.summary.seconds);
        // Pipes and devices have taken what they were given; there is nothing to read again.
        let read = ledger.filter(|path| path.is_file()).map(|path| {
            let doing = format!("read the ledger `{}`", path.display());
            audit(path).map_err(|error| Failure::io(doing, &error))
        });
        let audit = read.transpose()?.unwrap_or_default();
        let us = |share: f64| tally.latency.quantile(share) as f64 / 1e3;
        let entered = |path: &Path| {
            let Audit { lines, unreadable, .. } = audit;
            Entered { path: path.display().to_string(), lines, unreadable }
        };
        let counted = [Verdict::Approve, Verdict::Challenge, Verdict::Decline];
        let [approve, challenge, decline] = counted.map(|verdict| tally.count(verdict));
        let undecided = transactions.saturating_sub(decisions);
        let [pending, lost] = if was_cut(attended) { [undecided, 0] } else { [0, undecided] };
        Ok(Self {
            transactions,
            decisions,
            pending,
            undecided: if pending > 0 { first_undecided(books, input) } else { Vec::new() },
            lost,
            duplicated: audit.duplicated,
            approve,
            challenge,
            decline,
            chargebacks: input.chargebacks(),
            replayed: input.replayed(),
            refused: input.refused(),
            cards_forgotten: input.cards_forgotten(),
            terminals_forgotten: input.terminals_forgotten(),
            held: books.held(),
            repeated: books.repeated(),
            seconds,
            decisions_per_second: (decisions as f64 / seconds.max(1e-9)).round(),
            latency_us: Latency { p50: us(0.5), p99: us(0.99), p999: us(0.999), max: us(1.0) },
            rules: VERSION,
            interrupted: attended.ended != Ended::Itself,
            auc: tally.auc(),
            false_positive_rate: tally.auc().and(tally.false_positives()),
            per_kind: tally.per_kind(),
            ledger: ledger.map(entered),
            is_generated,
        })
    }

    /// Transactions that were cut off.
    pub(super) fn pending(&self) -> u64 {
        self.pending
    }

    /// The ids of the first of them, in words.
    pub(super) fn undecided(&self) -> String {
        let quoted: Vec<String> = self.undecided.iter().map(|id| format!("`{id}`")).collect();
        let more = self.pending.saturating_sub(quoted.len() as u64);
        match (quoted.is_empty(), more) {
            (true, _) => String::new(),
            (false, 0) => format!(" ({})", quoted.join(", ")),
            (false, more) => format!(" ({} and {} more)", quoted.join(", "), grouped(more)),
        }
    }

    /// Whether every transaction has one decision, those that were cut off aside.
    pub(super) fn check(&self) -> Outcome<()> {
        let unreadable = self.ledger.as_ref().map_or(0, |ledger| ledger.unreadable);
        if self.lost == 0 && self.duplicated == 0 && unreadable == 0 {
            return Ok(());
        }
        Err(Failure::failed(format!(
            "{} transactions have no decision, {} have two, {unreadable} lines cannot be read",
            grouped(self.lost),
            grouped(self.duplicated)
        )))
    }
}

impl Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Latency { p50, p99, p999, max } = self.latency_us;
        let [p50, p99, p999, max] = [p50, p99, p999, max].map(time);
        let transactions = counted(self.transactions, "transaction", "transactions");
        let decisions = counted(self.decisions, "decision", "decisions");
        let rate = grouped(self.decisions_per_second as u64);
        writeln!(f, "{transactions}, {decisions}, {rate}/s")?;
        let [lost, duplicated] = [self.lost, self.duplicated].map(grouped);
        writeln!(f, "{lost} lost, {duplicated} duplicated")?;
        let [approve, challenge, decline] =
            [self.approve, self.challenge, self.decline].map(grouped);
        writeln!(f, "{approve} approved, {challenge} challenged, {decline} declined")?;
        // Of what was decided before nobody knows it.
        if self.decisions > self.held + self.repeated {
            writeln!(f, "latency p50 {p50}, p99 {p99}, p999 {p999}, max {max}")?;
        }
        self.show_oddities(f)?;
        if let Some(ledger) = &self.ledger {
            writeln!(f, "`{}` has {}", ledger.path, counted(ledger.lines, "line", "lines"))?;
        }
        if self.is_generated && self.per_kind.is_empty() {
            let quiet = grouped(QUIET);
            writeln!(f, "no frauds yet: the first {quiet} transactions are genuine")?;
        }
        if let (Some(auc), Some(share)) = (self.auc, self.false_positive_rate) {
            let percent = 100.0 * share;
            writeln!(f, "ROC area {auc:.4}, {percent:.2} % of genuine ones not approved")?;
            writeln!(f, "\n{:<22}{:>8}{:>11}{:>9}", "kind", "frauds", "precision", "recall")?;
        }
        for (kind, quality) in &self.per_kind {
            let (name, frauds) = (kind.name(), grouped(quality.frauds));
            let (precision, recall) = (quality.precision, quality.recall);
            writeln!(f, "{name:<22}{frauds:>8}{precision:>11.3}{recall:>9.3}")?;
        }
        Ok(())
    }
}

impl Told {
    /// What does not happen in every run.
    fn show_oddities(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [
            (
                self.pending,
                "transaction was cut off before it was decided",
                "transactions were cut off before they were decided",
            ),
            (self.chargebacks, "chargeback was heard of", "chargebacks were heard of"),
            (self.replayed, "failed on the way and came again", "failed on the way and came again"),
            (
                self.refused,
                "row made no sense and was left out",
                "rows made no sense and were left out",
            ),
            (
                self.cards_forgotten,
                "card was forgotten, because there were too many",
                "cards were forgotten, because there were too many",
            ),
            (
                self.terminals_forgotten,
                "terminal was forgotten, because there were too many",
                "terminals were forgotten, because there were too many",
            ),
            (
                self.held,
                "was decided before, by an earlier run with this ledger",
                "were decided before, by an earlier run with this ledger",
            ),
            (
                self.repeated,
                "has the id of another one of this run, and is not in the ledger again",
                "have the id of another one of this run, and are not in the ledger again",
            ),
        ];
        for (number, one, many) in lines.into_iter().filter(|(number, ..)| *number > 0) {
            writeln!(f, "{}", counted(number, one, many))?;
        }
        Ok(())
    }
}

/// The ids of the first transactions that were read and not decided.
fn first_undecided(books: &Books, input: &Input) -> Vec<String> {
    let left = input.left().into_iter().filter(|(seq, _)| !books.is_decided(*seq));
    left.take(IDS_SHOWN).map(|(_, id)| String::from_utf8_lossy(&id).into_owned()).collect()
}

/// A number, and what there is of it: one, or many.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}
