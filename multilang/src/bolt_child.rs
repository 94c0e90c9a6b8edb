//! The child of one task of a bolt, and the tuples that are with it.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use tormenta_dsl::{Context, EmitFor, Emitter, Error, Free, Result, Streams, Ticket};

use crate::{
    ShellOutput,
    child::{End, Heard},
    convert::record_of,
    fields::Outputs,
    keeper::Keeper,
    layout::Layout,
    said::{Emitted, Said},
    session::{Beat, Broken, Given, Session},
    settings::Settings,
    suspects::{Mark, Suspects},
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
    /// Task ids that it has asked for, and those of the tuple at hand.
    answers: Vec<u8>,
    told: Vec<usize>,
    /// A tuple waits until the child has got past those that it has.
    is_cautious: bool,
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
        let session = Session::new(settings.timeout, Suspects::of(cx));
        let mut keeper = Keeper::new(settings, cx, outputs, Origin::of_ports::<I>(inputs, cx));
        keeper.open().await?;
        let now = cx.now();
        let mut new = Self {
            keeper,
            session,
            buffer: Vec::new(),
            answers: Vec::new(),
            told: Vec::new(),
            is_cautious: false,
            pending_max,
            worked_at: now,
            ticked_at: now,
            finished: false,
        };
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
        let may = self.session.len() < self.pending_max && !self.session.is_watching();
        may && self.keeper.child().is_some_and(|child| !child.is_full())
    }

    /// Writes a tuple, to be given to the child: once it has got past all others, if the tuple was
    /// with one that died.
    pub(crate) async fn write<I, A>(
        &mut self,
        tuple: &I,
        out: &Emitter<O, A>,
    ) -> Result<(u64, Mark)>
    where
        I: Streams,
    {
        let record = record_of(tuple).map_err(Error::poison)?;
        let id = self.session.id();
        let Some(origin) = self.keeper.origins.get(tuple.port()) else {
            return Err(Error::msg("the tuple is on a port that its type does not have"));
        };
        let begin = self.buffer.len();
        let mark = tell::tuple(&mut self.buffer, id, origin, record.values())?;
        if !self.session.may_give(mark) {
            let tuple = self.buffer.split_off(begin);
            self.is_cautious = true;
            while !(self.session.may_give(mark) && self.has_room()) {
                self.wait().await;
                self.work(out).await;
            }
            self.is_cautious = false;
            self.buffer.extend_from_slice(&tuple);
        }
        Ok((id, mark))
    }

    /// The tuple that was written is with the child from now on.
    pub(crate) fn give(&mut self, id: u64, mark: Mark, ticket: Ticket<O>) {
        self.session.give(id, mark, ticket);
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
            if !self.keeper.has_heard() {
                self.answer();
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
        let asks = emitted.asks_for_task_ids();
        let Emitted { stream, values, anchors, task, .. } = emitted;
        let now = self.now();
        let held = self.session.anchors(&anchors)?;
        if !held.is_empty() {
            self.worked_at = now;
        }
        self.told.clear();
        let layout = Layout::of(&self.keeper.cx);
        let value = self.keeper.outputs.record(stream.as_deref(), values).and_then(|value| {
            let (port, record) = value;
            let name = self.keeper.outputs.name(port);
            let only = task.map(|task| layout.direct(port, name, task)).transpose()?;
            Ok((only, O::from_record(port, record).map_err(|why| why.to_string())?))
        });
        let emitted = match value {
            Ok((None, value)) if asks => {
                let emit = out.emit_told(held, value, &mut self.told);
                tell::task_ids(&mut self.answers, &self.told);
                self.answer_and_wait(emit).await
            }
            Ok((None, value)) if held.is_empty() => out.emit_free(value).await,
            Ok((None, value)) => out.emit_for(held, value).await,
            Ok((Some(task), value)) => out.emit_only(held, task, value).await,
            Err(why) => {
                if asks {
                    tell::task_ids(&mut self.answers, &[]); // it waits for some answer
                }
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

    /// Waits for the readers. If they have no room, the child has its answers before.
    async fn answer_and_wait(&mut self, emit: EmitFor<'_, O>) -> Result {
        let mut emit = pin!(emit);
        if let Poll::Ready(emitted) = poll_fn(|cx| Poll::Ready(emit.as_mut().poll(cx))).await {
            return emitted;
        }
        self.answer();
        emit.await
    }

    /// Sends the task ids that the child waits for.
    fn answer(&mut self) {
        if self.answers.is_empty() {
            return;
        }
        let reads = self.keeper.child().is_none_or(|child| child.answer(&mut self.answers));
        self.answers.clear();
        if !reads {
            let name = self.keeper.settings.name();
            self.lose(format!(
                "`{name}` asks for task ids and does not read them: emit with `need_task_ids` \
                 false, or read the answers"
            ));
        }
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
        let tickets = self.session.lose();
        self.buffer.clear();
        self.answers.clear();
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
            // The next tuple waits for the answer.
            Beat::Wait(_) if self.is_careful() && self.session.may_ask() => Beat::Send,
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

    /// Whether somebody waits until the child has got past what it has.
    fn is_careful(&self) -> bool {
        self.is_cautious || self.session.is_watching()
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
