//! What an engine leaves behind that was killed: folders of its children, and children that hang.
//!
//! Nobody can tidy up after `kill -9`, so the next engine does. Each child has a folder, in which
//! its engine holds a lock that goes with the process. A folder whose lock is free belongs to
//! nobody: it is removed, and the child that it names is ended with its group, if it still lives.
//! That it is still the same process tells its time of start, together with the boot of the machine
//! since which that is counted: temporary folders may outlive a machine that is started anew.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Once,
};

/// What the names of the folders begin with. The id of the engine follows, and a number.
pub(super) const PREFIX: &str = "tormenta-child-";

/// The lock, and the id, time of start and boot of the child.
pub(super) const LOCK: &str = "lock";
pub(super) const CHILD: &str = "child";

/// Sweeps once in each process, beside it. `own` is a folder of this process.
pub(super) fn sweep_once(own: &Path) {
    static ONCE: Once = Once::new();
    let own = own.to_owned();
    ONCE.call_once(|| {
        // Nobody waits for it, and nothing depends on it.
        let _ = std::thread::Builder::new().name("sweep".to_owned()).spawn(move || sweep(&own));
    });
}

/// Ends the children and removes the folders, beside this one, of engines that are gone.
pub(super) fn sweep(own: &Path) {
    let (Some(beside), Ok(own)) = (own.parent(), fs::symlink_metadata(own)) else { return };
    let Ok(entries) = fs::read_dir(beside) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        // A link, or what somebody else has put there, could name any process of ours.
        let is_ours = |data: fs::Metadata| data.is_dir() && have_one_owner(&data, &own);
        if entry.metadata().is_ok_and(is_ours) {
            sweep_one(&entry.path(), rest);
        }
    }
}

fn sweep_one(folder: &Path, name: &str) {
    let lock = match File::open(folder.join(LOCK)) {
        Ok(lock) => lock,
        // Its engine is about to make it, or never came to it.
        Err(why) if why.kind() == io::ErrorKind::NotFound && is_gone(name) => {
            let _ = fs::remove_dir_all(folder); // somebody else may be faster
            return;
        }
        Err(_) => return,
    };
    if let Err(TryLockError::WouldBlock | TryLockError::Error(_)) = lock.try_lock() {
        return; // its engine lives
    }
    if let Some((child, start, of_boot)) = read(&folder.join(CHILD))
        && started(child) == Some(start)
        && of_boot == boot()
    {
        tracing::info!(pid = child, "a child has outlived its engine, and is ended");
        end(child);
    }
    let _ = fs::remove_dir_all(folder); // while it is locked, so that nobody else begins in it
}

#[cfg(unix)]
fn have_one_owner(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    one.uid() == other.uid()
}

#[cfg(not(unix))]
fn have_one_owner(_one: &fs::Metadata, _other: &fs::Metadata) -> bool {
    true
}

#[cfg(unix)]
fn end(child: u32) {
    super::group::kill_group(child);
}

#[cfg(not(unix))]
fn end(_child: u32) {}

/// Whether the engine is gone that a folder is named after.
fn is_gone(name: &str) -> bool {
    let engine = name.split('-').next().and_then(|id| id.parse().ok());
    cfg!(target_os = "linux") && engine.is_some_and(|engine: u32| started(engine).is_none())
}

/// Writes down which process the child of a folder is.
pub(super) fn write(folder: &Path, child: u32) -> io::Result<()> {
    match started(child) {
        Some(start) => fs::write(folder.join(CHILD), format!("{child} {start} {}\n", boot())),
        None => Ok(()),
    }
}

fn read(path: &PathBuf) -> Option<(u32, u64, String)> {
    let text = fs::read_to_string(path).ok()?;
    let mut fields = text.trim_end_matches('\n').splitn(3, ' ');
    let (child, start) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((child, start, fields.next()?.to_owned()))
}

/// What this boot of the machine is called; empty where the system does not say.
fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// When a process was started, in ticks since the machine was; `None` if there is no such process,
/// or it has exited, or the system does not say.
pub(super) fn started(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is a name that may hold anything, also blanks and brackets.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Child, Command};

    use super::*;
    use crate::child::{folder::Folder, group::Group};

    /// A process that ends with the test.
    struct Sleeper(Child);

    impl Sleeper {
        fn id(&self) -> u32 {
            self.0.id()
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill().and_then(|()| self.0.wait());
        }
    }

    fn sleeper() -> Sleeper {
        Sleeper(Group::spawn(Command::new("sleep").arg("60")).expect("started"))
    }

    fn is_alive(child: &Sleeper) -> bool {
        (0..500).all(|_| {
            std::thread::park_timeout(std::time::Duration::from_millis(1));
            started(child.id()).is_some()
        })
    }

    /// A folder as an engine leaves it that is killed.
    fn left(beside: &Path, name: &str, (child, start): (u32, u64), boot: &str) -> PathBuf {
        let folder = beside.join(format!("{PREFIX}{name}"));
        fs::create_dir(&folder).expect("made");
        fs::write(folder.join(LOCK), "").expect("written");
        fs::write(folder.join(CHILD), format!("{child} {start} {boot}\n")).expect("written");
        folder
    }

    #[test]
    fn what_nobody_holds_is_swept_and_nothing_else() {
        let own = Folder::new().expect("made");
        let beside = own.path().join("temp");
        fs::create_dir(&beside).expect("made");
        let (orphan, other, held, later) = (sleeper(), sleeper(), sleeper(), sleeper());
        let start = |child: &Sleeper| started(child.id()).expect("it runs");
        let of_orphan = left(&beside, "1-0", (orphan.id(), start(&orphan)), &boot());
        // The process of this id is a later one; and one of another boot, as soon after it.
        let of_other = left(&beside, "1-1", (other.id(), start(&other) + 1), &boot());
        let of_later = left(&beside, "1-3", (later.id(), start(&later)), "another");
        let of_held = left(&beside, "1-2", (held.id(), start(&held)), &boot());
        let lock = File::open(of_held.join(LOCK)).expect("opened");
        lock.try_lock().expect("free");
        let unlocked = beside.join(format!("{PREFIX}{}-7", std::process::id()));
        let gone = beside.join(format!("{PREFIX}4294967294-7"));
        fs::create_dir(&unlocked).and_then(|()| fs::create_dir(&gone)).expect("made");
        let foreign = beside.join("else");
        fs::write(&foreign, "").expect("written");
        let link = beside.join(format!("{PREFIX}2-0"));
        std::os::unix::fs::symlink(own.path(), &link).expect("linked");

        sweep(&beside.join("mine-is-beside"));
        assert!(of_orphan.exists(), "without a folder of its own nobody knows who it is");
        sweep(&foreign);
        assert!(!of_orphan.exists() && !of_other.exists() && !of_later.exists() && !gone.exists());
        assert!(of_held.exists() && unlocked.exists() && foreign.exists() && link.exists());
        assert!(!is_alive(&orphan));
        assert!(is_alive(&other) && is_alive(&held) && is_alive(&later));
        drop(lock);
    }
}
