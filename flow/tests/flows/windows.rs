//! Windows over the fields of rows, against what a loop says.

use std::collections::BTreeMap;

use quickcheck::{Gen, QuickCheck, TestResult};
use serde_json::Value;

use crate::kit::Desk;

const MINUTE: i64 = 60_000;

/// Rows of `time,key,bytes`, and a window over them.
fn windows(rows: &[(i64, u8, i64)], window: &str) -> Vec<Value> {
    let lines: String = rows.iter().map(|(time, key, n)| format!("{time},{key},{n}\n")).collect();
    let desk = Desk::with("in.csv", &format!("time,key,bytes\n{lines}"));
    desk.values(&format!(
        "[spouts.rows]\ntype = \"csv\"\npath = \"${{DIR}}/in.csv\"\n\
         fields = [\"time: int\", \"key\", \"bytes: int\"]\n\
         [bolts.out]\ntype = \"window\"\nby = \"key\"\ntasks = 2\n\
         reads = {{ from = \"rows\", by = \"key\" }}\n{window}"
    ))
}

const ALL: &str = "results = [\"count\", \"sum bytes\", \"min bytes\", \"max bytes\", \
                   \"mean bytes\", \"top 1 bytes\"]";

/// Starting a topology takes a while, so that a few long inputs are better than many.
#[test]
fn tumbling_windows_hold_what_a_loop_finds() {
    fn holds(input: Vec<(u16, u8, i8)>) -> TestResult {
        let row = |(t, k, n): (u16, u8, i8)| (i64::from(t) * 10, k % 3, i64::from(n));
        let mut rows: Vec<(i64, u8, i64)> = input.into_iter().map(row).collect();
        rows.sort_unstable();
        let window = format!("tumbling = \"1m\"\nevent_time = \"time\"\n{ALL}");
        let mut found = windows(&rows, &window);
        // The parser of JSON rounds the last digit.
        for window in &mut found {
            let mean = window["mean_bytes"].as_f64().map(|mean| (mean * 1_000.0).round());
            window["mean_bytes"] = mean.into();
        }
        let mut expected = expected(&rows);
        found.sort_by_key(Value::to_string);
        expected.sort_by_key(Value::to_string);
        match found == expected {
            true => TestResult::passed(),
            false => TestResult::error(format!("{found:#?} {expected:#?}")),
        }
    }
    let long = Gen::new(400);
    QuickCheck::new().rng(long).tests(12).quickcheck(holds as fn(_) -> _);
}

/// The windows of these rows, by hand.
fn expected(rows: &[(i64, u8, i64)]) -> Vec<Value> {
    let mut windows: BTreeMap<(String, i64), Vec<i64>> = BTreeMap::new();
    for (time, key, n) in rows {
        windows.entry((key.to_string(), time / MINUTE * MINUTE)).or_default().push(*n);
    }
    let window = |((key, start), values): (&(String, i64), &Vec<i64>)| {
        let (count, sum) = (values.len(), values.iter().sum::<i64>());
        let often = |n: &i64| values.iter().filter(|other| *other == n).count();
        let most = values.iter().map(often).max();
        let top = values.iter().filter(|n| Some(often(n)) == most).min();
        serde_json::json!({
            "key": key, "start": start, "end": start + MINUTE, "firing": "on_time",
            "count": count, "sum_bytes": sum, "min_bytes": values.iter().min(),
            "max_bytes": values.iter().max(), "top_bytes": [[top, most]],
            "mean_bytes": (sum as f64 / count as f64 * 1_000.0).round(),
        })
    };
    windows.iter().map(window).collect()
}

#[test]
fn sliding_windows_overlap() {
    let rows = [(30_000, 1, 5), (90_000, 1, 7)];
    let window = "sliding = \"2m\"\nslide = \"1m\"\nevent_time = \"time\"\nresults = \"sum bytes\"";
    let sums: Vec<(i64, i64)> = windows(&rows, window)
        .iter()
        .map(|w| (w["start"].as_i64().expect("a time"), w["sum_bytes"].as_i64().expect("a sum")))
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    assert_eq!(sums, [(-MINUTE, 5), (0, 12), (MINUTE, 7)]);
}

#[test]
fn sessions_end_with_a_pause() {
    let rows = [(0, 1, 1), (40_000, 1, 1), (200_000, 1, 1)];
    let window = "session = \"1m\"\nevent_time = \"time\"\nresults = \"count\"";
    let found = windows(&rows, window);
    let ends: Vec<_> = found.iter().map(|w| (w["end"].clone(), w["count"].clone())).collect();
    assert!(ends.contains(&(100_000.into(), 2.into())), "{ends:?}");
    assert!(ends.contains(&(260_000.into(), 1.into())), "{ends:?}");
}

#[test]
fn windows_of_so_many_rows() {
    let rows = [(0, 1, 1), (0, 1, 2), (0, 1, 3), (0, 1, 4), (0, 1, 5)];
    let found = windows(&rows, "rows = 2\nresults = \"n = max bytes\"");
    let ns: Vec<_> = found.iter().map(|w| w["n"].as_i64()).collect();
    assert!(ns.contains(&Some(2)) && ns.contains(&Some(4)), "{found:?}");
}

#[test]
fn late_rows_are_a_stream() {
    let desk = Desk::with("in.csv", "time,n\n0,1\n600000,2\n5,3\n");
    let flow = "[spouts.rows]\ntype = \"csv\"\npath = \"${DIR}/in.csv\"\n\
                fields = [\"time: int\", \"n: int\"]\n\
                [bolts.window]\ntype = \"window\"\nreads = \"rows\"\ntumbling = \"1m\"\n\
                event_time = \"time\"\nresults = \"count\"\n\
                [bolts.out]\ntype = \"select\"\nreads = \"window.late\"\nfields = [\"n\"]";
    assert_eq!(desk.rows(flow), [r#"{"n":3}"#]);
}
