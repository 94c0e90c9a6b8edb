//! Runs an engine, checks its sums and prints the one line.

use std::env;
use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::request::Request;
use crate::{expect, numbers, sum};

/// What the engine did with a request.
pub struct Setup {
    /// Threads that carried tuples.
    pub threads: usize,
    /// What was not left at the engine's default, in words.
    pub setting: String,
    /// Whether the windows of W4 begin with a second, and not with the first event of a key. Only
    /// then the checksum can tell in which window an event was.
    pub aligned: bool,
}

/// The whole of a peer's `main`: `run` returns once the engine has stopped.
///
/// The engine's version is the one in the peer's `lock` file.
pub fn measure(
    engine: &str,
    lock: &str,
    run: impl FnOnce(&Request) -> Result<Setup, String>,
) -> ExitCode {
    match line(engine, lock, run) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{engine}: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn line(
    engine: &str,
    lock: &str,
    run: impl FnOnce(&Request) -> Result<Setup, String>,
) -> Result<String, String> {
    let request = Request::parse(env::args().skip(1))?;
    let (start, cpu_start) = (Instant::now(), cpu_time()?);
    let Setup { threads, setting, aligned } = run(&request)?;
    let (wall, cpu) = (start.elapsed(), cpu_time()? - cpu_start);

    let (tuples, checksum) = sum::totals();
    let expected = expect::totals(request.workload, &numbers::emitted(), aligned);
    if (tuples, checksum) != expected {
        return Err(format!(
            "saw {tuples} tuples, sum {checksum}; expected {expected:?}"
        ));
    }
    let workload = request.workload.name();
    let mode = if request.hands_over() {
        "handover"
    } else {
        "fused"
    };
    let version = locked_version(lock, engine).ok_or("the engine is not in the lock file")?;
    let (seconds, cpu_seconds) = (wall.as_secs_f64(), cpu.as_secs_f64());
    let rate = tuples as f64 / seconds;
    Ok(format!(
        r#"{{"engine":"{engine}","version":"{version}","workload":"{workload}","mode":"{mode}","#,
    ) + &format!(
        r#""setting":"{setting}","threads":{threads},"tuples":{tuples},"seconds":{seconds:.3},"#,
    ) + &format!(
        r#""tuples_per_second":{rate:.0},"cpu_seconds":{cpu_seconds:.2},"checksum":{checksum}}}"#,
    ))
}

/// Processor time of this process, all threads, user and system.
fn cpu_time() -> Result<Duration, String> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").map_err(|error| error.to_string())?;
    // The second field, the program's name, ends with the last bracket; user and system time are
    // the fields 14 and 15.
    let (_, fields) = stat.rsplit_once(") ").ok_or("no name in /proc/self/stat")?;
    let ticks = fields
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u32>().ok());
    Ok(Duration::from_secs_f64(
        f64::from(ticks.sum::<u32>()) / TICKS_PER_SECOND,
    ))
}

fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    rest.split('"').next()
}
