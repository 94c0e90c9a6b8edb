//! A process and those that it starts: they are a group of their own, and end together.
//!
//! Ctrl-C in a terminal goes to the group in front, so not to children: it is for the topology,
//! which drains and still needs them for that. Who leaves the group, as daemons do, is on its own.
//!
//! The id of a process that has exited belongs to it until somebody waits for it, and so does that
//! of its group. So nobody waits before the group has been ended: else the id could be that of
//! another group by then.

use std::{
    io,
    process::{Child, Command, ExitStatus},
    sync::{Mutex, MutexGuard, PoisonError},
};

pub(super) struct Group {
    /// Until it has been waited for.
    leader: Mutex<Option<Child>>,
}

impl Group {
    /// Starts a process that leads a group.
    pub(super) fn spawn(command: &mut Command) -> io::Result<Child> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        command.spawn()
    }

    pub(super) fn new(leader: Child) -> Self {
        Self { leader: Mutex::new(Some(leader)) }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        self.leader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the leader has exited, if it has.
    pub(super) fn exited(&self) -> io::Result<Option<ExitStatus>> {
        self.look(false)
    }

    /// Waits until the leader has exited.
    pub(super) fn wait(&self) -> io::Result<ExitStatus> {
        self.look(true)?.ok_or_else(|| io::Error::other("it has not exited"))
    }

    fn look(&self, waits: bool) -> io::Result<Option<ExitStatus>> {
        match &mut *self.lock() {
            Some(leader) => unreaped::look(leader, waits),
            None => Err(io::Error::other("it was ended")),
        }
    }

    /// Kills all of them. The leader is still to be waited for.
    pub(super) fn kill(&self) {
        if let Some(leader) = &mut *self.lock() {
            kill(leader);
        }
    }

    /// Kills all of them and lets the id go. A thread that comes later finds nobody to kill.
    pub(super) fn end(&self) {
        if let Some(mut leader) = self.lock().take() {
            kill(&mut leader);
            let _ = leader.wait(); // it was killed
        }
    }
}

fn kill(leader: &mut Child) {
    unreaped::kill_group(leader.id());
    let _ = leader.kill(); // it may have exited
}

#[cfg(unix)]
pub(super) use unreaped::kill_group;

#[cfg(unix)]
mod unreaped {
    use std::{io, os::unix::process::ExitStatusExt, process};

    use rustix::process::{
        Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, waitid,
    };

    fn pid(id: u32) -> Option<Pid> {
        i32::try_from(id).ok().and_then(Pid::from_raw)
    }

    /// How a child has exited, which it will still say to whoever waits for it.
    pub(super) fn look(
        child: &mut process::Child,
        waits: bool,
    ) -> io::Result<Option<process::ExitStatus>> {
        let id = pid(child.id()).ok_or_else(|| io::Error::other("no id of a process"))?;
        let how = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let how = if waits { how } else { how | WaitIdOptions::NOHANG };
        Ok(waitid(WaitId::Pid(id), how)?.map(|status| status_of(&status)))
    }

    /// The status as `wait` has it: a code and a signal in one number.
    fn status_of(status: &WaitIdStatus) -> process::ExitStatus {
        const DUMPED: i32 = 0x80;
        let raw = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => (code & 0xFF) << 8,
            (None, Some(signal)) => signal | if status.dumped() { DUMPED } else { 0 },
            (None, None) => 0,
        };
        process::ExitStatus::from_raw(raw)
    }

    /// The group with this id. Of 1 there is none: to the system it would mean everybody.
    pub(super) fn group(id: u32) -> Option<Pid> {
        pid(id).filter(|id| !id.is_init())
    }

    pub(in super::super) fn kill_group(id: u32) {
        if let Some(id) = group(id) {
            let _ = kill_process_group(id, Signal::KILL); // there may be nobody left
        }
    }
}

#[cfg(not(unix))]
mod unreaped {
    use std::{io, process};

    pub(super) fn look(
        child: &mut process::Child,
        waits: bool,
    ) -> io::Result<Option<process::ExitStatus>> {
        if waits { child.wait().map(Some) } else { child.try_wait() }
    }

    pub(super) fn kill_group(_id: u32) {}
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn group(script: &str) -> Group {
        let mut command = Command::new("sh");
        Group::new(Group::spawn(command.args(["-c", script])).expect("started"))
    }

    #[test]
    fn an_exit_is_seen_as_often_as_one_looks() {
        for (script, code, signal) in
            [("exit 0", Some(0), None), ("exit 7", Some(7), None), ("kill -9 $$", None, Some(9))]
        {
            let group = group(script);
            let status = group.wait().expect("waited");
            assert_eq!((status.code(), status.signal()), (code, signal), "{script}");
            assert_eq!(group.exited().expect("looked"), Some(status));
            group.end();
            assert!(group.exited().is_err() && group.lock().is_none(), "its id is somebody else's");
        }
    }

    #[test]
    fn nobody_is_not_everybody() {
        for id in [0, 1, 1 << 31, u32::MAX] {
            assert_eq!(unreaped::group(id), None, "{id}");
        }
        assert!(unreaped::group(2).is_some());
    }

    #[test]
    fn what_a_process_leaves_behind_ends_with_it() {
        let folder = std::env::temp_dir().join(format!("tormenta-group-{}", std::process::id()));
        let name = folder.display();
        let group = group(&format!("(sleep 1000 & echo $! > {name}); exit 3"));
        assert_eq!(group.wait().expect("waited").code(), Some(3));
        let left = std::fs::read_to_string(&folder).expect("its id");
        let left: u32 = left.trim().parse().expect("a number");
        let is_alive = || super::super::orphans::started(left).is_some();
        assert!(!cfg!(target_os = "linux") || is_alive());
        group.end();
        let ends = (0..1_000).any(|_| {
            std::thread::park_timeout(std::time::Duration::from_millis(2));
            !is_alive()
        });
        std::fs::remove_file(&folder).expect("removed");
        assert!(ends, "it lives on");
    }
}
