//! What the ledger keeps, and what it refuses.

use std::fs;

use tormenta_fraud::{Added, Decided, Evidence, Fsync, Ledger, LedgerError, Rule, Truth, audit};

fn decided(id: &str) -> Decided {
    let mut evidence = Evidence::default();
    evidence.add(Rule::Travel, 7.0);
    let id = id.to_owned().into();
    Decided { seq: 1, id, decision: evidence.decide(), truth: Truth::Unknown, due_ns: 0 }
}

#[test]
fn a_decision_is_taken_once_over_all_runs() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("ledger");
    for run in 0..3 {
        let mut ledger = Ledger::open(&path, Fsync::Always).expect("opened");
        assert_eq!(ledger.len(), 2 * run);
        for id in ["a", "b", "\"quoted\"", "caf\u{e9}", "a\n", "\u{1F4B3}"].iter().take(2 * run + 2)
        {
            let added = ledger.add(&decided(id), 5);
            ledger.write().expect("written");
            // Told apart: what an earlier run decided, and what comes twice in this one.
            let twice = if added == Added::New { Added::Repeated } else { Added::Held };
            assert_eq!(ledger.add(&decided(id), 5), twice, "{id}");
            assert!(added == Added::New || run > 0, "{id}");
        }
        ledger.close().expect("closed");
    }
    let found = audit(&path).expect("read");
    assert_eq!((found.lines, found.duplicated, found.unreadable), (6, 0, 0));
}

/// Wherever a line was torn, what was whole stays and what was not is taken again.
#[test]
fn a_torn_line_is_cut_off_wherever_it_was_torn() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("ledger");
    let mut ledger = Ledger::open(&path, Fsync::AtEnd).expect("opened");
    ["a", "b"].iter().for_each(|id| assert_eq!(ledger.add(&decided(id), 7), Added::New));
    ledger.close().expect("closed");
    drop(ledger);
    let whole = fs::read(&path).expect("read");
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).expect("written");
        let mut ledger = Ledger::open(&path, Fsync::AtEnd).expect("opened");
        let lines = whole[..length].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(ledger.len(), lines, "{length}");
        let added = ["a", "b"].map(|id| ledger.add(&decided(id), 7));
        let missing = [lines < 1, lines < 2].map(|missing| match missing {
            true => Added::New,
            false => Added::Held,
        });
        assert_eq!(added, missing, "{length}");
        ledger.close().expect("closed");
        drop(ledger);
        assert!(fs::read(&path).expect("read") == whole, "{length}");
    }
}

#[test]
fn one_writes_at_a_time() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("ledger");
    let _first = Ledger::open(&path, Fsync::AtEnd).expect("opened");
    assert!(matches!(Ledger::open(&path, Fsync::AtEnd), Err(LedgerError::Busy(_))));
}
