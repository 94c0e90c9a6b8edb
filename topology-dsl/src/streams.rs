//! The outputs of a component: one stream, several, or none.

use std::{
    any::Any,
    sync::Arc,
    task::{Context as Waking, Poll},
};

use crate::{
    Root, Source, Stream, Tuple,
    engine::{Anchors, Batch, Flush, PortWiring, Router},
    record::Schema,
};

/// Everything that a component can emit, or read.
///
/// A [`Tuple`] is one stream, `()` is none, and an enum with `derive(Streams)` is one stream for
/// each variant, each a port of its own:
///
/// ```
/// # extern crate tormenta_dsl as tormenta;
/// use serde::{Deserialize, Serialize};
/// use tormenta_dsl::{Streams, Tuple};
///
/// #[derive(Tuple, Clone, Serialize, Deserialize)]
/// struct Alert { card: u64 }
/// #[derive(Tuple, Clone, Serialize, Deserialize)]
/// struct Clean { card: u64 }
///
/// /// A bolt with this output has the ports `alert` and `clean`.
/// #[derive(Streams, Clone)]
/// enum Score { Alert(Alert), Clean(Clean) }
///
/// assert_eq!(Score::infos()[1].name, "clean");
/// ```
///
/// The name of a port is that of its variant in snake case, `http_error` for `HTTPError`, or the
/// one that is given:
///
/// ```
/// # extern crate tormenta_dsl as tormenta;
/// # use tormenta_dsl::Streams;
/// #[derive(Streams, Clone)]
/// enum Number {
///     Even(u64),
///     #[stream(name = "not_even")]
///     Odd(u64),
/// }
/// assert_eq!(Number::infos()[1].name, "not_even");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read or emitted: it is no `Tuple` and no enum of `Streams`",
    label = "this type is no stream",
    note = "add `#[derive(Tuple, Clone, Serialize, Deserialize)]` to a struct, or \
            `#[derive(Streams, Clone)]` to an enum whose variants each hold one tuple"
)]
pub trait Streams: Clone + Send + 'static {
    /// Typed handles of the streams, one field each, for the builder.
    type Ports: Clone;
    /// The sending ends, for the engine.
    type Outlets: Outlets;

    /// Makes the handles.
    fn ports(source: Source) -> Self::Ports;

    /// Describes the ports.
    fn infos() -> Vec<PortInfo>;

    /// Which port this value leaves through.
    fn port(&self) -> usize;

    /// Moves staged values to the outlets of their ports, keeping their order.
    fn dispatch(staged: &mut Batch<Self>, outlets: &mut Self::Outlets);

    /// The value as a record, for dead letters.
    ///
    /// # Errors
    /// See [`Tuple::to_record`].
    fn to_record(&self) -> Result<crate::record::Record, crate::record::RecordError>;
}

/// Name and type of one port.
#[derive(Clone, Debug)]
pub struct PortInfo {
    /// `default` for the only port of a tuple, else the variant's name in snake case.
    pub name: &'static str,
    /// The fields of its tuples.
    pub schema: Arc<Schema>,
}

impl<T: Tuple> Streams for T {
    type Ports = Stream<T>;
    type Outlets = Outlet<T>;

    fn ports(source: Source) -> Stream<T> {
        Stream::new(source, 0)
    }

    fn infos() -> Vec<PortInfo> {
        vec![PortInfo { name: "default", schema: T::schema() }]
    }

    #[inline]
    fn port(&self) -> usize {
        0
    }

    fn dispatch(staged: &mut Batch<T>, outlet: &mut Outlet<T>) {
        outlet.accept(staged);
    }

    fn to_record(&self) -> Result<crate::record::Record, crate::record::RecordError> {
        Tuple::to_record(self)
    }
}

impl Streams for () {
    type Ports = ();
    type Outlets = ();

    fn ports(_source: Source) {}

    fn infos() -> Vec<PortInfo> {
        Vec::new()
    }

    fn port(&self) -> usize {
        0
    }

    fn dispatch(staged: &mut Batch<()>, (): &mut ()) {
        staged.clear();
    }

    fn to_record(&self) -> Result<crate::record::Record, crate::record::RecordError> {
        crate::record::Record::new(Arc::new(Schema::new("()", &[])), Vec::new())
    }
}

/// The sending ends of all ports of a task.
pub trait Outlets: Sized {
    /// Takes one wiring for each port.
    fn wire(ports: Vec<PortWiring>) -> Self;

    /// The smallest room of any edge. See [`Lanes::room`](crate::engine::Lanes::room).
    fn room(&self) -> usize;

    /// Flushes every edge of every port.
    fn poll_flush(&mut self, cx: &mut Waking<'_>, flush: Flush) -> Poll<()>;

    /// Sends what leaves through this port next to the task of this number alone.
    fn aim(&mut self, port: usize, task: usize);

    /// Adds the numbers of the tasks that got the tuple that left through this port last, by
    /// itself.
    fn told(&self, port: usize, tasks: &mut Vec<usize>);
}

impl Outlets for () {
    fn wire(_ports: Vec<PortWiring>) -> Self {}

    fn room(&self) -> usize {
        usize::MAX
    }

    fn poll_flush(&mut self, _cx: &mut Waking<'_>, _flush: Flush) -> Poll<()> {
        Poll::Ready(())
    }

    fn aim(&mut self, _port: usize, _task: usize) {}

