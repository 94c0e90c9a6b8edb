//! The child of one task of a spout: what it has emitted, and what it has yet to answer.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use tormenta_dsl::{Context, Error, Result, spout::Routing};

use crate::{
    ShellId, ShellOutput,
    child::{End, Heard},
    fields::Outputs,
    keeper::Keeper,
    layout::Layout,
    said::{Emitted, Said},
    settings::Settings,
    tell,
};

/// While fewer tuples than this wait to be emitted, the child is asked for more.
const AHEAD: usize = 128;

/// So many may wait: what the child says beyond that stays in its pipe, and the child waits.
const WAITING_MAX: usize = 8 * AHEAD;

/// Ids that are kept, to know replays by. More are open only where nobody hears of acks.
const OPEN_MAX: usize = 1 << 20;

/// How long a child that emitted nothing is left alone.
const PAUSE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(100));

pub(crate) struct SpoutChild<O> {
    keeper: Keeper,
    /// Tuples, and what was emitted and is none, each with what it is called.
    emitted: VecDeque<(Result<O>, ShellId)>,
    /// Number of the child that emitted the last tuple that was taken.
    taken_of: u64,
    /// Task ids that were not sent yet.
    answers: Vec<u8>,
    /// Ids of tuples that were emitted and not acked, by this child or one before it.
    open: HashSet<String>,
    /// Commands that were not sent yet.
    buffer: Vec<u8>,
    commands: usize,
    /// Commands that the child has not answered, the last of which may be `next`.
    unanswered: usize,
    is_asked: bool,
    /// Whether it has emitted something since it was asked.
    has_emitted: bool,
    pause: Duration,
    ask_at: Duration,
    /// When the child last said something, or had nothing to answer.
    heard: Duration,
    /// Number of the child.
    number: u64,
    /// Whether it was not told to begin.
    is_new: bool,
    has_ended: bool,
}

impl<O: ShellOutput> SpoutChild<O> {
    pub(crate) async fn open(settings: Settings, cx: &Context) -> Result<Self> {
        let outputs = Outputs::new::<O>(&settings.outputs)?;
        let mut keeper = Keeper::new(settings, cx, outputs, Vec::new());
        keeper.open().await?;
        Ok(Self {
            keeper,
            emitted: VecDeque::new(),
            taken_of: 0,
            answers: Vec::new(),
            open: HashSet::new(),
            buffer: Vec::new(),
            commands: 0,
            unanswered: 0,
            is_asked: false,
            has_emitted: false,
            pause: PAUSE.0,
            ask_at: Duration::ZERO,
            heard: cx.now(),
            number: 0,
            is_new: true,
            has_ended: false,
        })
    }

    /// The next tuple. Nothing is lost if the caller stops waiting.
    pub(crate) async fn next(&mut self) -> Result<Option<(O, ShellId)>> {
        loop {
            if self.emitted.len() < AHEAD && self.keeper.has_news() {
                self.work();
            }
            if !self.has_ended && self.emitted.len() < AHEAD {
                self.ask();
            }
            if let Some((value, id)) = self.emitted.pop_front() {
                self.taken_of = id.child;
                if value.is_err() && id.routing == Routing::Told {
                    self.told(&[]); // it waits for some answer, and in this order
                }
                return value.map(|value| Some((value, id)));
            }
            if self.has_ended {
                return Ok(None);
            }
            self.wait().await;
        }
    }

    /// Tells the child what became of a tuple that it gave an id.
    pub(crate) fn tell(&mut self, command: &str, id: &ShellId) {
        if let (Some(id), "ack") = (&id.id, command) {
            self.open.remove(&id.to_string());
        }
        if id.child == self.number && id.id.is_some() && !self.keeper.is_gone() {
            tell::command(&mut self.buffer, command, id.id.as_ref());
            self.commands += 1;
        } else if command == "fail" && id.id.is_some() {
            // Who emitted it is gone, and nobody else can replay it.
            self.keeper.cx.counter("failed_without_child").add(1);
        }
    }

    /// Tells the child which tasks got the tuple that was taken last.
    pub(crate) fn told(&mut self, tasks: &[usize]) {
        self.heard = self.keeper.cx.now(); // until now it was not its turn
        if let Some(child) = self.keeper.child()
            && self.taken_of == self.number
        {
            tell::task_ids(&mut self.answers, tasks);
            if !child.answer(&mut self.answers) {
                let name = self.keeper.settings.name();
                self.lose(format!(
                    "`{name}` asks for task ids and does not read them: emit with `need_task_ids` \
                     false, or read the answers"
                ));
            }
        }
    }

    /// Sends a command at once: the child may not be asked for anything for a while.
    pub(crate) fn command(&mut self, command: &str) {
        if self.keeper.child().is_some() {
            tell::command(&mut self.buffer, command, None);
            self.commands += 1;
            self.send();
        }
    }

