//! Tortures the engine: `torture --seed N`, `torture --seeds A..B`, `torture --bugs`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

use std::{ops::Range, process::ExitCode};

use tormenta_tests::torture::{Totals, bug_named, bug_table, describe, torture_and_tell};

const USAGE: &str = "usage: torture [--seed N | --seeds A..B] [--bug NAME] [--json] [--coverage]
               [--describe] [--root N]
       torture --bugs [--seeds A..B]

Runs seeded worlds in virtual time and lets the oracles judge them. Exit code 1 if a promise is
broken, or, with --bugs, if a planted bug is not found.";

struct Args {
    seeds: Range<u64>,
    bug: Option<String>,
    json: bool,
    coverage: bool,
    bugs: bool,
    describe: bool,
    root: Option<u32>,
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Args, String> {
    let mut parsed = Args {
        seeds: 0..2000,
        bug: None,
        json: false,
        coverage: false,
        bugs: false,
        describe: false,
        root: None,
    };
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match &*arg {
            "--seed" => {
                let seed = number(&value()?)?;
                parsed.seeds = seed..seed + 1;
            }
            "--seeds" => {
                let text = value()?;
                let (first, end) = text.split_once("..").ok_or("--seeds needs A..B")?;
                parsed.seeds = number(first)?..number(end)?;
            }
            "--bug" => parsed.bug = Some(value()?),
            "--json" => parsed.json = true,
            "--coverage" => parsed.coverage = true,
            "--root" => parsed.root = Some(number(&value()?)? as u32),
            "--describe" => parsed.describe = true,
            "--bugs" => parsed.bugs = true,
            _ => return Err(format!("unknown argument `{arg}`")),
        }
    }
    Ok(parsed)
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|why| format!("`{text}`: {why}"))
}

fn main() -> ExitCode {
    let args = match parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if args.bugs {
        let (table, hidden) = bug_table(args.seeds.end);
        println!("{table}");
        return ExitCode::from(u8::from(!hidden.is_empty()));
    }
    let bug = match args.bug.as_deref().map(|name| bug_named(name).ok_or(name)) {
        None => None,
        Some(Ok(bug)) => Some(bug),
        Some(Err(name)) => {
            eprintln!("no planted bug is called `{name}`");
            return ExitCode::from(2);
        }
    };
    let mut totals = Totals::default();
    for seed in args.seeds.clone() {
        if args.describe {
            println!("{}", describe(seed));
        }
        let report = torture_and_tell(seed, bug, args.root);
        totals.add(&report);
        if args.json && (args.seeds.end - args.seeds.start == 1 || !report.violations.is_empty()) {
            println!("{}", serde_json::to_string(&report).unwrap_or_default());
        }
        if !args.json {
            report.story.iter().for_each(|line| println!("{line}"));
        }
        for violation in report.violations.iter().filter(|_| !args.json) {
            println!("seed {seed}: {}: {}", violation.oracle, violation.what);
        }
    }
    if args.json {
        println!("{}", serde_json::to_string(&totals).unwrap_or_default());
    } else {
        print_totals(&totals, args.coverage || totals.seeds > 1);
    }
    ExitCode::from(u8::from(!totals.failed_seeds.is_empty()))
}

fn print_totals(totals: &Totals, coverage: bool) {
    if coverage {
        print!("{}", totals.coverage_table());
    }
    let Totals { seeds, roots, events, virtual_seconds, trace, .. } = totals;
    println!(
        "{seeds} seeds, {roots} roots, {events} events, {virtual_seconds:.0} virtual seconds, \
         trace {trace}, {} seeds with violations",
        totals.failed_seeds.len()
    );
}
