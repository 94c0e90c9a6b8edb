//! How well the rules do on public data, and the floors that they must not fall below.
//!
//! `TORMENTA_DATA=<folder> cargo run --release -p tormenta-fraud --example known_data` reads
//! `transactions/handbook_2018-06.csv.gz`, `sparkov_2019-01.csv` and `sparkov_2020_frauds.csv` of
//! that folder. It prints the figures, and fails if one is below its floor. The weights of the
//! rules were set mostly with an eye on the cards with even numbers; those with odd ones were seen
//! as well, so their figures are a check, and no clean test.

#![expect(clippy::print_stdout, reason = "it tells people what it found")]

use std::{
    collections::{BTreeMap, VecDeque},
    error::Error,
    path::Path,
    process::ExitCode,
};

use tormenta_fraud::{
    Chargeback, Decision, Format, Kind, Quality, Rows, Rules, Tally, Truth, Turn, Tx,
};

type Fallible<T = ()> = std::result::Result<T, Box<dyn Error>>;

const DAY_S: i64 = 86_400;

fn main() -> ExitCode {
    let Some(folder) = std::env::var_os("TORMENTA_DATA") else {
        println!("TORMENTA_DATA is not set: name the folder of the data");
        return ExitCode::from(2);
    };
    match all(&Path::new(&folder).join("transactions")) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(below) => {
            println!("{below} figures are below their floor");
            ExitCode::FAILURE
        }
        Err(why) => {
            println!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn all(data: &Path) -> Fallible<usize> {
    let handbook = rows(&data.join("handbook_2018-06.csv.gz"), Format::Handbook)?;
    let mut below = 0;
    let alone = decide(&mut Rules::default(), &handbook, None);
    below += said("handbook, without chargebacks", &handbook, &alone, everything, 0.66);
    below += said("  its cards with odd numbers", &handbook, &alone, odd_cards, 0.66);
    let from = handbook.first().map_or(0, |(tx, _)| tx.time) + 14 * DAY_S;
    for (delay_days, floor_whole, floor_later) in [(7, 0.83, 0.90), (2, 0.92, 0.96)] {
        let told = decide(&mut Rules::default(), &handbook, Some(delay_days * DAY_S));
        let name = format!("handbook, chargebacks after {delay_days} days");
        below += said(&name, &handbook, &told, everything, floor_whole);
        below += said("  its cards with odd numbers", &handbook, &told, odd_cards, floor_whole);
        let later = format!("{name}, from 15 June");
        below += said(&later, &handbook, &told, |tx| tx.time >= from, floor_later);
    }
    let january = rows(&data.join("sparkov_2019-01.csv"), Format::Sparkov)?;
    let mut rules = Rules::default();
    let decided = decide(&mut rules, &january, None);
    below += said("sparkov, January 2019", &january, &decided, everything, 0.99);
    below += said("  its cards with odd numbers", &january, &decided, odd_cards, 0.98);
    let frauds = rows(&data.join("sparkov_2020_frauds.csv"), Format::Sparkov)?;
    Ok(below + held_out(&rules, &frauds))
}

fn everything(_: &Tx) -> bool {
    true
}

/// Half of the cards, which nobody looked at when weights were set.
fn odd_cards(tx: &Tx) -> bool {
    !tx.card.is_multiple_of(2)
}

/// Frauds of another year with other cards, each card alone, judged by what January taught. They
/// are only frauds, so there is a recall and no area. 1 if that is below its floor.
fn held_out(january: &Rules, frauds: &[(Tx, Truth)]) -> usize {
    let mut cards = BTreeMap::<u64, Vec<(Tx, Truth)>>::new();
    frauds.iter().for_each(|row| cards.entry(row.0.card).or_default().push(row.clone()));
    let mut tallies = [Tally::default(), Tally::default()];
    for (card, rows) in cards {
        let decisions = decide(&mut january.clone(), &rows, None);
        let tally = &mut tallies[(card % 2) as usize];
        rows.iter().zip(&decisions).for_each(|((_, truth), decision)| tally.add(decision, *truth));
    }
    let recalls = tallies.map(|tally| tally.per_kind().values().next().map(|found| found.recall));
    println!(
        "sparkov, frauds of 2020: recall {} with even numbers, {} with odd ones (floor 0.65)",
        share(recalls[0]),
        share(recalls[1])
    );
    usize::from(recalls[1].is_some_and(|recall| recall < 0.65))
}

fn rows(path: &Path, format: Format) -> Fallible<Vec<(Tx, Truth)>> {
    let rows = Rows::open(path, format)?;
    rows.map(|row| row.map_err(|why| format!("{why:?}").into())).collect()
}

/// What the rules decide, in order. Frauds are reported after a delay, if there is one.
fn decide(rules: &mut Rules, rows: &[(Tx, Truth)], delay_s: Option<i64>) -> Vec<Decision> {
    let mut reports = VecDeque::new();
    let decide = |(tx, truth): &(Tx, Truth)| {
        while reports.front().is_some_and(|report: &Chargeback| report.time <= tx.time)
            && let Some(report) = reports.pop_front()
        {
            rules.report(&report);
        }
        if let (Some(delay), Truth::Fraud(_)) = (delay_s, truth) {
            let (id, card, terminal) = (tx.id.clone(), tx.card, tx.terminal);
            let (time, turn) = (tx.time + delay, Turn::default());
            reports.push_back(Chargeback { id, card, terminal, time, turn });
        }
        rules.observe(tx)
    };
    rows.iter().map(decide).collect()
}

/// Prints how good the decisions on a part of the rows are; 1 if the area is below the floor.
fn said(
    name: &str,
    rows: &[(Tx, Truth)],
    decisions: &[Decision],
    part: impl Fn(&Tx) -> bool + Copy,
    floor: f64,
) -> usize {
    let part = rows.iter().zip(decisions).filter(move |((tx, _), _)| part(tx));
    let mut tally = Tally::default();
    part.clone().for_each(|((_, truth), decision)| tally.add(decision, *truth));
    let (area, false_positives) = (tally.auc(), tally.false_positives());
    let (shown, wrong) = (share(area), share(false_positives));
    println!("{name}: area {shown} (floor {floor}), false positives {wrong}");
    for (kind, Quality { frauds, precision, recall }) in tally.per_kind() {
        let mut alone = Tally::default();
        let of_kind =
            |truth: &Truth| matches!(truth, Truth::Genuine) || *truth == Truth::Fraud(kind);
        let those = part.clone().filter(|((_, truth), _)| of_kind(truth));
        those.for_each(|((_, truth), decision)| alone.add(decision, *truth));
        let (kind, area) = (Kind::name(kind), share(alone.auc()));
        println!(
            "  {kind:<22}{frauds:>6} frauds, area {area}, precision {precision:.3}, \
             recall {recall:.3}"
        );
    }
    usize::from(area.is_some_and(|area| area < floor))
}

/// A share, where there is something to take it of.
fn share(of: Option<f64>) -> String {
    of.map_or_else(|| "none".to_owned(), |of| format!("{of:.4}"))
}