    /// Asks for tuples when all that was asked before is answered and the pause is over. What
    /// became of others is told along with it, or alone.
    fn ask(&mut self) {
        if self.keeper.child().is_none() || self.unanswered > 0 {
            return;
        }
        if std::mem::take(&mut self.is_new) {
            tell::command(&mut self.buffer, "activate", None);
            self.commands += 1;
        }
        if self.keeper.cx.now() >= self.ask_at {
            tell::command(&mut self.buffer, "next", None);
            self.commands += 1;
            (self.is_asked, self.has_emitted) = (true, false);
        }
        self.send();
    }

    fn send(&mut self) {
        if let Some(child) = self.keeper.child()
            && self.commands > 0
        {
            if self.unanswered == 0 {
                self.heard = self.keeper.cx.now();
            }
            child.send(&mut self.buffer);
            self.unanswered += std::mem::take(&mut self.commands);
        }
    }

    /// Takes in what the child has said so far.
    fn work(&mut self) {
        self.heard = self.keeper.cx.now();
        while self.emitted.len() < WAITING_MAX
            && let Some(heard) = self.keeper.next()
        {
            match heard {
                Heard::End(end) => self.ended(&end),
                Heard::Said(said) => match self.keeper.obey(said) {
                    Some(Said::Emit(emitted)) => self.emit(*emitted),
                    Some(Said::Sync) => self.answered(),
                    Some(Said::Ack(_) | Said::Fail(..)) => {
                        let name = self.keeper.settings.name();
                        self.lose(format!("`{name}` acked or failed, which a spout cannot"));
                    }
                    _ => {}
                },
            }
        }
    }

    fn emit(&mut self, emitted: Emitted) {
        let asks = emitted.asks_for_task_ids();
        let Emitted { stream, values, id, task, .. } = emitted;
        let (outputs, layout) = (&self.keeper.outputs, Layout::of(&self.keeper.cx));
        let mut routing = if asks { Routing::Told } else { Routing::Grouped };
        let value = outputs.record(stream.as_deref(), values).and_then(|(port, record)| {
            if let Some(task) = task {
                routing = Routing::Only(layout.direct(port, outputs.name(port), task)?);
            }
            O::from_record(port, record).map_err(|why| why.to_string())
        });
        if self.open.len() >= OPEN_MAX {
            self.open.clear();
        }
        let is_replay = id.as_ref().is_some_and(|id| !self.open.insert(id.to_string()));
        let id = ShellId { child: self.number, id, is_replay, routing };
        self.has_emitted = true;
        match value {
            Ok(value) => self.emitted.push_back((Ok(value), id)),
            Err(why) => {
                let name = self.keeper.settings.name();
                let why = format!("`{name}` emitted what does not fit: {why}");
                self.tell("ack", &id); // as the engine does with what is given up
                self.emitted.push_back((Err(Error::poison(why)), id));
            }
        }
    }

    fn answered(&mut self) {
        self.unanswered = self.unanswered.saturating_sub(1);
        if self.unanswered > 0 || !std::mem::take(&mut self.is_asked) {
            return;
        }
        if self.has_emitted {
            self.pause = PAUSE.0;
            return;
        }
        self.ask_at = self.keeper.cx.now() + self.pause;
        self.pause = (self.pause * 2).min(PAUSE.1);
    }

    fn ended(&mut self, end: &End) {
        if self.keeper.is_well(end) {
            self.has_ended = true;
            self.keeper.part();
        } else {
            self.lose(self.keeper.farewell(end));
        }
    }

    fn lose(&mut self, why: String) {
        let told = self.keeper.lose(why);
        self.keeper.cx.report(&Error::msg(told));
        self.buffer.clear();
        self.answers.clear();
        (self.commands, self.unanswered, self.is_asked) = (0, 0, false);
        self.number += 1;
        self.is_new = true;
    }

    async fn wait(&mut self) {
        if self.keeper.start_again() {
            self.pause = PAUSE.0;
            self.ask_at = Duration::ZERO;
        }
        if self.keeper.has_news() {
            return;
        }
        if let Some(end) = self.keeper.left_behind() {
            return self.ended(&end);
        }
        let now = self.keeper.cx.now();
        let silent_until = self.heard + self.keeper.settings.timeout;
        if self.keeper.is_late() || self.unanswered > 0 && now >= silent_until {
            return self.lose(self.keeper.silence());
        }
        let until = match self.keeper.child() {
            None => self.keeper.due(),
            Some(_) if self.unanswered > 0 => silent_until,
            Some(_) => self.ask_at,
        };
        self.keeper.wait(until).await;
    }
}
