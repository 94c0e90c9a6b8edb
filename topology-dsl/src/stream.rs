//! Typed handles of streams, and the edges made from them.

use std::{marker::PhantomData, sync::Arc};

use crate::{
    Key, KeyHasher,
    engine::{Lanes, Router},
    grouping::{Choose, Grouping, Kind, Routed},
};

/// Which port of which component of which topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source {
    /// Number of the topology, so that handles cannot stray.
    pub topology: u64,
    /// Index of the component, or of the feedback stream.
    pub component: usize,
    /// Whether `component` counts feedback streams.
    pub feedback: bool,
}

/// A stream of `T`: what a bolt can read once a grouping says which task gets which tuple.
///
/// ```
/// # use tormenta_dsl::{doc::*, Topology};
/// # let mut t = Topology::<NoEngine>::new("demo");
/// # let words = t.spout("words", Words);
/// let counts = t.bolt("count", Count::default(), words.by(|w| &w.word)).tasks(4);
/// ```
pub struct Stream<T> {
    source: Source,
    port: usize,
    tuple: PhantomData<fn() -> T>,
}

impl<T> Clone for Stream<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Stream<T> {}

impl<T> std::fmt::Debug for Stream<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stream<{}>({:?}.{})", std::any::type_name::<T>(), self.source, self.port)
    }
}

impl<T> Stream<T> {
    /// Where the stream comes from.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// The port of its source.
    #[must_use]
    pub fn port(&self) -> usize {
        self.port
    }
}

impl<T: Clone + Send + 'static> Stream<T> {
    /// The stream that leaves `source` through `port`. Made by `derive(Streams)`.
    #[must_use]
    pub fn new(source: Source, port: usize) -> Self {
        Self { source, port, tuple: PhantomData }
    }

    /// Any task, evenly, those with the shorter queue first.
    pub fn shuffle(&self) -> Edge<T> {
        self.edge(Kind::Shuffle, None, || Choose::Shuffle)
    }

    /// Any task; says that the author does not care. The planner keeps the tuple where it is.
    pub fn none(&self) -> Edge<T> {
        self.edge(Kind::None, None, || Choose::LocalOrShuffle)
    }

    /// Any task of the same worker, or any task where there is none.
    pub fn local_or_shuffle(&self) -> Edge<T> {
        self.edge(Kind::LocalOrShuffle, None, || Choose::LocalOrShuffle)
    }

    /// The same task for the same key: `words.by(|w| &w.word)`.
    pub fn by<K, F>(&self, key: F) -> Edge<T>
    where
        K: Key + ?Sized,
        F: Fn(&T) -> &K + Clone + Send + Sync + 'static,
    {
        self.by_key(move |tuple, hasher| {
            hasher.add(key(tuple));
        })
    }

    /// The same task for the same composite or computed key:
    /// `swipes.by_key(|s, key| { key.add(&s.card).add(&(s.at / 3600)); })`.
    pub fn by_key<F>(&self, key: F) -> Edge<T>
    where
        F: Fn(&T, &mut KeyHasher) + Clone + Send + Sync + 'static,
    {
        self.edge(Kind::By, None, move || Choose::By(Box::new(key.clone())))
    }

    /// One of two tasks for the same key, whichever has had less: for keys so skewed that one
    /// task cannot bear the hottest of them. What the two count must be merged further down.
    pub fn partial_by<K, F>(&self, key: F) -> Edge<T>
    where
        K: Key + ?Sized,
        F: Fn(&T) -> &K + Clone + Send + Sync + 'static,
    {
        self.partial_by_key(move |tuple, hasher| {
            hasher.add(key(tuple));
        })
    }

    /// One of two tasks for the same composite or computed key, see
    /// [`partial_by`](Stream::partial_by):
    ///
    /// ```
    /// # use tormenta_dsl::{doc::*, Topology};
    /// # let mut t = Topology::<NoEngine>::new("demo");
    /// # let words = t.spout("words", Words);
    /// let by_first_letter = words.partial_by_key(|w, key| {
    ///     key.add(&w.word.bytes().next());
    /// });
    /// let counts = t.bolt("count", Count::default(), by_first_letter).tasks(4);
    /// ```
    pub fn partial_by_key<F>(&self, key: F) -> Edge<T>
    where
        F: Fn(&T, &mut KeyHasher) + Clone + Send + Sync + 'static,
    {
        self.edge(Kind::PartialBy, None, move || Choose::PartialBy(Box::new(key.clone())))
    }

    /// Every task gets every tuple.
    pub fn all(&self) -> Edge<T> {
        self.edge(Kind::All, None, || Choose::All)
    }

    /// Everything to the first task.
    pub fn global(&self) -> Edge<T> {
        self.edge(Kind::Global, None, || Choose::Global)
    }

    /// The emitter names the task, with [`emit_direct`](crate::Emitter::emit_direct).
    pub fn direct(&self) -> Edge<T> {
        self.edge(Kind::Direct, None, || Choose::Direct)
    }

    /// A grouping of your own.
    pub fn custom<G: Grouping<T>>(&self, grouping: G) -> Edge<T> {
        self.edge(Kind::Custom, Some(std::any::type_name::<G>()), move || {
            Choose::Custom(Box::new(grouping.clone()))
        })
    }

    fn edge<F>(&self, kind: Kind, custom: Option<&'static str>, choose: F) -> Edge<T>
    where
        F: Fn() -> Choose<T> + Send + Sync + 'static,
    {
        let router =
            move |lanes, task| Box::new(Routed::new(choose(), lanes, task)) as Box<dyn Router<T>>;
        Edge {
            source: self.source,
            port: self.port,
            kind,
            custom,
            type_name: std::any::type_name::<T>(),
            make: Arc::new(SameType(router)),
        }
    }
}

