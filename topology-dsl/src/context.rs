//! What a component may know about where it runs.

use std::{
    any::{Any, TypeId},
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{Error, Plan, Result, error::Place};

/// Where a task runs and what it may use. Cheap to clone; keep it in the component.
#[derive(Clone)]
pub struct Context(Arc<Parts>, Option<Arc<Plan>>);

/// What an engine fills a [`Context`] with.
pub struct Parts {
    /// Name of the topology.
    pub topology: Arc<str>,
    /// The task.
    pub place: Place,
    /// Number of tasks of the component.
    pub tasks: usize,
    /// Settings of the component on top of those of the topology.
    pub config: Arc<BTreeMap<String, String>>,
    /// User counters of the task.
    pub counters: Counters,
    /// Objects that tasks of one worker share.
    pub shared: Shared,
    /// The engine's time.
    pub timer: Arc<dyn Timer>,
    /// Where reported errors go.
    pub report: Report,
    /// Asks the topology to drain.
    pub drain: Arc<dyn Fn() + Send + Sync>,
}

/// Takes an error that a task reports.
pub(crate) type Report = Arc<dyn Fn(&Place, &Error) + Send + Sync>;

impl Context {
    /// A context with these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts), None)
    }

    /// The same, with the plan of the topology.
    #[must_use]
    pub fn with_plan(self, plan: Arc<Plan>) -> Self {
        Self(self.0, Some(plan))
    }

    /// The topology that the task is part of: its components, their tasks, and who reads what.
    /// `None` where there is none, as in a test of a single bolt.
    ///
    /// ```
    /// /// The numbers of the tasks of a component.
    /// fn tasks_of(cx: &tormenta_dsl::Context, component: &str) -> Vec<usize> {
    ///     let Some(plan) = cx.plan() else { return Vec::new() };
    ///     let Some(index) = plan.component(component) else { return Vec::new() };
    ///     (0..plan.components[index].settings.tasks)
    ///         .filter_map(|task| plan.number_of(index, task))
    ///         .collect()
    /// }
    /// ```
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        self.1.as_deref()
    }

    /// Name of the topology.
    #[must_use]
    pub fn topology(&self) -> &str {
        &self.0.topology
    }

    /// Name of the component.
    #[must_use]
    pub fn component(&self) -> &str {
        &self.0.place.component
    }

    /// Index of this task within its component, from zero.
    #[must_use]
    pub fn task(&self) -> usize {
        self.0.place.task
    }

    /// Number of tasks of the component, this one included.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.0.tasks
    }

    /// A setting of the component, or of the topology where the component has none, parsed.
    ///
    /// # Errors
    /// When the setting is missing or does not parse; the message names it.
    pub fn config<T>(&self, key: &str) -> Result<T>
    where
        T: std::str::FromStr<Err: std::fmt::Display>,
    {
        let Some(text) = self.0.config.get(key) else {
            return Err(Error::msg(format!("`{}` needs the setting `{key}`", self.component())));
        };
        text.parse().map_err(|why| Error::msg(format!("setting `{key}` is `{text}`: {why}")))
    }

    /// A counter of this task. Counters of the same name are added up over the tasks.
    #[must_use]
    pub fn counter(&self, name: &str) -> Counter {
        self.0.counters.counter(name)
    }

    /// The object of this type that all tasks of the worker share; the first to ask makes it.
    ///
    /// ```no_run
    /// # fn f(cx: &tormenta_dsl::Context) {
    /// let rates = cx.shared(|| std::collections::HashMap::from([("eur", 1.08)]));
    /// # }
    /// ```
    pub fn shared<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        self.0.shared.get_or_make(make)
    }

    /// Reports an error without failing anything. It shows up in the log and in the errors of
    /// the topology.
    pub fn report(&self, error: &Error) {
        (self.0.report)(&self.0.place, error);
    }

    /// Asks the topology to end: spouts emit nothing more, what they emitted is processed. For a
    /// component that knows that nobody wants the rest, such as one whose reader has gone.
    ///
    /// ```
    /// use tormenta_dsl::{Bolt, Context, Emitter, Result};
    ///
    /// /// Ends the topology after the tenth tuple.
    /// #[derive(Clone, Default)]
    /// struct Ten { seen: u32, cx: Option<Context> }
    ///
    /// impl Bolt for Ten {
    ///     type Input = u64;
    ///     type Output = ();
    ///     async fn prepare(&mut self, cx: &Context) -> Result {
    ///         self.cx = Some(cx.clone());
    ///         Ok(())
    ///     }
    ///     async fn execute(&mut self, _n: u64, _out: &Emitter<()>) -> Result {
    ///         self.seen += 1;
    ///         if let (10, Some(cx)) = (self.seen, &self.cx) {
    ///             cx.drain();
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn drain(&self) {
        (self.0.drain)();
    }

    /// Engine time since the topology started. Virtual in tests.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.0.timer.now()
    }

    /// Waits in engine time, so that virtual time in tests can move it.
    pub fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let until = self.now() + duration;
        self.0.timer.clone().sleep_until(until)
    }
}

/// The engine's time.
pub trait Timer: Send + Sync {
    /// Time since the topology started.
    fn now(&self) -> Duration;

    /// Waits for a moment.
    fn sleep_until(self: Arc<Self>, until: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// A number that only grows.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds to the counter.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The sum so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The user counters of one task, by name.
#[derive(Clone, Debug, Default)]
pub struct Counters(Arc<Mutex<BTreeMap<String, Counter>>>);

impl Counters {
    /// The counter of this name.
    #[must_use]
    pub fn counter(&self, name: &str) -> Counter {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counters.entry(name.to_owned()).or_default().clone()
    }

    /// All names and sums.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<String, u64> {
        let counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counters.iter().map(|(name, counter)| (name.clone(), counter.get())).collect()
    }
}

/// Objects shared by the tasks of one worker, by type.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>>>);

impl Shared {
    /// The object of type `T`.
    pub fn get_or_make<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut objects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let object = objects.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(make()));
        let Ok(object) = object.clone().downcast() else {
            unreachable!("objects are filed under their own type");
        };
        object
    }
}
