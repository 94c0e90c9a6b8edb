//! A spout whose tuples come from a child.

use serde_json::Value as Json;
use tormenta_dsl::{
    Context, Error, Failure, Result, Spout, Streams, record::Record, spout::Routing,
};

use crate::{Records, ShellOutput, settings::Settings, spout_child::SpoutChild};

/// A spout in another language: a process that speaks Storm's multilang protocol.
///
/// Each task has a child of its own, which is asked for tuples when there is room, and told what
/// became of those that it gave an id. It emits what is declared: [`emits`](ShellSpout::emits) for
/// a type, [`output`](ShellSpout::output) for [`Record`]s, [`outputs`](ShellSpout::outputs) for
/// several streams of them.
///
/// ```
/// use tormenta_dsl::{Retry, Topology, doc::NoEngine};
/// use tormenta_multilang::ShellSpout;
///
/// let mut t = Topology::<NoEngine>::new("quotes");
/// let quotes = ShellSpout::new(["python3", "quotes.py"]).emits::<String>();
/// let quotes = t.spout("quotes", quotes).replaying(Retry::default());
/// ```
///
/// **Guarantee**: a child that gives its tuples ids hears of each whether it was acked or failed,
/// and replays what failed; or the spout is declared `.replaying(..)`, and the child need not. When
/// a child exits with an error, does not answer for [`timeout`](ShellSpout::timeout) or writes what
/// is no message, it is killed and reported and another one is started, after 10 ms, doubled up to
/// 5 s. The new one hears nothing of what the old one emitted.
///
/// What does not fit its stream is a dead letter, and acked. A tuple with the id of one that is not
/// acked is a replay.
///
/// **The end**: a child that exits with status 0 has ended, and with it this task of the spout. A
/// child that still waits for tuples of its own to be acked must not exit. When the topology is
/// drained its pipes are closed, upon which it should exit; after 200 ms it is killed.
///
/// Commands are sent in Storm's order. Those that are known are sent together, and the child is
/// asked for the next tuples while the last of those before wait to be emitted. A child that
/// emits nothing is asked again after 1 ms, then after longer and longer, up to 100 ms.
pub struct ShellSpout<O: ShellOutput = Record> {
    settings: Settings,
    running: Option<SpoutChild<O>>,
}

/// What a child calls a tuple.
#[derive(Clone, Debug, PartialEq)]
pub struct ShellId {
    /// Which child it was: one after the other they have numbers.
    pub(crate) child: u64,
    /// `None` where it does not want to hear of the tuple.
    pub(crate) id: Option<Json>,
    /// Whether a tuple of this id was emitted before, and not acked.
    pub(crate) is_replay: bool,
    /// Which tasks it goes to, and whether the child waits to be told.
    pub(crate) routing: Routing,
}

impl ShellSpout {
    /// A spout that is this program with these arguments. No shell is involved.
    ///
    /// ```
    /// let quotes = tormenta_multilang::ShellSpout::new(["python3", "quotes.py"]);
    /// ```
    #[must_use]
    pub fn new<S: Into<String>>(command: impl IntoIterator<Item = S>) -> Self {
        Self { settings: Settings::new(command), running: None }
    }

    /// Emits this type: a tuple, or what else has a [`ShellOutput`]. Its streams are declared by
    /// that, if none were before.
    ///
    /// ```
    /// let numbers = tormenta_multilang::ShellSpout::new(["python3", "n.py"]).emits::<u64>();
    /// ```
    #[must_use]
    pub fn emits<O: ShellOutput>(self) -> ShellSpout<O> {
        ShellSpout { settings: self.settings, running: None }
    }

    /// Emits several streams of records, each with a name and fields: see [`Records`].
    ///
    /// ```
    /// let both = tormenta_multilang::ShellSpout::new(["python3", "both.py"])
    ///     .outputs([("quotes", vec!["price: f64"]), ("halts", vec!["symbol"])]);
    /// ```
    #[must_use]
    pub fn outputs<const N: usize, S: Into<String>>(
        mut self,
        streams: [(&str, Vec<S>); N],
    ) -> ShellSpout<Records<N>> {
        for (stream, fields) in streams {
            self.settings.output(stream, fields);
        }
        self.emits()
    }
}

impl<O: ShellOutput> ShellSpout<O> {
    common_settings!("ShellSpout::new");
}

/// A clone has no child.
impl<O: ShellOutput> Clone for ShellSpout<O> {
    fn clone(&self) -> Self {
        Self { settings: self.settings.clone(), running: None }
    }
}

impl<O: ShellOutput> std::fmt::Debug for ShellSpout<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShellSpout").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<O: ShellOutput + Streams> Spout for ShellSpout<O> {
    type Output = O;
    type Id = ShellId;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.running = Some(SpoutChild::open(self.settings.clone(), cx).await?);
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<(O, ShellId)>> {
        let Some(running) = &mut self.running else {
            return Err(Error::msg("the spout was not prepared"));
        };
        running.next().await
    }

    fn is_replay(&self, id: &ShellId) -> bool {
        id.is_replay
    }

    fn routing(&self, id: &ShellId) -> Routing {
        id.routing
    }

    fn told(&mut self, tasks: &[usize]) {
        if let Some(running) = &mut self.running {
            running.told(tasks);
        }
    }

    fn acked(&mut self, id: ShellId) {
        if let Some(running) = &mut self.running {
            running.tell("ack", &id);
        }
    }

    fn failed(&mut self, id: ShellId, _why: Failure) {
        if let Some(running) = &mut self.running {
            running.tell("fail", &id);
        }
    }

    fn activated(&mut self) {
        if let Some(running) = &mut self.running {
            running.command("activate");
        }
    }

    fn deactivated(&mut self) {
        if let Some(running) = &mut self.running {
            running.command("deactivate");
        }
    }
}