/// A stream with a grouping: one thing that a bolt reads, as a value of type `I`.
#[must_use = "an edge does nothing until a bolt reads it"]
pub struct Edge<I> {
    /// Where the tuples come from.
    pub source: Source,
    /// The port of the source.
    pub port: usize,
    /// How tuples are spread over tasks.
    pub kind: Kind,
    /// Type of a custom grouping.
    pub custom: Option<&'static str>,
    /// Type of the tuples, for messages.
    pub type_name: &'static str,
    make: Arc<dyn MakeRouter<I>>,
}

impl<I> Clone for Edge<I> {
    fn clone(&self) -> Self {
        let make = self.make.clone();
        Self { make, ..*self }
    }
}

impl<I: 'static> Edge<I> {
    /// Reads the tuples through a constructor, so that a bolt can read several streams:
    ///
    /// ```
    /// # use tormenta_dsl::{doc::*, Topology};
    /// # let mut t = Topology::<NoEngine>::new("demo");
    /// # let words = t.spout("words", Words);
    /// # let stops = t.spout("stops", Words);
    /// let kept = t.bolt("keep", Keep, [
    ///     words.by(|w| &w.word).to(In::Word),
    ///     stops.by(|w| &w.word).to(In::Stop),
    /// ]);
    /// ```
    pub fn to<J: 'static>(self, constructor: fn(I) -> J) -> Edge<J> {
        Edge {
            source: self.source,
            port: self.port,
            kind: self.kind,
            custom: self.custom,
            type_name: self.type_name,
            make: Arc::new(Converted { make: self.make, constructor }),
        }
    }

    /// For engines: a router in front of these lanes, for one sending task, as
    /// `Box<dyn Router<T>>` in a box, where `T` is the type of the source's port.
    #[must_use]
    pub fn router(&self, lanes: Box<dyn Lanes<I>>, task: usize) -> Box<dyn std::any::Any> {
        self.make.make(lanes, task)
    }
}

trait MakeRouter<I>: Send + Sync {
    fn make(&self, lanes: Box<dyn Lanes<I>>, task: usize) -> Box<dyn std::any::Any>;
}

struct SameType<F>(F);

impl<T: 'static, F> MakeRouter<T> for SameType<F>
where
    F: Fn(Box<dyn Lanes<T>>, usize) -> Box<dyn Router<T>> + Send + Sync,
{
    fn make(&self, lanes: Box<dyn Lanes<T>>, task: usize) -> Box<dyn std::any::Any> {
        Box::new((self.0)(lanes, task))
    }
}

struct Converted<T, I> {
    make: Arc<dyn MakeRouter<T>>,
    constructor: fn(T) -> I,
}

impl<T: 'static, I: 'static> MakeRouter<I> for Converted<T, I> {
    fn make(&self, lanes: Box<dyn Lanes<I>>, task: usize) -> Box<dyn std::any::Any> {
        self.make.make(Box::new(crate::grouping::Convert::new(lanes, self.constructor)), task)
    }
}

/// What a bolt can read: one edge, an array or a vector of them.
#[diagnostic::on_unimplemented(
    message = "a bolt reads edges, and `{Self}` is none",
    label = "not an edge",
    note = "group the stream first: `.shuffle()`, `.by(|t| &t.field)`, `.all()`, `.global()`"
)]
pub trait IntoEdges {
    /// What the bolt must read.
    type Input;

    /// The edges.
    fn into_edges(self) -> Vec<Edge<Self::Input>>;
}

impl<I> IntoEdges for Edge<I> {
    type Input = I;

    fn into_edges(self) -> Vec<Edge<I>> {
        vec![self]
    }
}

impl<I, const N: usize> IntoEdges for [Edge<I>; N] {
    type Input = I;

    fn into_edges(self) -> Vec<Edge<I>> {
        Vec::from(self)
    }
}

impl<I> IntoEdges for Vec<Edge<I>> {
    type Input = I;

    fn into_edges(self) -> Vec<Edge<I>> {
        self
    }
}
