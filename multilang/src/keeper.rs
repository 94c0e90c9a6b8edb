//! One child after the other: starts them, shakes hands, looks at how they end.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use serde_json::Value as Json;
use tormenta_dsl::{Context, Error, Result};

use crate::{
    brief::brief,
    child::{Child, End, Heard},
    fields::Outputs,
    restarts::Restarts,
    said::Said,
    settings::Settings,
    tell::{self, Origin},
};

/// A child is given so long to answer the handshake, and longer if it may be silent for longer.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A child that has exited is not waited for longer than this, where a process of its own has
/// inherited its output and keeps it open. It is also how often that is looked at.
const ORPHANED: Duration = Duration::from_secs(1);

/// What a task does with its child, be it a spout or a bolt.
pub(crate) struct Keeper {
    pub(crate) settings: Settings,
    pub(crate) cx: Context,
    pub(crate) outputs: Outputs,
    pub(crate) origins: Vec<Origin>,
    child: Option<Child>,
    heard: VecDeque<Heard>,
    restarts: Restarts,
    /// When the child was started, or when it will be.
    start_at: Duration,
    is_connected: bool,
    /// When it was first seen to have exited, while its output was open.
    exited_at: Option<Duration>,
    /// Whether its input was closed, so that it is to end.
    is_closed: bool,
    /// Whether the last that it said was that something is wrong.
    has_complained: bool,
    /// What it said last of something wrong that no tuple has failed by yet; empty if nothing.
    complaint: String,
}

impl Keeper {
    pub(crate) fn new(
        settings: Settings,
        cx: &Context,
        outputs: Outputs,
        origins: Vec<Origin>,
    ) -> Self {
        Self {
            settings,
            cx: cx.clone(),
            outputs,
            origins,
            child: None,
            heard: VecDeque::new(),
            restarts: Restarts::default(),
            start_at: Duration::ZERO,
            is_connected: false,
            exited_at: None,
            is_closed: false,
            has_complained: false,
            complaint: String::new(),
        }
    }

    /// Starts the first child and waits until it has answered. What it says after that is left to
    /// be heard.
    pub(crate) async fn open(&mut self) -> Result {
        self.start()?;
        loop {
            match self.next() {
                Some(Heard::Said(said)) => {
                    self.obey(said);
                    if self.is_connected {
                        return Ok(());
                    }
                }
                Some(Heard::End(end)) => return Err(Error::msg(self.farewell(&end))),
                None if self.is_late() => return Err(Error::msg(self.silence())),
                None => self.wait(self.due()).await,
            }
        }
    }

    /// Starts a child and tells it what it must know.
    fn start(&mut self) -> Result {
        let child = Child::start(&self.settings, &self.cx)?;
        let mut bytes = Vec::new();
        let (settings, cx, pid_dir) = (&self.settings, &self.cx, child.pid_dir());
        tell::handshake(&mut bytes, settings, cx, &self.outputs, &self.origins, pid_dir);
        child.send(&mut bytes);
        self.child = Some(child);
        self.start_at = self.cx.now();
        self.restarts.begin(self.start_at);
        self.exited_at = None;
        (self.is_connected, self.is_closed, self.has_complained) = (false, false, false);
        self.complaint.clear();
        Ok(())
    }

    /// Starts the next child when it is due. True if something was done.
    pub(crate) fn start_again(&mut self) -> bool {
        if self.child.is_some() || self.cx.now() < self.start_at {
            return false;
        }
        self.cx.counter("child_restarts").add(1);
        if let Err(why) = self.start() {
            self.cx.report(&why);
            self.start_at = self.restarts.end(self.cx.now());
        }
        true
    }

    /// The child that has answered the handshake.
    pub(crate) fn child(&self) -> Option<&Child> {
        self.child.as_ref().filter(|_| self.is_connected)
    }

    /// Whether there is none, not even one that has not answered yet.
    pub(crate) fn is_gone(&self) -> bool {
        self.child.is_none()
    }

    pub(crate) fn has_news(&self) -> bool {
        !self.heard.is_empty() || self.child.as_ref().is_some_and(Child::has_news)
    }

    /// Whether something was taken from the child and not yet looked at.
    pub(crate) fn has_heard(&self) -> bool {
        !self.heard.is_empty()
    }

    /// The next thing that came from the child.
    pub(crate) fn next(&mut self) -> Option<Heard> {
        if self.heard.is_empty() {
            self.child.as_ref()?.hear(&mut self.heard);
        }
        let heard = self.heard.pop_front();
        if heard.is_some() {
            self.exited_at = None; // what it wrote before is still coming
        }
        heard
    }

    /// Does what spouts and bolts have in common; gives back the rest.
    pub(crate) fn obey(&mut self, said: Said) -> Option<Said> {
        let is_ending = self.is_closed;
        self.has_complained = matches!(said, Said::Error(_));
        match said {
            Said::Pid(_) => {
                self.is_connected = true;
                tracing::debug!(pid = self.child.as_ref().map(Child::id), "a child has connected");
            }
            Said::Log(text, level) => self.log(&text, level),
            // That its input has ended is no error.
            Said::Error(text) if is_ending => self.log(&text, 1),
            Said::Error(text) => {
                self.complaint = brief(&text);
                let why = format!("`{}` says: {}", self.settings.name(), text.trim_end());
                self.cx.report(&Error::msg(why));
            }
            Said::Metrics(name, params) => self.count(&name, &params),
            other => return Some(other),
        }
        None
    }

