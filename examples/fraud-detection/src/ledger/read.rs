//! Reads a ledger as another system would: line by line, with a JSON parser and none of the
//! sink's memory.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

/// What an independent reader found in a ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Lines that are decisions.
    pub lines: u64,
    /// Lines whose id an earlier line has.
    pub duplicated: u64,
    /// Lines that are no decision, a torn last one included.
    pub unreadable: u64,
}

/// Reads a whole ledger and counts.
///
/// ```
/// let path = std::env::temp_dir().join("tormenta-audit-example.jsonl");
/// let line = r#"{"id":"a","verdict":"approve","score":0.5,"reasons":[]}"#;
/// std::fs::write(&path, format!("{line}\n{line}\n{{\"id\":"))?;
/// let audit = tormenta_fraud::audit(&path)?;
/// assert_eq!((audit.lines, audit.duplicated, audit.unreadable), (2, 1, 1));
/// std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// When the file cannot be read.
pub fn audit(path: &Path) -> io::Result<Audit> {
    let mut found = Audit::default();
    let mut ids = HashSet::new();
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(found);
        }
        let whole = line.last() == Some(&b'\n');
        let parsed = serde_json::from_slice::<Value>(&line).ok().filter(|_| whole);
        let decision = parsed.as_ref().filter(|value| value["verdict"].is_string());
        match decision.and_then(|value| value["id"].as_str()) {
            None => found.unreadable += 1,
            Some(id) => {
                found.lines += 1;
                found.duplicated += u64::from(!ids.insert(xxh3_128(id.as_bytes())));
            }
        }
    }
}
