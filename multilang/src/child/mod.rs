//! The shell: a process, and the three threads that read and write its pipes.
//!
//! ```text
//!   task (on its core)                threads of the child
//!     send  --- outbox (bytes) --->   writer  ---> stdin
//!     hear  <-- inbox (messages) --   reader  <--- stdout
//!                                     stderr  <--- stderr     to the log
//! ```
//!
//! A pipe blocks, so none is touched on a core, but for task ids, which a child waits for: they
//! have an end of its input that does not block. The writer takes all that waits and writes it at
//! once; the reader reads as much as there is, parses it, and hands it over as one batch. Both
//! boxes are bounded: a child that does not read makes the task wait, and a task that is waiting
//! for its readers makes the child wait.

mod folder;
mod group;
mod inbox;
mod orphans;
mod outbox;
mod shortcut;
mod threads;

use std::{
    io,
    process::{Command, ExitStatus, Stdio},
    sync::Arc,
    task::{Context as Waking, Poll},
    time::Duration,
};

use tormenta_dsl::{Context, Error, Result};

use crate::{said::Said, settings::Settings};
use folder::Folder;
use group::Group;
use inbox::Inbox;
use outbox::Outbox;
use threads::{Stderr, listen, read, write};

/// How long a child may take to exit when its pipes are closed, in steps.
const GRACE: (u32, Duration) = (100, Duration::from_millis(2));

/// Task ids that a child has asked for and does not read.
const ANSWERS_BYTES_MAX: usize = 1 << 20;

/// Why nothing more will come from a child.
#[derive(Debug)]
pub(crate) enum End {
    /// It has exited, or was killed when it had closed its output.
    Exited(io::Result<ExitStatus>),
    /// It broke the rules of the protocol, in these ways.
    Refused(String),
}

/// What came from a child.
pub(crate) enum Heard {
    Said(Said),
    End(End),
}

/// What the task and the threads share.
struct Shared {
    inbox: Inbox,
    outbox: Outbox,
    group: Group,
    stderr: Stderr,
}

/// A running child. Dropping it kills it.
pub(crate) struct Child {
    shared: Arc<Shared>,
    folder: Folder,
    id: u32,
    is_broken: bool,
}

impl Child {
    /// Starts the process and its threads.
    pub(crate) fn start(settings: &Settings, cx: &Context) -> Result<Self> {
        let [program, arguments @ ..] = &settings.command[..] else {
            return Err(Error::msg("the command is empty: name a program, such as `python3`"));
        };
        let folder = library()?;
        let mut command = Command::new(program);
        command.args(arguments).envs(&settings.env);
        command.env("PYTHONPATH", python_path(settings, &folder));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(cwd) = &settings.cwd {
            command.current_dir(cwd);
        }
        let mut process = Group::spawn(&mut command).map_err(|why| cannot_start(settings, &why))?;
        let id = process.id();
        folder.remember(id);
        let pipes = (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            unreachable!("all three pipes were asked for");
        };
        let shared = Arc::new(Shared {
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            group: Group::new(process),
            stderr: Stderr::default(),
        });
        shared.outbox.set_shortcut(shortcut::of(&stdin));
        let child = Self { shared: shared.clone(), folder, id, is_broken: false };
        let name = format!("{}[{}]", cx.component(), cx.task());
        let bytes_max = settings.message_bytes_max;
        thread(&name, "in", {
            let shared = shared.clone();
            move || write(stdin, &shared)
        })?;
        let log = (name.clone(), id);
        thread(&name, "err", {
            let shared = shared.clone();
            move || listen(stderr, &shared, &log)
        })?;
        thread(&name, "out", move || read(stdout, &shared, bytes_max))?;
        Ok(child)
    }

