//! Children that are killed from outside, at moments that nobody chose.

use std::{
    collections::BTreeSet,
    io::Write,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tormenta::{
    bolts::{Word, func},
    multilang::ShellBolt,
    prelude::*,
};

use crate::{child, folder, words};

/// How often; `KILLS` sets another number.
fn kills() -> usize {
    std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(8)
}

/// Kills the child that began last, again and again, while words go through it. A file has what
/// came out at the other end, and is read afterwards by nobody who knows the engine.
#[test]
fn nothing_is_lost_when_children_are_killed() {
    let Some(command) = child("trouble.py") else { return };
    let (_folder, path) = folder();
    let count = 15_000 * kills() as u64;
    let file = std::fs::File::create(path.join("arrived")).expect("a file");
    let file = Arc::new(Mutex::new(std::io::BufWriter::new(file)));
    let sink = file.clone();
    let mut t = Topology::new("kills");
    let words = t.spout("words", words(count, &[]));
    let words = words.replaying(Retry { attempts_max: 1_000, ..Retry::default() });
    let child = ShellBolt::new(command).env("TROUBLE", path.display().to_string());
    let child = t.bolt("child", child.emits::<Word>(), words.shuffle());
    let sink = func(async move |word: Word, _: &Emitter<()>| {
        let mut file = sink.lock().unwrap();
        file.write_all(&word.word)?;
        Ok(file.write_all(b"\n")?)
    });
    t.bolt("sink", sink, child.shuffle());

    let running = tormenta::start(t, tormenta::Options::default()).expect("it starts");
    let has_ended = Arc::new(AtomicBool::new(false));
    let killer = std::thread::spawn({
        let (has_ended, pids) = (has_ended.clone(), path.join("pids"));
        move || {
            let (mut killed, mut moment) = (BTreeSet::new(), 1_u64);
            while killed.len() < kills() && !has_ended.load(Ordering::Relaxed) {
                moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                std::thread::park_timeout(Duration::from_millis(10 + (moment >> 33) % 150));
                let pids = std::fs::read_to_string(&pids).unwrap_or_default();
                if let Some(pid) = pids.lines().last()
                    && !killed.contains(pid)
                {
                    let killing = Command::new("kill").args(["-9", pid]).output();
                    assert!(killing.is_ok_and(|killing| killing.status.success()));
                    killed.insert(pid.to_owned());
                }
            }
            killed.len()
        }
    });
    let summary = running.wait().into_result().expect("it runs to its end");
    has_ended.store(true, Ordering::Relaxed);
    let killed = killer.join().expect("it killed");
    assert!(killed >= 2, "{killed} were killed");
    file.lock().unwrap().flush().expect("written");

    let arrived = std::fs::read_to_string(path.join("arrived")).expect("the file");
    let distinct: BTreeSet<&str> = arrived.lines().collect();
    let missing = (0..count).filter(|n| !distinct.contains(&*format!("a{n}"))).count();
    assert_eq!((missing, distinct.len() as u64), (0, count));
    assert_eq!(summary.dead_letters.len(), 0);
    let child = summary.metrics.component("child").expect("it is there");
    assert_eq!(child.counters["child_restarts"], killed as u64);
}
