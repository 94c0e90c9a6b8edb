//! The child of one task of a bolt, and the tuples that are with it.

use std::time::Duration;

use tormenta_dsl::{Context, Emitter, Error, Free, Result, Streams, Ticket};

use crate::{
    ShellOutput,
    child::{End, Heard},
    convert::record_of,
    fields::Outputs,
    keeper::Keeper,
    said::{Emitted, Said},
    session::{Beat, Broken, Given, Session},
    settings::Settings,
    tell::{self, Origin},
};

/// Bytes that are collected before they are handed over, while the task does not wait.
const FLUSH_BYTES: usize = 32 << 10;

/// How long a child that has read everything may keep its tuples without settling any, until it is
/// taken for one that waits for more.
const LINGER: Duration = Duration::from_secs(1);

pub(crate) struct BoltChild<O: ShellOutput> {
    keeper: Keeper,
    session: Session<Ticket<O>>,
    /// What the child is told next.
    buffer: Vec<u8>,
    pending_max: usize,
    /// When it last did something for a tuple.
    worked_at: Duration,
    /// When it was told a tick, or opened.
    ticked_at: Duration,
    finished: bool,
}

impl<O: ShellOutput> BoltChild<O> {
    pub(crate) async fn open<I: Streams>(
        settings: Settings,
        inputs: &[(String, String)],
        pending_max: usize,
        cx: &Context,
    ) -> Result<Self> {
        let outputs = Outputs::new::<O>(&settings.outputs)?;
        let session = Session::new(settings.timeout);
        let mut keeper = Keeper::new(settings, cx, outputs, Origin::of_ports::<I>(inputs));
        keeper.open().await?;
        let (buffer, now) = (Vec::new(), cx.now());
        let (worked_at, ticked_at, finished) = (now, now, false);
        let mut new = Self { keeper, session, buffer, pending_max, worked_at, ticked_at, finished };
        new.session.begin(now);
        Ok(new)
    }

    fn now(&self) -> Duration {
        self.keeper.cx.now()
    }

    /// Waits until there is a child that can be given a tuple.
    pub(crate) async fn make_room<A>(&mut self, out: &Emitter<O, A>) {
        self.work(out).await;
        while !self.has_room() {
            self.wait().await;
            self.work(out).await;
        }
    }

    fn has_room(&self) -> bool {
        let may = self.session.len() < self.pending_max;
        may && self.keeper.child().is_some_and(|child| !child.is_full())
    }

    /// Writes a tuple, to be given to the child.
    pub(crate) fn write<I: Streams>(&mut self, tuple: &I) -> Result<u64> {
        let record = record_of(tuple).map_err(Error::poison)?;
        let id = self.session.id();
        let Some(origin) = self.keeper.origins.get(tuple.port()) else {
            return Err(Error::msg("the tuple is on a port that its type does not have"));
        };
        tell::tuple(&mut self.buffer, id, origin, record.values())?;
        Ok(id)
    }

    /// The tuple that was written is with the child from now on.
    pub(crate) fn give(&mut self, id: u64, ticket: Ticket<O>) {
        self.session.give(id, ticket);
        self.worked_at = self.now();
        if self.buffer.len() >= FLUSH_BYTES {
            self.flush();
        }
    }

    pub(crate) fn tick(&mut self) {
        if self.keeper.child().is_some() {
            let (id, now) = (self.session.id(), self.now());
            tell::tick(&mut self.buffer, id, now.saturating_sub(self.ticked_at));
            self.ticked_at = now;
            self.session.give_tick(id);
            self.flush();
        }
    }

    fn flush(&mut self) {
        if let Some(child) = self.keeper.child()
            && !self.buffer.is_empty()
        {
            child.send(&mut self.buffer);
        }
    }

    /// Does everything that the child has asked for so far.
    pub(crate) async fn work<A>(&mut self, out: &Emitter<O, A>) {
        if !self.keeper.has_news() {
            return;
        }
        self.session.hear(self.now());
        while let Some(heard) = self.keeper.next() {
            let lost = match heard {
                Heard::End(end) => self.ended(&end),
                Heard::Said(said) => match self.keeper.obey(said) {
                    Some(said) => self.obey(said, out).await.err().map(|why| self.broken(&why)),
                    None => None,
                },
            };
            if let Some(why) = lost {
                self.lose(why);
            }
        }
        // Readers may have kept it waiting meanwhile, and so the child.
        self.session.hear(self.now());
    }

    async fn obey<A>(&mut self, said: Said, out: &Emitter<O, A>) -> Result<(), Broken> {
        match said {
            Said::Emit(emitted) => self.emit(*emitted, out).await?,
            Said::Ack(id) => {
                self.keeper.forgive();
                if let Some(ticket) = self.settle(id)? {
                    ticket.ack();
                }
            }
            Said::Fail(id, why) => {
                let why = self.keeper.blame(why.as_deref());
                if let Some(ticket) = self.settle(id)? {
                    ticket.fail(why);
                }
            }
            _ => self.session.answer(),
        }
        Ok(())
    }