    fn told(&self, _port: usize, _tasks: &mut Vec<usize>) {}
}

/// The sending end of one port: all edges that read it.
pub struct Outlet<T> {
    routers: Vec<Box<dyn Router<T>>>,
    interleave: bool,
    /// Tuples of this port while an enum is being dispatched, and copies for all edges but one.
    scratch: Batch<T>,
    copy: Batch<T>,
    /// The only task that is to get the next batch.
    only: Option<usize>,
}

impl<T: Clone + 'static> Outlet<T> {
    /// Hands all tuples of `batch` to every edge.
    pub fn accept(&mut self, batch: &mut Batch<T>) {
        if let Some(task) = self.only.take() {
            return self.accept_only(batch, task);
        }
        if self.interleave && batch.len() > 1 {
            return self.accept_one_by_one(batch);
        }
        let Some((last, others)) = self.routers.split_last_mut() else {
            return batch.clear();
        };
        for router in others {
            self.copy.clear(); // a panic may have left something
            self.copy.values.extend_from_slice(&batch.values);
            self.copy.roots.clone_from(&batch.roots);
            self.copy.anchors.extend_from_slice(&batch.anchors);
            self.copy.epoch.clone_from(&batch.epoch);
            router.accept(&mut self.copy);
            self.copy.clear();
        }
        last.accept(batch);
        batch.clear();
    }

    /// Hands the tuples to one task of a direct reader. Where nobody reads them at all they are
    /// done, as all are.
    #[cold]
    fn accept_only(&mut self, batch: &mut Batch<T>, task: usize) {
        let routers = &mut self.routers;
        let is_taken = routers.iter_mut().any(|router| router.accept_only(batch, task));
        if let (false, Some(router)) = (is_taken, routers.first_mut()) {
            let why = format!("task number {task} does not read this stream by `direct()`");
            router.refuse(batch, &why);
        }
        batch.clear();
    }

    fn accept_one_by_one(&mut self, batch: &mut Batch<T>) {
        let mut one = Batch::new();
        let epoch = batch.epoch.take();
        batch.take_each(|anchors, root, edge, value| {
            one.epoch.clone_from(&epoch);
            one.push_from(anchors, root, edge, value);
            self.accept(&mut one);
        });
    }

    /// Adds one tuple to the run of this port that [`end_run`](Outlet::end_run) will hand on.
    pub fn push(&mut self, anchors: &[Anchors], root: Root, edge: u64, value: T) {
        self.scratch.push_from(anchors, root, edge, value);
    }

    /// Hands on the run of tuples that was pushed.
    pub fn end_run(&mut self, epoch: Option<&crate::Epoch>) {
        if self.scratch.is_empty() {
            return;
        }
        let mut run = std::mem::take(&mut self.scratch);
        run.epoch = epoch.cloned();
        self.accept(&mut run);
        run.clear();
        self.scratch = run;
    }
}

impl<T: Clone + 'static> Outlets for Outlet<T> {
    fn wire(ports: Vec<PortWiring>) -> Self {
        let mut routers = Vec::new();
        let mut interleave = false;
        for port in ports {
            interleave |= port.interleave;
            for router in port.routers {
                let Ok(router) = (router as Box<dyn Any>).downcast::<Box<dyn Router<T>>>() else {
                    unreachable!("an edge was wired to a port of another type");
                };
                routers.push(*router);
            }
        }
        Self { routers, interleave, scratch: Batch::new(), copy: Batch::new(), only: None }
    }

    fn room(&self) -> usize {
        self.routers.iter().map(|router| router.room()).min().unwrap_or(usize::MAX)
    }

    fn poll_flush(&mut self, cx: &mut Waking<'_>, flush: Flush) -> Poll<()> {
        let mut all = Poll::Ready(());
        for router in &mut self.routers {
            if router.poll_flush(cx, flush).is_pending() {
                all = Poll::Pending;
            }
        }
        all
    }

    fn aim(&mut self, _port: usize, task: usize) {
        self.only = Some(task);
    }

    fn told(&self, _port: usize, tasks: &mut Vec<usize>) {
        self.routers.iter().for_each(|router| router.told(tasks));
    }
}

macro_rules! outlets_of_several_ports {
    ($($name:ident $index:tt)*) => {
        impl<$($name: Outlets),*> Outlets for ($($name,)*) {
            #[allow(non_snake_case, reason = "the type parameters name the ports")]
            fn wire(ports: Vec<PortWiring>) -> Self {
                let mut ports = ports.into_iter();
                ($($name::wire(ports.next().into_iter().collect()),)*)
            }

            fn room(&self) -> usize {
                usize::MAX$(.min(self.$index.room()))*
            }

            fn poll_flush(&mut self, cx: &mut Waking<'_>, flush: Flush) -> Poll<()> {
                // All of them, also where one has no room.
                let flushed = [$(self.$index.poll_flush(cx, flush)),*];
                if flushed.iter().any(Poll::is_pending) { Poll::Pending } else { Poll::Ready(()) }
            }

            fn aim(&mut self, port: usize, task: usize) {
                match port {
                    $($index => self.$index.aim(0, task),)*
                    _ => {}
                }
            }

            fn told(&self, port: usize, tasks: &mut Vec<usize>) {
                match port {
                    $($index => self.$index.told(0, tasks),)*
                    _ => {}
                }
            }
        }
    };
}

outlets_of_several_ports!(A 0);
outlets_of_several_ports!(A 0 B 1);
outlets_of_several_ports!(A 0 B 1 C 2);
outlets_of_several_ports!(A 0 B 1 C 2 D 3);
outlets_of_several_ports!(A 0 B 1 C 2 D 3 F 4);
outlets_of_several_ports!(A 0 B 1 C 2 D 3 F 4 G 5);
outlets_of_several_ports!(A 0 B 1 C 2 D 3 F 4 G 5 H 6);
outlets_of_several_ports!(A 0 B 1 C 2 D 3 F 4 G 5 H 6 I 7);