    /// Why a tuple has failed: what the child says of it, or else what it has complained of before.
    pub(crate) fn blame(&mut self, why: Option<&str>) -> String {
        let complaint = std::mem::take(&mut self.complaint);
        let why = why.map(brief).filter(|why| !why.is_empty()).unwrap_or(complaint);
        let colon = if why.is_empty() { "" } else { ": " };
        format!("`{}` failed it{colon}{why}", self.settings.name())
    }

    /// A tuple went well: what was complained of is not why the next one fails.
    pub(crate) fn forgive(&mut self) {
        self.complaint.clear();
    }

    fn log(&self, text: &str, level: u8) {
        let (component, task) = (self.cx.component(), self.cx.task());
        match level {
            0 => tracing::trace!(component, task, "{text}"),
            1 => tracing::debug!(component, task, "{text}"),
            2 => tracing::info!(component, task, "{text}"),
            3 => tracing::warn!(component, task, "{text}"),
            _ => tracing::error!(component, task, "{text}"),
        }
    }

    fn count(&self, name: &str, params: &Json) {
        let add = if params.is_null() { Some(1) } else { params.as_u64() };
        match add {
            Some(add) => self.cx.counter(name).add(add),
            None => self.cx.report(&Error::msg(format!(
                "metrics `{name}` cannot be {params}: a counter takes whole numbers, or null for \
                 one more"
            ))),
        }
    }

    /// The end of a child that is gone while somebody else keeps its output open, so that no end
    /// is heard from there.
    pub(crate) fn left_behind(&mut self) -> Option<End> {
        let status = self.child.as_ref()?.exited()?;
        let now = self.cx.now();
        let since = *self.exited_at.get_or_insert(now);
        (now >= since + ORPHANED).then_some(End::Exited(status))
    }

    /// Closes the input of the child: it is to work off what it has, and to exit.
    pub(crate) fn close(&mut self) {
        if let Some(child) = &self.child {
            child.close();
        }
        self.is_closed = true;
    }

    /// The child has ended, or is put to an end: the next one will be started. Returns why, and
    /// how long it waits.
    pub(crate) fn lose(&mut self, why: String) -> String {
        if let Some(child) = self.child.take() {
            child.kill();
        }
        self.heard.clear();
        self.is_connected = false;
        let now = self.cx.now();
        self.start_at = self.restarts.end(now);
        let wait = (self.start_at - now).as_millis();
        format!("{why}; it is started again in {wait} ms")
    }

    /// The child has ended as it should.
    pub(crate) fn part(&mut self) {
        self.child = None;
        self.heard.clear();
        self.is_connected = false;
        self.start_at = self.cx.now();
    }

    /// Whether it ended of its own accord, and well.
    pub(crate) fn is_well(&self, end: &End) -> bool {
        let exited_well = matches!(end, End::Exited(Ok(status)) if status.success());
        exited_well && !self.has_complained
    }

    /// What to say of a child that ended.
    pub(crate) fn farewell(&self, end: &End) -> String {
        let name = self.settings.name();
        let last_words = self.child.as_ref().map(Child::last_words).unwrap_or_default();
        let words = match (last_words.is_empty(), self.has_complained) {
            (false, _) => format!(" (its last words: `{last_words}`)"),
            (true, true) if !self.complaint.is_empty() => {
                format!(" (its last words: `{}`)", self.complaint)
            }
            (true, _) => String::new(),
        };
        match end {
            End::Exited(Ok(status)) => format!("`{name}` ended with {status}{words}"),
            End::Exited(Err(why)) => format!("`{name}` ended: {why}{words}"),
            End::Refused(why) => format!("`{name}` {why}"),
        }
    }

    /// What to say of a child that says nothing.
    pub(crate) fn silence(&self) -> String {
        let name = self.settings.name();
        let (doing, time) = match self.is_connected {
            true => ("", self.settings.timeout),
            false => (" to the handshake", self.settings.timeout.max(HANDSHAKE)),
        };
        format!("`{name}` has said nothing{doing} for {} s", time.as_secs_f64())
    }

    /// Whether it should have answered the handshake.
    pub(crate) fn is_late(&self) -> bool {
        let is_open = self.child.is_some() && !self.is_connected;
        is_open && self.cx.now() >= self.due()
    }

    /// When something is due while there is no child that has answered.
    pub(crate) fn due(&self) -> Duration {
        let answer = match self.child {
            Some(_) => self.settings.timeout.max(HANDSHAKE),
            None => Duration::ZERO,
        };
        self.start_at + answer
    }

    /// Waits until the child has something to say or has room, and at most until then.
    pub(crate) async fn wait(&self, until: Duration) {
        let wait = until.saturating_sub(self.cx.now());
        let wait = if self.child.is_some() { wait.min(ORPHANED) } else { wait };
        let mut alarm = pin!(self.cx.sleep(wait));
        let waits_for_room = self.child.as_ref().is_some_and(Child::is_full);
        poll_fn(|cx| {
            let news = self.child.as_ref().map(|child| child.poll_news(waits_for_room, cx));
            let is_due = alarm.as_mut().poll(cx).is_ready();
            if is_due || news.is_some_and(|news| news.is_ready()) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}
