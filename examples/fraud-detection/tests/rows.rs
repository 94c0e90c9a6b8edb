//! What is read from files, and what is refused.

use std::fs::{self, File};

use tormenta_fraud::{Chargebacks, Format, OpenError, RowError, Rows};

const HEADER: &str = "tx_id,epoch_s,customer_id,terminal_id,amount\n";

#[test]
fn a_file_that_is_shortened_is_named_after_its_whole_rows() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("rows.csv");
    let rows: String = (0..20_000).map(|n| format!("{n},1500000000,1,2,3.00\n")).collect();
    fs::write(&path, format!("{HEADER}{rows}")).expect("written");
    let rows = Rows::open(&path, Format::Handbook).expect("opened");
    let file = File::options().write(true).open(&path).expect("opened");
    file.set_len(200_000).expect("shortened");
    let found: Vec<_> = rows.collect();
    let whole = found.iter().filter(|row| row.is_ok()).count();
    assert!((5_000..15_000).contains(&whole), "{whole}");
    let last = found.last().expect("an error");
    let named = |why: &str| why.contains("rows.csv` was shortened while it was read");
    assert!(matches!(last, Err(RowError::Broken(why)) if named(why)), "{last:?}");
    assert!(found.len() <= whole + 2, "a torn row, and the end");
}

#[test]
fn chargebacks_come_when_they_are_due() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("reported.csv");
    let text =
        "reported_s,terminal_id,customer_id,tx_id\n100,1,2,a\n200,1,2,\n300,1,2,c\n150,1,2,d\n";
    fs::write(&path, text).expect("written");
    let mut reports = Chargebacks::open(&path, Format::Handbook).expect("opened");
    let mut due = |time| match reports.due(time) {
        Some(Ok(report)) => String::from_utf8_lossy(&report.id).into_owned(),
        Some(Err(RowError::Refused(why) | RowError::Broken(why))) => why,
        None => "none".to_owned(),
    };
    assert_eq!([due(99), due(100)], ["none", "a"]);
    // A row that makes no sense is told at once; one behind its time comes with the one before it.
    assert!(due(100).contains("reported.csv:3: `tx_id` is empty"));
    assert_eq!([due(299), due(300), due(300), due(999)], ["none", "c", "d", "none"]);
    let missing = Chargebacks::open(&path, Format::Sparkov).err();
    assert!(matches!(missing, Some(OpenError::Unusable(why)) if why.contains("`trans_num`")));
}
