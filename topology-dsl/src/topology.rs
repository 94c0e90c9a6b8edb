//! The builder: declares components and edges, typed.

use std::{
    cell::RefCell,
    marker::PhantomData,
    ops::Deref,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    Bolt, Concurrency, Edge, IntoEdges, Plan, Retry, Settings, Source, Spout, Stream, Streams,
    engine::{Component, Engine},
    plan::{ComponentKind, Draft, DraftComponent, DraftEdge, PlanErrors},
};

/// A topology under construction: spouts, bolts and the edges between them.
///
/// ```
/// # use tormenta_dsl::{doc::*, Topology};
/// let mut t = Topology::<NoEngine>::new("word-count");
/// let words = t.spout("words", Words);
/// let count = t.bolt("count", Count::default(), words.by(|w| &w.word)).tasks(4);
/// let plan = t.plan().expect("the topology is sound");
/// assert_eq!(plan.components.len(), 2);
/// ```
///
/// A sub-topology is a function that takes `&mut Topology` and streams, and returns streams.
pub struct Topology<E: Engine> {
    shared: Rc<RefCell<Declared<E>>>,
    /// Put in front of the names of components, by [`scope`](Topology::scope).
    prefix: String,
}

struct Declared<E: Engine> {
    /// Tells this topology's handles from those of another.
    id: u64,
    components: Vec<Component<E>>,
    draft: Draft,
}

impl<E: Engine> Topology<E> {
    /// An empty topology.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let draft = Draft { name: name.into(), topology: id, ..Draft::default() };
        let declared = Declared { id, components: Vec::new(), draft };
        Self { shared: Rc::new(RefCell::new(declared)), prefix: String::new() }
    }

    /// Declares a spout. Its streams are the fields of what is returned.
    pub fn spout<S: Spout>(&mut self, name: &str, spout: S) -> SpoutHandle<S::Output, E> {
        let task = E::spout(spout);
        let kind = ComponentKind::Spout;
        let index = self.declare::<S::Output>(name, kind, std::any::type_name::<S>(), task);
        SpoutHandle(self.handle(index))
    }

    /// Declares a bolt and what it reads. Its streams are the fields of what is returned.
    pub fn bolt<B, R>(&mut self, name: &str, bolt: B, reads: R) -> BoltHandle<B::Output, E>
    where
        B: Bolt,
        R: IntoEdges<Input = B::Input>,
    {
        let edges = reads.into_edges();
        let target = self.shared.borrow().components.len();
        let drafts: Vec<DraftEdge> = edges.iter().map(|edge| draft_edge(edge, target)).collect();
        let retry = bolt.retry();
        let task = E::bolt(bolt, edges);
        let kind = ComponentKind::Bolt;
        let index = self.declare::<B::Output>(name, kind, std::any::type_name::<B>(), task);
        let mut declared = self.shared.borrow_mut();
        declared.components[index].settings.retry = retry;
        declared.draft.edges.extend(drafts);
        drop(declared);
        BoltHandle(self.handle(index))
    }

    /// A stream whose source is declared later: the way to close a loop.
    ///
    /// Feedback is served before other input and is bounded: a tuple that does not fit fails its
    /// tree with `Overflow`, so that a loop never hangs.
    ///
    /// ```
    /// # use tormenta_dsl::{doc::*, Topology};
    /// # let mut t = Topology::<NoEngine>::new("demo");
    /// # let words = t.spout("words", Words);
    /// let again = t.feedback::<Word>("again");
    /// let keep = t.bolt("keep", Keep, [
    ///     words.shuffle().to(In::Word),
    ///     again.shuffle().to(In::Stop),
    /// ]);
    /// again.from(&keep);
    /// ```
    pub fn feedback<T: Clone + Send + 'static>(&mut self, name: &str) -> Feedback<T, E> {
        let mut declared = self.shared.borrow_mut();
        let source = Source {
            topology: declared.id,
            component: declared.draft.feedback.len(),
            feedback: true,
        };
        declared.draft.feedback.push((self.full_name(name), None));
        Feedback { stream: Stream::new(source, 0), shared: self.shared.clone() }
    }

    /// Declares a part of the topology under a prefix: component `parse` becomes `eu/parse`.
    pub fn scope<R>(&mut self, prefix: &str, declare: impl FnOnce(&mut Self) -> R) -> R {
        let prefix = format!("{}{prefix}/", self.prefix);
        declare(&mut Self { shared: self.shared.clone(), prefix })
    }

    /// A setting that every component can read, unless it has its own of that name.
    pub fn config(&mut self, key: &str, value: impl ToString) -> &mut Self {
        let mut declared = self.shared.borrow_mut();
        declared.draft.config.insert(key.to_owned(), value.to_string());
        drop(declared);
        self
    }

    /// Name of the topology.
    #[must_use]
    pub fn name(&self) -> String {
        self.shared.borrow().draft.name.clone()
    }

    /// Checks the topology and returns its plan.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn plan(&self) -> Result<Plan, PlanErrors> {
        let declared = self.shared.borrow();
        let settings = declared.components.iter().map(|component| component.settings.clone());
        Plan::validate(&declared.draft, settings.collect())
    }

    /// For engines: the plan, and the components in its order.
    ///
    /// # Errors
    /// As [`plan`](Topology::plan).
    pub fn into_parts(self) -> Result<(Plan, Vec<Component<E>>), PlanErrors> {
        let plan = self.plan()?;
        let components = std::mem::take(&mut self.shared.borrow_mut().components);
        Ok((plan, components))
    }

    fn full_name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn declare<O: Streams>(
        &mut self,
        name: &str,
        kind: ComponentKind,
        type_name: &'static str,
        task: E::Task,
    ) -> usize {
        let name: Arc<str> = self.full_name(name).into();
        let mut declared = self.shared.borrow_mut();
        declared.draft.components.push(DraftComponent {
            name: name.clone(),
            kind,
            type_name,
            ports: O::infos(),
        });
        declared.components.push(Component { name, settings: Settings::default(), task });
        declared.components.len() - 1
    }

    fn handle<O: Streams>(&self, index: usize) -> Handle<O, E> {
        let topology = self.shared.borrow().id;
        let source = Source { topology, component: index, feedback: false };
        Handle { ports: O::ports(source), index, shared: self.shared.clone(), kind: PhantomData }
    }
}

