//! A bolt whose work is done by a child.

use std::marker::PhantomData;

use tormenta_dsl::{Bolt, Context, Emitter, Error, Free, Result, Streams, Ticket, record::Record};

use crate::{Records, ShellOutput, bolt_child::BoltChild, settings::Settings};

/// A bolt in another language: a process that speaks Storm's multilang protocol.
///
/// Each task has a child of its own, which is told its tuples by JSON over standard input and
/// answers over standard output. It reads tuples of any type, by the names and order of their
/// fields, and emits what is declared: [`emits`](ShellBolt::emits) for a type,
/// [`output`](ShellBolt::output) for [`Record`]s, [`outputs`](ShellBolt::outputs) for several
/// streams of them. A bolt that emits nothing needs none of these.
///
/// ```
/// # extern crate tormenta_dsl as tormenta;
/// use serde::{Deserialize, Serialize};
/// use tormenta_dsl::{Topology, Tuple, doc::{NoEngine, Words}};
/// use tormenta_multilang::ShellBolt;
///
/// #[derive(Tuple, Clone, Serialize, Deserialize)]
/// struct Stem { word: String, letters: u32 }
///
/// let mut t = Topology::<NoEngine>::new("stems");
/// let words = t.spout("words", Words);
/// let stem = ShellBolt::new(["python3", "stem.py"]).emits::<Stem>();
/// let stem = t.bolt("stem", stem, words.shuffle()).tasks(2);
/// let by_word = stem.by(|s| &s.word);
/// ```
///
/// **Guarantee**: at least once. A tuple is acked when the child acks it, and what the child emits
/// is anchored to what it names. A tuple that it fails, fails with the error that it has reported
/// just before. When a child exits, is silent for [`timeout`](ShellBolt::timeout)
/// or writes what is no message, it is killed and reported, every tuple that is with it fails (and
/// so is replayed by a spout that replays), and another one is started: after 10 ms, doubled up to
/// 5 s. A child that cannot be started at first is an error of the topology.
///
/// **Bounds**: tuples with a child, [`pending_max`](ShellBolt::pending_max); bytes of a message.
///
/// A tick of the bolt is a tuple of `__system` and `__tick` for the child, whose one value is the
/// whole seconds since the last one, at least 1. When the inputs have
/// ended the child has as long as `timeout` to settle what it has; after a second in which it
/// settled nothing its input is closed, upon which it should exit.
///
/// Not to be declared `concurrent`: each clone would have a child of its own. Needs real time: in a
/// `LocalCluster` nothing comes from a child.
pub struct ShellBolt<I: Streams = Record, O: ShellOutput = Record> {
    settings: Settings,
    /// Component and stream of each port.
    inputs: Vec<(String, String)>,
    pending_max: usize,
    running: Option<BoltChild<O>>,
    input: PhantomData<fn(I)>,
}

impl<I: Streams> ShellBolt<I> {
    /// A bolt that is this program with these arguments. No shell is involved.
    ///
    /// ```
    /// let split = tormenta_multilang::ShellBolt::<String>::new(["python3", "split.py"]);
    /// ```
    #[must_use]
    pub fn new<S: Into<String>>(command: impl IntoIterator<Item = S>) -> Self {
        Self {
            settings: Settings::new(command),
            inputs: Vec::new(),
            pending_max: 4_096,
            running: None,
            input: PhantomData,
        }
    }

    /// Emits this type: a tuple, or what else has a [`ShellOutput`]. Its streams are declared by
    /// that, if none were before.
    ///
    /// ```
    /// let length = tormenta_multilang::ShellBolt::<String>::new(["python3", "length.py"]);
    /// let length = length.emits::<u64>();
    /// ```
    #[must_use]
    pub fn emits<O: ShellOutput>(self) -> ShellBolt<I, O> {
        ShellBolt {
            settings: self.settings,
            inputs: self.inputs,
            pending_max: self.pending_max,
            running: None,
            input: PhantomData,
        }
    }

