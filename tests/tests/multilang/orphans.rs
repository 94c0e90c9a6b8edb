//! Children and folders of an engine that is killed, and what a child leaves behind.

use std::{
    path::Path,
    process::{Child, Command},
    time::Duration,
};

use tormenta::{bolts::Word, multilang::ShellBolt, prelude::*};

use crate::{child, folder, nothing, words};

const ROLE: &str = "TORMENTA_TEST_ENGINE";
const CWD: &str = "TORMENTA_TEST_CWD";

/// Not a zombie, which somebody else has yet to look at.
pub(crate) fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    let state = stat.ok().and_then(|stat| {
        let (_, rest) = stat.rsplit_once(')')?;
        rest.trim_start().chars().next()
    });
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

fn comes(mut is_so: impl FnMut() -> bool) -> bool {
    (0..2_000).any(|_| {
        std::thread::park_timeout(Duration::from_millis(5));
        is_so()
    })
}

/// The engine of the test below, in a process of its own. Nothing, unless it is asked for.
#[test]
fn engine() {
    let Some(trouble) = std::env::var_os(ROLE) else { return };
    let Some(command) = child("trouble.py") else { return };
    let mut t = Topology::new("engine");
    let words = t.spout("words", words(200, &["hang:1"]));
    let mut bolt = ShellBolt::new(command).env("TROUBLE", trouble.display().to_string());
    // Who names a folder wants nothing to hang.
    if let Some(cwd) = std::env::var_os(CWD) {
        std::fs::write(Path::new(&trouble).join("hang:1"), "").expect("written");
        bolt = bolt.cwd(cwd.display().to_string());
    }
    let bolt = t.bolt("child", bolt.emits::<Word>(), words.shuffle());
    t.bolt("nothing", nothing::<Word>(), bolt.shuffle());
    tormenta::run(t).expect("it runs");
}

fn engine_in(path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", "orphans::engine", "--nocapture"]).env(ROLE, path);
    command.env("TMPDIR", path.join("temp")).stdout(std::process::Stdio::null());
    command
}

fn start(path: &Path) -> Child {
    engine_in(path).spawn().expect("started")
}

/// Where temporary folders are, the engine is told and the child is not: it works elsewhere.
#[test]
fn temporary_folders_may_be_named_in_any_way() {
    if child("trouble.py").is_none() {
        return;
    }
    let (_folder, path) = folder();
    let work = path.join("work");
    std::fs::create_dir(path.join("temp")).and_then(|()| std::fs::create_dir(&work)).expect("made");
    let end = |temp: &str| {
        let mut command = engine_in(&path);
        command.env("TMPDIR", temp).env(CWD, &work).current_dir(&path);
        command.stderr(std::process::Stdio::piped()).output().expect("it ended")
    };
    let relative = end("temp");
    assert!(relative.status.success(), "{}", String::from_utf8_lossy(&relative.stderr));
    let nowhere = end("nowhere");
    let told = String::from_utf8_lossy(&nowhere.stderr).into_owned();
    let named = told.contains("make a folder for a child in `nowhere`, which must be a folder");
    assert!(!nowhere.status.success() && named, "{told}");
}

fn left(path: &Path) -> usize {
    std::fs::read_dir(path.join("temp")).map_or(0, |entries| entries.flatten().count())
}

/// `kill -9` leaves a child that hangs, and its folder. The next engine ends both.
#[test]
fn the_next_engine_tidies_up_after_one_that_was_killed() {
    let Some(_) = child("trouble.py") else { return };
    if !cfg!(target_os = "linux") {
        return;
    }
    let (_folder, path) = folder();
    std::fs::create_dir(path.join("temp")).expect("made");
    let mut first = start(&path);
    assert!(comes(|| path.join("hang:1").exists()), "it never came to hang");
    first.kill().and_then(|()| first.wait()).expect("killed");
    let pids = std::fs::read_to_string(path.join("pids")).expect("its id");
    let hangs = pids.trim().to_owned();
    assert!(is_alive(&hangs) && left(&path) == 1, "nothing was left behind");
    let mut second = start(&path);
    assert!(comes(|| !is_alive(&hangs)), "the child lives on");
    assert!(second.wait().expect("it ended").success());
    assert_eq!(left(&path), 0);
}