fn draft_edge<I>(edge: &Edge<I>, target: usize) -> DraftEdge {
    DraftEdge {
        source: edge.source,
        port: edge.port,
        target,
        kind: edge.kind,
        custom: edge.custom,
        type_name: edge.type_name,
    }
}

/// A stream whose source is named later. See [`Topology::feedback`].
pub struct Feedback<T, E: Engine> {
    stream: Stream<T>,
    shared: Rc<RefCell<Declared<E>>>,
}

impl<T, E: Engine> Feedback<T, E> {
    /// Names the stream that is fed back.
    pub fn from(self, stream: &Stream<T>) {
        let mut declared = self.shared.borrow_mut();
        let index = self.stream.source().component;
        declared.draft.feedback[index].1 = Some((stream.source(), stream.port()));
    }
}

impl<T, E: Engine> Deref for Feedback<T, E> {
    type Target = Stream<T>;

    fn deref(&self) -> &Stream<T> {
        &self.stream
    }
}

struct Handle<O: Streams, E: Engine> {
    ports: O::Ports,
    index: usize,
    shared: Rc<RefCell<Declared<E>>>,
    kind: PhantomData<O>,
}

impl<O: Streams, E: Engine> Handle<O, E> {
    fn set(self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.shared.borrow_mut().components[self.index].settings);
        self
    }

    fn rename(self, name: String) -> Self {
        let name: Arc<str> = name.into();
        let mut declared = self.shared.borrow_mut();
        declared.components[self.index].name = name.clone();
        declared.draft.components[self.index].name = name;
        drop(declared);
        self
    }
}

/// A declared spout: its settings, and its streams as fields.
pub struct SpoutHandle<O: Streams, E: Engine>(Handle<O, E>);

