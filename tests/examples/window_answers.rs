//! Windows over real data, against answers that were computed by other means.
//!
//! `TORMENTA_DATA=<folder> cargo run -p tormenta-tests --example window_answers` reads
//! `transactions`, `timeseries` and `wikiedits` of that folder and compares the hourly tables.

#![expect(clippy::print_stdout, reason = "it tells people what it found")]

use std::{
    collections::BTreeMap,
    error::Error,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use flate2::read::GzDecoder;
use tormenta::{
    Options, Topology,
    bolts::window::{Count, Max, Min, Sum, WindowBolt, WindowOutput, Windowed, Windows, hours},
    prelude::*,
    testkit::{Capture, Feed},
};

type Fallible<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// One row of any of the data sets.
#[derive(Tuple, Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    time: i64,
    key: String,
    value: i64,
    flag: i64,
}

type Values = ((u64, i64), (i64, i64), (i64, i64));
type Results = Vec<Windowed<String, Values>>;

fn main() -> ExitCode {
    let Some(folder) = std::env::var_os("TORMENTA_DATA").map(PathBuf::from) else {
        println!("TORMENTA_DATA is not set: name the folder of the data");
        return ExitCode::from(2);
    };
    match all(&folder) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(wrong) => {
            println!("{wrong} tables differ");
            ExitCode::FAILURE
        }
        Err(why) => {
            println!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn all(data: &Path) -> Fallible<usize> {
    let mut wrong = 0;
    for name in ["handbook_2018-06", "sparkov_2019-01", "sparkov_2020_frauds"] {
        let is_same = transactions(&data.join("transactions"), name)?;
        wrong += usize::from(!said(name, is_same));
    }
    for (name, decimals) in [
        ("Twitter_volume_AAPL", 0),
        ("Twitter_volume_AMZN", 0),
        ("Twitter_volume_FB", 0),
        ("cpu_utilization_asg_misconfiguration", 16),
        ("machine_temperature_system_failure", 16),
        ("nyc_taxi", 0),
    ] {
        let is_same = series(&data.join("timeseries"), name, decimals)?;
        wrong += usize::from(!said(name, is_same));
    }
    wrong += edits(&data.join("wikiedits"))?;
    Ok(wrong)
}

fn said(name: &str, (is_same, what): (bool, String)) -> bool {
    println!("{name}: {what}: {}", if is_same { "the same" } else { "DIFFERENT" });
    is_same
}

/// What the windows make of these rows, and the rows that were late.
fn run(rows: Vec<Row>, disorder: Duration) -> Fallible<(Results, Vec<Row>)> {
    let (feed, results, late) = (Feed::new(), Capture::new(), Capture::new());
    let count = rows.len();
    rows.into_iter().for_each(|row| {
        feed.push(row);
    });
    feed.end();
    let mut t = Topology::new("answers");
    let rows = t.spout("rows", feed.spout()).pending_max(1_000_000);
    let per_hour = t.bolt("per_hour", windows(disorder), rows.by(|row| &row.key)).tasks(2);
    t.bolt("results", results.bolt(), per_hour.results.shuffle());
    t.bolt("late", late.bolt(), per_hour.late.shuffle());
    let mut options = Options::default();
    options.cores = Some(2);
    let summary = tormenta::start(t, options)?.wait();
    if let Some(why) = summary.error {
        return Err(why.into());
    }
    if feed.acked().len() != count {
        return Err(format!("{} of {count} rows acked", feed.acked().len()).into());
    }
    Ok((results.taken(), late.taken()))
}

fn windows(
    disorder: Duration,
) -> impl Bolt<Input = Row, Output = WindowOutput<String, Values, Row>> {
    const PART: i64 = 100_000_000; // sums of parts fit 64 bits
    let counts = (Count::new(), Sum::of(|row: &Row| row.flag));
    let sums = (Sum::of(|row: &Row| row.value / PART), Sum::of(|row: &Row| row.value % PART));
    let extremes = (Min::of(|row: &Row| row.value), Max::of(|row: &Row| row.value));
    let bolt: WindowBolt<_, _, _, _> = Windows::tumbling(hours(1))
        .event_time(|row: &Row| row.time)
        .by(|row: &Row| row.key.clone())
        .disorder(disorder)
        .aggregate((counts, sums, extremes));
    bolt
}

fn sum((high, low): (i64, i64)) -> i128 {
    i128::from(high) * 100_000_000 + i128::from(low)
}

fn compare(mut seen: Vec<String>, expected: &str) -> (bool, String) {
    let mut expected: Vec<&str> = expected.lines().collect();
    seen.sort_unstable();
    expected.sort_unstable();
    let first = seen.iter().zip(&expected).find(|(seen, expected)| seen != *expected);
    let what = format!("{} windows, {} expected", seen.len(), expected.len());
    let what = first.map_or(what.clone(), |(a, b)| format!("{what}, `{a}` is not `{b}`"));
    (seen == expected, what)
}

fn transactions(folder: &Path, name: &str) -> Fallible<(bool, String)> {
    let is_handbook = name.starts_with("handbook");
    let file = if is_handbook { format!("{name}.csv.gz") } else { format!("{name}.csv") };
    let (time, amount, fraud) = if is_handbook { (2, 5, 6) } else { (20, 5, 23) };
    let (text, mut rows) = (read(&folder.join(file))?, Vec::new());
    let heads = fields(text.lines().next().unwrap_or_default());
    let place = |name: &str, or| heads.iter().position(|head| head == name).unwrap_or(or);
    let (time, fraud) = (place("unix_time", time), place("is_fraud", fraud));
    for line in text.lines().skip(1) {
        let fields = fields(line);
        rows.push(Row {
            time: fields[time].parse::<i64>()? * 1_000,
            key: String::new(),
            value: fixed(&fields[amount], 2)?,
            flag: fields[fraud].parse()?,
        });
    }
    let (results, late) = run(rows, Duration::ZERO)?;
    let lines = results.into_iter().map(|window| {
        let ((n, frauds), cents, (_, max)) = window.value;
        format!("{}\t{n}\t{}\t{frauds}\t{max}", window.start / 1_000, sum(cents))
    });
    let expected = read(&folder.join(format!("expected/{name}_hourly.tsv.gz")))?;
    let (is_same, what) = compare(lines.collect(), &expected);
    Ok((is_same && late.is_empty(), what))
}

fn series(folder: &Path, name: &str, decimals: usize) -> Fallible<(bool, String)> {
    let (text, mut rows) = (read(&folder.join(format!("{name}.csv")))?, Vec::new());
    for line in text.lines().skip(1) {
        let (time, value) = line.split_once(',').ok_or("no comma")?;
        let (time, value) = (moment(time)?, fixed(value, decimals)?);
        rows.push(Row { time, key: String::new(), value, flag: 0 });
    }
    // The clock of one of them was set back by an hour.
    let (results, late) = run(rows, hours(2))?;
    let line = |start: i64, n: u64, sum: i128, min: i128, max: i128| {
        format!("{start}\t{n}\t{sum}\t{min}\t{max}")
    };
    let lines = results.into_iter().map(|window| {
        let ((n, _), parts, (min, max)) = window.value;
        line(window.start, n, sum(parts), min.into(), max.into())
    });
    // Decimals have as many digits as they need there.
    let (table, mut expected) = (format!("expected/{name}_hourly.tsv.gz"), String::new());
    for row in read(&folder.join(table))?.lines() {
        let [hour, n, sum, min, max] = row.split('\t').collect::<Vec<_>>()[..] else {
            return Err("five columns expected".into());
        };
        let number = |text| fixed_wide(text, decimals);
        let start = moment(&format!("{hour}:00:00"))?;
        expected += &line(start, n.parse()?, number(sum)?, number(min)?, number(max)?);
        expected.push('\n');
    }
    let (is_same, what) = compare(lines.collect(), &expected);
    Ok((is_same && late.is_empty(), what))
}

fn edits(folder: &Path) -> Fallible<usize> {
    let edits = edit_rows(&read(&folder.join("edits.jsonl.gz"))?)?;
    let altered = edit_rows(&read(&folder.join("altered_dates.jsonl"))?)?;
    let expected = read(&folder.join("expected/hourly_channel.tsv.gz"))?;
    let table = |results: Results| {
        results.into_iter().map(|window| {
            let ((n, _), added, _) = window.value;
            let hour =
                window.start / 3_600_000 - moment("2015-09-12 00:00:00").unwrap_or(0) / 3_600_000;
            format!("2015-09-12T{hour:02}\t{}\t{n}\t{}", window.key, sum(added))
        })
    };
    let (results, late) = run(edits.clone(), Duration::ZERO)?;
    let (is_same, what) = compare(table(results).collect(), &expected);
    let mut wrong = usize::from(!said("edits", (is_same && late.is_empty(), what)));

    // Altered dates among the others: those before that day are late, each of them.
    let day = moment("2015-09-12 00:00:00")?;
    let (past, future): (Vec<Row>, Vec<Row>) = altered.into_iter().partition(|e| e.time < day);
    let mut mixed = edits.clone();
    for (n, row) in past.iter().enumerate() {
        // Behind the first edit of every channel's task, or it would be the first of all.
        mixed.insert(12_000 + n * 2_000, row.clone());
    }
    let (results, late) = run(mixed, Duration::ZERO)?;
    let (is_same, what) = compare(table(results).collect(), &expected);
    let is_same = is_same && times(&late) == times(&past);
    let what = format!("{what}, {} late of {} altered to the past", late.len(), past.len());
    wrong += usize::from(!said("edits and past dates", (is_same, what)));

    // Dates of the future behind the others: every one is a window of its own.
    let mut mixed = edits;
    mixed.extend(future.iter().cloned());
    let (results, late) = run(mixed, Duration::ZERO)?;
    let (after, on_day): (Results, Results) =
        results.into_iter().partition(|window| window.start >= day + 24 * 3_600_000);
    let (is_same, what) = compare(table(on_day).collect(), &expected);
    let mut hours: BTreeMap<(i64, &str), u64> = BTreeMap::new();
    for row in &future {
        *hours.entry((row.time / 3_600_000, &row.key)).or_default() += 1;
    }
    let seen: BTreeMap<_, _> =
        after.iter().map(|w| ((w.start / 3_600_000, w.key.as_str()), w.value.0.0)).collect();
    let (is_same, windows) = (is_same && seen == hours && late.is_empty(), after.len());
    let what = format!("{what}, {windows} windows of {} altered to the future", future.len());
    wrong += usize::from(!said("edits and future dates", (is_same, what)));
    Ok(wrong)
}

fn times(rows: &[Row]) -> Vec<i64> {
    let mut times: Vec<i64> = rows.iter().map(|row| row.time).collect();
    times.sort_unstable();
    times
}

fn edit_rows(lines: &str) -> Fallible<Vec<Row>> {
    let row = |line: &str| {
        let edit: serde_json::Value = serde_json::from_str(line)?;
        let text = |name: &str| edit[name].as_str().ok_or(format!("an edit without `{name}`"));
        let (time, key) = (moment(text("time")?)?, text("channel")?.to_owned());
        let value = edit["added"].as_i64().ok_or("an edit without `added`")?;
        Ok(Row { time, key, value, flag: 0 })
    };
    lines.lines().map(row).collect()
}

fn read(path: &Path) -> Fallible<String> {
    let bytes = std::fs::read(path).map_err(|why| format!("{}: {why}", path.display()))?;
    let mut text = String::new();
    if path.extension().is_some_and(|ending| ending == "gz") {
        GzDecoder::new(&bytes[..]).read_to_string(&mut text)?;
        return Ok(text);
    }
    Ok(String::from_utf8(bytes)?)
}

/// The fields of a line of comma-separated values with quotes.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut is_quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            c => fields.last_mut().expect("never empty").push(c),
        }
    }
    fields
}