    fn settle(&mut self, id: u64) -> Result<Option<Ticket<O>>, Broken> {
        let given = self.session.settle(id)?;
        if !matches!(given, Given::Free) {
            self.worked_at = self.now();
        }
        Ok(match given {
            Given::Held(ticket) => Some(ticket),
            Given::Free | Given::Failed => None,
        })
    }

    async fn emit<A>(&mut self, emitted: Emitted, out: &Emitter<O, A>) -> Result<(), Broken> {
        let Emitted { stream, values, anchors, task, .. } = emitted;
        let now = self.now();
        let held = self.session.anchors(&anchors)?;
        if !held.is_empty() {
            self.worked_at = now;
        }
        let value = match task {
            Some(task) => Err(format!(
                "it emits to task {task} alone, which a child cannot: group by a field instead"
            )),
            None => self.keeper.outputs.record(stream.as_deref(), values).and_then(|value| {
                let (port, record) = value;
                O::from_record(port, record).map_err(|why| why.to_string())
            }),
        };
        let emitted = match value {
            Ok(value) if held.is_empty() => out.emit_free(value).await,
            Ok(value) => out.emit_for(held, value).await,
            Err(why) => {
                let why =
                    format!("`{}` emitted what does not fit: {why}", self.keeper.settings.name());
                for ticket in self.session.fail(&anchors) {
                    ticket.fail(&why);
                }
                Err(Error::msg(why))
            }
        };
        if let Err(why) = emitted {
            self.keeper.cx.report(&why);
        }
        Ok(())
    }

    fn broken(&self, why: &Broken) -> String {
        format!("`{}` {why}", self.keeper.settings.name())
    }

    /// The child has ended. Says why, unless that is as it should be.
    fn ended(&mut self, end: &End) -> Option<String> {
        if self.finished && matches!(end, End::Exited(_)) {
            let why = self.keeper.farewell(end);
            if !matches!(end, End::Exited(Ok(status)) if status.success()) {
                self.keeper.cx.report(&Error::msg(&why));
            }
            self.keeper.part();
            for ticket in self.session.end() {
                ticket.fail(format_args!("{why} and has not acked it"));
            }
            return None;
        }
        Some(self.keeper.farewell(end))
    }

    /// The child is of no use any more: what is with it fails.
    fn lose(&mut self, why: String) {
        let tickets = self.session.end();
        self.buffer.clear();
        let told = self.keeper.lose(why.clone());
        let told = format!("{told}; {} tuples were with it, and fail", tickets.len());
        self.keeper.cx.report(&Error::msg(told));
        for ticket in tickets {
            ticket.fail(&why);
        }
    }

    /// Waits for the child to say something, and looks after it while it does not.
    pub(crate) async fn wait(&mut self) {
        self.flush();
        if self.keeper.start_again() {
            self.session.begin(self.now());
        }
        if self.keeper.has_news() {
            return;
        }
        if let Some(end) = self.keeper.left_behind() {
            if let Some(why) = self.ended(&end) {
                self.lose(why);
            }
            return;
        }
        if self.keeper.is_late() {
            return self.lose(self.keeper.silence());
        }
        let Some(child) = self.keeper.child() else {
            return self.keeper.wait(self.keeper.due()).await;
        };
        let now = self.now();
        let rests_at = self.worked_at + LINGER;
        let beat = match self.session.beat(now) {
            // A child that answers ticks is not silent, and may have read nothing else.
            Beat::Wait(_) if now >= rests_at && self.session.may_ask() => Beat::Send,
            beat => beat,
        };
        match beat {
            Beat::Wait(until) => {
                let rests_soon = self.session.len() > 0 && rests_at > now;
                let until = if rests_soon { until.min(rests_at) } else { until };
                self.keeper.wait(until).await;
            }
            Beat::Hung => self.lose(self.keeper.silence()),
            Beat::Send => {
                tell::heartbeat(&mut self.buffer, self.session.id());
                child.send(&mut self.buffer);
                self.session.ask(now);
            }
        }
    }

    /// The inputs have ended: waits until the child has settled everything, and lets it go.
    pub(crate) async fn finish(&mut self, out: &Emitter<O, Free>) {
        self.finished = true;
        while self.is_working() {
            self.wait().await;
            self.work(out).await;
        }
        self.flush();
        self.keeper.close();
        while !self.keeper.is_gone() {
            self.wait().await;
            self.work(out).await;
        }
    }

    /// Whether the child is at work on what it has. A child that keeps its tuples for later is not.
    pub(crate) fn is_working(&self) -> bool {
        let is_resting = self.session.has_read_all() && self.now() >= self.worked_at + LINGER;
        self.session.len() > 0 && !is_resting
    }

    /// What comes after the finish is a replay: there is no other moment to wait for it.
    pub(crate) async fn settle_if_finished<A>(&mut self, out: &Emitter<O, A>) {
        while self.finished && self.is_working() {
            self.wait().await;
            self.work(out).await;
        }
    }
}