/// A declared bolt: its settings, and its streams as fields.
pub struct BoltHandle<O: Streams, E: Engine>(Handle<O, E>);

macro_rules! common_settings {
    ($handle:ident) => {
        impl<O: Streams, E: Engine> $handle<O, E> {
            /// Number of tasks. One unless set.
            pub fn tasks(self, tasks: usize) -> Self {
                self.set(|s| s.tasks = tasks)
            }

            /// A name other than the declared one, for components that are declared in a loop.
            /// No scope is put in front of it.
            pub fn named(self, name: impl Into<String>) -> Self {
                Self(self.0.rename(name.into()))
            }

            /// A setting that the component reads through `Context::config`.
            pub fn config(self, key: &str, value: impl ToString) -> Self {
                self.set(|s| {
                    s.config.insert(key.to_owned(), value.to_string());
                })
            }

            /// Gives every task a thread of its own, because its code blocks.
            pub fn blocking(self) -> Self {
                self.set(|s| s.blocking = true)
            }

            /// Whether the planner may run the component inside another one's loop. Yes unless
            /// set; fused and unfused differ in speed only.
            pub fn fuse(self, fuse: bool) -> Self {
                self.set(|s| s.fuse = fuse)
            }

            fn set(self, change: impl FnOnce(&mut Settings)) -> Self {
                Self(self.0.set(change))
            }
        }

        impl<O: Streams, E: Engine> Deref for $handle<O, E> {
            type Target = O::Ports;

            fn deref(&self) -> &O::Ports {
                &self.0.ports
            }
        }
    };
}

common_settings!(SpoutHandle);
common_settings!(BoltHandle);

impl<O: Streams, E: Engine> SpoutHandle<O, E> {
    /// Keeps a copy of each tuple until its tree completes, and replays it when the tree fails.
    pub fn replaying(self, retry: Retry) -> Self {
        self.set(|s| s.retry = Some(retry))
    }

    /// Does not track the tuples: at most once, and free.
    pub fn untracked(self) -> Self {
        self.set(|s| s.tracked = false)
    }

    /// Trees that one task may have pending; 65,536 unless set.
    pub fn pending_max(self, trees: usize) -> Self {
        self.set(|s| s.pending_max = trees)
    }

    /// Fails a tree that is older than this, whatever its progress. Off unless set, because
    /// waiting under back-pressure is not failure: what is lost is found without it.
    pub fn message_timeout(self, timeout: Duration) -> Self {
        self.set(|s| s.message_timeout = Some(timeout))
    }
}

impl<O: Streams, E: Engine> BoltHandle<O, E> {
    /// Emits [results](crate::Emitter::emit_result) that fail again. For bolts that emit some: they
    /// have a [`retry`](crate::Bolt::retry) of their own, which this replaces.
    pub fn replaying(self, retry: Retry) -> Self {
        self.set(|s| s.retry = Some(retry))
    }

    /// Calls `Bolt::tick` at this interval.
    pub fn tick(self, interval: Duration) -> Self {
        self.set(|s| s.tick = Some(interval))
    }

    /// Executes up to `n` tuples of a task at the same time, each on a clone of the bolt; their
    /// outputs leave in the order of the inputs. For bolts that wait and keep no state.
    pub fn concurrent(self, n: usize) -> Self {
        self.set(|s| s.concurrency = Concurrency::Ordered(n))
    }

    /// As [`concurrent`](BoltHandle::concurrent), but outputs leave as they come.
    pub fn concurrent_unordered(self, n: usize) -> Self {
        self.set(|s| s.concurrency = Concurrency::Unordered(n))
    }

    /// Fails a tuple whose execute lasts longer than this and restarts the task; 30 s unless set.
    pub fn execute_timeout(self, timeout: Duration) -> Self {
        self.set(|s| s.execute_timeout = Some(timeout))
    }

    /// Fails a tuple that is held longer than this without a touch. Off unless set.
    pub fn hold_timeout(self, timeout: Duration) -> Self {
        self.set(|s| s.hold_timeout = Some(timeout))
    }
}
