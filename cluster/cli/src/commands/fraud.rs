//! `tormenta demo fraud`.

use std::{path::PathBuf, time::Duration};

use clap::ValueEnum;
use tormenta::{
    Options, Topology,
    artifact::{Attended, Ended, attend},
    start,
};
use tormenta_fraud::{
    Books, Format, Fsync, Halt, Input, Job, Ledger, LedgerError, Limits, OpenError, Origin, Pace,
    declare,
};

use super::{
    fraud_live::Live,
    fraud_told::{Told, counted},
};
use crate::{
    exit::{self, Code, Failure, Outcome},
    output::{Output, grouped},
};

/// How long the generator runs unless somebody says.
const DURATION: Duration = Duration::from_secs(10);

/// How far in the future a transaction may lie, in seconds: a day, for clocks and time zones.
const FUTURE_S: i64 = 86_400;

/// Tasks that are worth having: the keys are divided into as many groups.
const TASKS_MAX: usize = 4096;

/// Decide about card swipes: approve, challenge or decline, with reasons
///
/// Swipes come from a generator with five kinds of fraud, or from a file. They are decided one by
/// one, by the speed of the swipe, by velocity, travel, amounts and by what terminals tell. With
/// --ledger every decision is one line of JSON there, exactly once: run the same again after a
/// crash, and what is missing is added.
#[derive(Debug, clap::Args)]
#[command(after_help = exit::after_help(&[
    "tormenta demo fraud",
    "tormenta demo fraud --rate 5000 --duration 30 --ledger decisions.jsonl",
    "tormenta demo fraud --seed 7 -o json",
    "tormenta demo fraud --input transactions.csv.gz --format handbook",
    "tormenta demo fraud --input jun.csv --format handbook --chargebacks back.csv",
]))]
pub(crate) struct Fraud {
    /// Read transactions from this CSV file, not from a pipe; one that is packed with gzip is
    /// unpacked
    #[arg(long, value_name = "CSV", requires = "columns", conflicts_with = "seed")]
    input: Option<PathBuf>,
    /// What the columns of the file are
    #[arg(long = "format", value_name = "FORMAT", value_enum, requires = "input")]
    columns: Option<Columns>,
    /// Payments that were reported as fraud, a CSV file with the column `reported_s` and those that
    /// name transaction, card and terminal. They are merged with the transactions by time
    #[arg(long, value_name = "CSV", requires = "input")]
    chargebacks: Option<PathBuf>,
    /// Transactions a second; as fast as they are decided unless given. The first 25,000 of the
    /// generator are genuine, so what is shorter than that sees no fraud
    #[arg(long, value_name = "N", value_parser = rate, allow_negative_numbers = true)]
    rate: Option<f64>,
    /// Seconds after which nothing more is read. With a rate, RATE x SECONDS transactions are
    /// read. Without an input it is 10 unless given
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    duration: Option<Duration>,
    /// Enter every decision into this file, as a line of JSON
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// When the ledger is put on the disk: at the end, or before each decision counts
    #[arg(long, value_name = "WHEN", value_enum, default_value = "end", requires = "ledger")]
    fsync: When,
    /// Seed of the generator: the same seed makes the same swipes
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Tasks that watch terminals, and tasks that decide. Decisions do not depend on it
    #[arg(long, value_name = "N", default_value = "1", value_parser = tasks)]
    tasks: usize,
    /// Cards, and terminals, that are remembered at most. Of more, those that were not used for
    /// longest are forgotten and begin anew
    #[arg(long, value_name = "N", default_value_t = Limits::KEYS, value_parser = cards)]
    cards_max: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Columns {
    /// Those of the Fraud Detection Handbook: `tx_id`, `epoch_s`, `customer_id`, ..
    Handbook,
    /// Those of Sparkov: `trans_num`, `unix_time`, `cc_num`, `merchant`, `amt`, ..
    Sparkov,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum When {
    /// When the run ends: a killed process loses nothing, a power cut may cost the last lines
    End,
    /// Before a decision counts: slower, and a power cut costs nothing either
    Always,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "that is no number; use one above 0".to_owned())?;
    if rate.is_finite() && rate > 0.0 {
        return Ok(rate);
    }
    Err("nothing would ever come; use a number above 0, or leave it out for full speed".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "that is no number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("use a number of seconds above 0".to_owned()),
    }
}

fn tasks(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(tasks) if (1..=TASKS_MAX).contains(&tasks) => Ok(tasks),
        _ => Err(format!("use 1 to {TASKS_MAX} tasks")),
    }
}

fn cards(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(cards) if (Limits::KEYS_MIN..=Limits::KEYS_MAX).contains(&cards) => Ok(cards),
        _ => Err(format!("use {} to {}", Limits::KEYS_MIN, Limits::KEYS_MAX)),
    }
}