    /// Emits several streams of records, each with a name and fields: see [`Records`], and
    /// [`output`](ShellBolt::output) for what a field is.
    ///
    /// ```
    /// let parse = tormenta_multilang::ShellBolt::<String>::new(["python3", "parse.py"]);
    /// let parse = parse.outputs([("rows", vec!["id: u64", "name"]), ("bad", vec!["line"])]);
    /// ```
    #[must_use]
    pub fn outputs<const N: usize, S: Into<String>>(
        mut self,
        streams: [(&str, Vec<S>); N],
    ) -> ShellBolt<I, Records<N>> {
        for (stream, fields) in streams {
            self.settings.output(stream, fields);
        }
        self.emits()
    }
}

impl<I: Streams, O: ShellOutput> ShellBolt<I, O> {
    /// Where tuples come from, as the child sees it in `comp` and `stream`: once for each port of
    /// the input, in their order. Unless said, the component is the name of the type and the
    /// stream that of the port, `default` where there is one.
    ///
    /// ```
    /// let split = tormenta_multilang::ShellBolt::<String>::new(["python3", "split.py"]);
    /// let split = split.input("lines", "default");
    /// ```
    #[must_use]
    pub fn input(mut self, component: impl Into<String>, stream: impl Into<String>) -> Self {
        self.inputs.push((component.into(), stream.into()));
        self
    }

    /// Tuples that may be with a child and not settled; 4,096 unless set. Beyond that the bolt
    /// waits. A child that acks many tuples together must be allowed as many.
    ///
    /// ```
    /// let split = tormenta_multilang::ShellBolt::<String>::new(["python3", "split.py"]);
    /// let split = split.pending_max(100);
    /// ```
    #[must_use]
    pub fn pending_max(mut self, tuples: usize) -> Self {
        self.pending_max = tuples.max(1);
        self
    }

    common_settings!("ShellBolt::<String>::new");

    fn running(&mut self) -> Result<&mut BoltChild<O>> {
        self.running.as_mut().ok_or_else(|| Error::msg("the bolt was not prepared"))
    }
}

/// A clone has no child.
impl<I: Streams, O: ShellOutput> Clone for ShellBolt<I, O> {
    fn clone(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            inputs: self.inputs.clone(),
            pending_max: self.pending_max,
            running: None,
            input: PhantomData,
        }
    }
}

impl<I: Streams, O: ShellOutput> std::fmt::Debug for ShellBolt<I, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShellBolt").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<I: Streams, O: ShellOutput> Bolt for ShellBolt<I, O> {
    type Input = I;
    type Output = O;

    async fn prepare(&mut self, cx: &Context) -> Result {
        let settings = self.settings.clone();
        let child = BoltChild::open::<I>(settings, &self.inputs, self.pending_max, cx).await?;
        self.running = Some(child);
        Ok(())
    }

    async fn execute(&mut self, tuple: I, out: &Emitter<O>) -> Result {
        let running = self.running()?;
        running.make_room(out).await;
        let (id, mark) = running.write(&tuple, out).await?;
        let ticket: Ticket<O> = out.hold();
        running.give(id, mark, ticket);
        running.settle_if_finished(out).await;
        Ok(())
    }

    async fn idle(&mut self, out: &Emitter<O, Free>) -> Result {
        let running = self.running()?;
        running.work(out).await;
        running.wait().await;
        running.work(out).await;
        Ok(())
    }

    fn is_working(&self) -> bool {
        self.running.as_ref().is_some_and(BoltChild::is_working)
    }

    async fn tick(&mut self, out: &Emitter<O, Free>) -> Result {
        let running = self.running()?;
        running.work(out).await;
        running.tick();
        Ok(())
    }

    async fn finish(&mut self, out: &Emitter<O, Free>) -> Result {
        self.running()?.finish(out).await;
        Ok(())
    }
}