/// A decimal number as a whole one, with so many digits behind the point.
fn fixed(text: &str, decimals: usize) -> Fallible<i64> {
    Ok(fixed_wide(text, decimals)?.try_into()?)
}

fn fixed_wide(text: &str, decimals: usize) -> Fallible<i128> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let kept = fraction.trim_end_matches('0');
    if kept.len() > decimals {
        return Err(format!("{text} has more than {decimals} decimals").into());
    }
    Ok(format!("{whole}{kept:0<decimals$}").parse()?)
}

/// Milliseconds of `2015-09-12 00:46:58`, with or without `T`, milliseconds and `Z`.
fn moment(text: &str) -> Fallible<i64> {
    let part = |range: std::ops::Range<usize>| -> Fallible<i64> {
        Ok(text.get(range).ok_or(format!("{text} is no time"))?.parse()?)
    };
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    let ms = if text.len() > 20 { part(20..23)? } else { 0 };
    // Days since the epoch, with years that begin in March.
    let year = if month > 2 { year } else { year - 1 };
    let (era, month) = (year.div_euclid(400), (month + 9) % 12);
    let of_era = year.rem_euclid(400);
    let days = of_era * 365 + of_era / 4 - of_era / 100 + (month * 153 + 2) / 5 + day - 1;
    let seconds = part(11..13)? * 3_600 + part(14..16)? * 60 + part(17..19)?;
    Ok(((era * 146_097 + days - 719_468) * 86_400 + seconds) * 1_000 + ms)
}