impl Fraud {
    pub(crate) fn obey(self, output: &Output) -> Outcome {
        let origin = self.origin();
        origin.open().map_err(unopened)?;
        origin.open_chargebacks().map_err(|error| {
            let Failure { code, message } = unopened(error);
            Failure::new(code, format!("--chargebacks: {message}"))
        })?;
        let ledger = self.open_ledger(output)?;
        let held = ledger.as_ref().map_or(0, |ledger| ledger.len() as u64);
        let books = Books::with(ledger);
        let job = Job {
            origin,
            pace: self.pace(held),
            tasks: self.tasks,
            limits: Limits {
                // A generated world has a time of its own, which runs as fast as it is asked for.
                time_max: match self.input {
                    Some(_) => now_s().saturating_add(FUTURE_S),
                    None => i64::MAX,
                },
                keys_max: self.cards_max,
                hears_chargebacks: self.chargebacks.is_some(),
            },
            books: books.clone(),
            input: Input::default(),
            halt: Halt::default(),
        };
        let (input, halt) = (job.input.clone(), job.halt.clone());
        let attended = decide(job, output)?;
        check(&attended, &halt)?;
        books.close().map_err(Failure::failed)?;
        let told =
            Told::new(&attended, &books, &input, self.input.is_none(), self.ledger.as_deref())?;
        match output.is_table() {
            true if output.is_quiet() => {}
            true => output.data(told.to_string().as_bytes())?,
            false => output.json(&told)?,
        }
        show_refusals(&input, output);
        told.check()?;
        if was_cut(&attended) {
            let again = match self.ledger {
                _ if told.pending() == 0 => "",
                Some(_) => {
                    "; run the same again with the same ledger: what it has stays, what is missing \
                     is added"
                }
                None => "; with `--ledger FILE` another run would go on from there",
            };
            let pending = match told.pending() {
                0 => "every transaction that was read is".to_owned(),
                n => counted(n, "transaction was read and not", "transactions were read and not"),
            };
            let held = attended.summary.cut_off.iter().map(|who| format!("; {who}"));
            let held = held.collect::<String>();
            let ids = told.undecided();
            let why = format!("cut off: {pending} decided{ids}{again}{held}");
            return Err(Failure::new(Code::Interrupted, why));
        }
        if attended.ended != Ended::Itself {
            output.talk("interrupted: what was read before is decided");
            return Ok(Code::Interrupted);
        }
        Ok(Code::Ok)
    }

    fn origin(&self) -> Origin {
        match (&self.input, self.columns) {
            (Some(path), Some(columns)) => {
                let format = match columns {
                    Columns::Handbook => Format::Handbook,
                    Columns::Sparkov => Format::Sparkov,
                };
                Origin::File { path: path.clone(), format, chargebacks: self.chargebacks.clone() }
            }
            _ => Origin::Generated { seed: self.seed },
        }
    }

    fn pace(&self, caught_up: u64) -> Pace {
        let endless = self.input.is_none();
        let duration = self.duration.or_else(|| endless.then_some(DURATION));
        match (self.rate, duration) {
            // By number, so that the same command always decides the same transactions.
            (Some(rate), Some(duration)) => {
                let limit = Some((rate * duration.as_secs_f64()).ceil() as u64);
                Pace { per_second: Some(rate), limit, duration: None, caught_up }
            }
            (per_second, duration) => Pace { per_second, limit: None, duration, caught_up },
        }
    }

    fn open_ledger(&self, output: &Output) -> Outcome<Option<Ledger>> {
        let Some(path) = &self.ledger else { return Ok(None) };
        let fsync = match self.fsync {
            When::End => Fsync::AtEnd,
            When::Always => Fsync::Always,
        };
        let ledger = Ledger::open(path, fsync).map_err(|error| {
            let code = match &error {
                LedgerError::Missing(_) => Code::NotFound,
                LedgerError::Busy(_) => Code::Conflict,
                LedgerError::Failed(_) => Code::Failed,
            };
            Failure::new(code, error)
        })?;
        if !ledger.is_empty() || ledger.cut_bytes() > 0 {
            let held =
                counted(ledger.len() as u64, "decision, which stays", "decisions, which stay");
            let cut = match ledger.cut_bytes() {
                0 => String::new(),
                bytes => format!("; {} of a torn line were cut", counted(bytes, "byte", "bytes")),
            };
            output.talk(format_args!("`{}` holds {held}{cut}", path.display()));
        }
        Ok(Some(ledger))
    }
}

/// Runs the topology to its end.
fn decide(job: Job, output: &Output) -> Outcome<Attended> {
    let mut topology = Topology::new("fraud");
    let (books, input) = (job.books.clone(), job.input.clone());
    declare(&mut topology, job);
    let running = start(topology, Options::default()).map_err(Failure::failed)?;
    let live = Live::start(output, books, input);
    Ok(attend(running, live.teller(*output)))
}

fn check(attended: &Attended, halt: &Halt) -> Outcome<()> {
    let summary = &attended.summary;
    if let Some(why) = halt.reason() {
        return Err(Failure::failed(why));
    }
    if let Some(error) = &summary.error {
        return Err(Failure::failed(error.strip_prefix("source: ").unwrap_or(error)));
    }
    Ok(())
}

/// Names the first rows that made no sense.
fn show_refusals(input: &Input, output: &Output) {
    let (shown, all) = (input.refusals(), input.refused());
    if all == 0 {
        return;
    }
    output.talk(format_args!("{}:", counted(all, "row was left out", "rows were left out")));
    shown.iter().for_each(|why| output.talk(format_args!("  {why}")));
    let more = all.saturating_sub(shown.len() as u64);
    if more > 0 {
        output.talk(format_args!("  and {} more", grouped(more)));
    }
}

/// Whether something was read and is not decided, because nobody waited for it.
pub(super) fn was_cut(attended: &Attended) -> bool {
    attended.ended == Ended::Cut || !attended.summary.cut_off.is_empty()
}

fn unopened(error: OpenError) -> Failure {
    match &error {
        OpenError::Missing(_) => Failure::new(Code::NotFound, error),
        OpenError::Unusable(_) => Failure::failed(error),
    }
}

/// The wall clock, in seconds since 1970. Only says what the future is.
#[expect(
    clippy::disallowed_methods,
    reason = "the command is a shell: somebody must know the date"
)]
fn now_s() -> i64 {
    let passed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    passed.map_or(0, |passed| passed.as_secs() as i64)
}