    /// The folder in which the child leaves its id.
    pub(crate) fn pid_dir(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Hands bytes over to be written, and leaves their memory for the next.
    pub(crate) fn send(&self, bytes: &mut Vec<u8>) {
        self.shared.outbox.put(bytes);
    }

    /// Hands task ids over to be written before everything else: the child waits for them. False if
    /// it does not, and more wait than may.
    pub(crate) fn answer(&self, bytes: &mut Vec<u8>) -> bool {
        self.shared.outbox.put_first(bytes) <= ANSWERS_BYTES_MAX
    }

    /// Whether as much waits to be written as may.
    pub(crate) fn is_full(&self) -> bool {
        self.shared.outbox.is_full()
    }

    /// Closes its input, behind what is to be written.
    pub(crate) fn close(&self) {
        self.shared.outbox.close();
    }

    /// Takes what has come, if anything has.
    pub(crate) fn hear(&self, heard: &mut std::collections::VecDeque<Heard>) {
        self.shared.inbox.take(heard);
    }

    /// Whether something has come that was not taken.
    pub(crate) fn has_news(&self) -> bool {
        self.shared.inbox.has_news()
    }

    /// Waits until something has come, or until there is room to send where there was none.
    pub(crate) fn poll_news(&self, waits_for_room: bool, cx: &mut Waking<'_>) -> Poll<()> {
        self.shared.inbox.set_waker(cx.waker());
        if waits_for_room {
            self.shared.outbox.set_waker(cx.waker());
        }
        let is_ready = self.has_news() || waits_for_room && !self.is_full();
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Kills it, without giving it time to end by itself.
    pub(crate) fn kill(mut self) {
        self.is_broken = true;
    }

    /// How it has exited, if it has.
    pub(crate) fn exited(&self) -> Option<io::Result<ExitStatus>> {
        self.shared.group.exited().transpose()
    }

    /// The last that it wrote to its log, for messages.
    pub(crate) fn last_words(&self) -> String {
        self.shared.stderr.last_words()
    }
}

impl Drop for Child {
    /// Its pipes are closed, upon which most exit. Those that do not are killed, and with them what
    /// they have started and left behind.
    fn drop(&mut self) {
        self.shared.outbox.abandon();
        self.shared.inbox.abandon();
        for _ in 0..GRACE.0 {
            if self.is_broken || self.exited().is_some() {
                break;
            }
            std::thread::park_timeout(GRACE.1);
        }
        self.shared.group.end();
    }
}

fn thread(name: &str, what: &str, run: impl FnOnce() + Send + 'static) -> Result {
    std::thread::Builder::new()
        .name(format!("{name}-{what}"))
        .spawn(run)
        .map(drop)
        .map_err(|why| Error::from(why).context("start a thread for a child"))
}

/// A folder with the modules for Python, in which the child leaves its id.
fn library() -> Result<Folder> {
    let make = || {
        let folder = Folder::new()?;
        let modules = folder.path().join("python");
        std::fs::create_dir(&modules)?;
        std::fs::write(modules.join("tormenta.py"), crate::PYTHON_MODULE)?;
        // Some components import the module of Storm and do not bring it.
        std::fs::write(modules.join("storm.py"), "from tormenta import *\n")?;
        Ok(folder)
    };
    make().map_err(|why: io::Error| {
        let beside = std::env::temp_dir();
        let fix = "which must be a folder that can be written to; `TMPDIR` names another";
        let what = format!("make a folder for a child in `{}`, {fix}", beside.display());
        Error::from(why).context(what)
    })
}

/// What the child has of its own comes first.
fn python_path(settings: &Settings, folder: &Folder) -> std::ffi::OsString {
    let inherited = || std::env::var_os("PYTHONPATH");
    let own = settings.env.get("PYTHONPATH").map(Into::into).or_else(inherited);
    let modules = folder.path().join("python");
    let folders = own.iter().flat_map(std::env::split_paths).chain([modules.clone()]);
    std::env::join_paths(folders).unwrap_or_else(|_| modules.into())
}

fn cannot_start(settings: &Settings, why: &io::Error) -> Error {
    let name = settings.name();
    let fix = match (why.kind(), &settings.cwd) {
        (io::ErrorKind::NotFound, Some(cwd)) if !cwd.is_dir() => {
            format!("; there is no folder `{}`", cwd.display())
        }
        (io::ErrorKind::NotFound, _) => "; install the program, or give its path".to_owned(),
        (io::ErrorKind::PermissionDenied, _) => "; make the program executable".to_owned(),
        _ => String::new(),
    };
    io::Error::new(why.kind(), format!("cannot start `{name}`: {why}{fix}")).into()
}
