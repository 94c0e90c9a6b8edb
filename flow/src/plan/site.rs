//! Where a component is declared.

use tormenta::{Bolt, BoltHandle, Edge, Local, Retry, Spout, SpoutHandle, Stream, Topology};

use super::{Dealt, Out, inputs::text_of};
use crate::{
    key,
    read::{
        kinds::{Field, Period},
        reads::{Grouping, Side},
        settings::{BoltSettings, Settings, SpoutSettings},
    },
    row::{Row, declaring},
    shape::{Shape, Slot},
};

/// What a component needs to declare itself.
pub(crate) struct Site<'a> {
    pub(crate) topology: &'a mut Topology,
    pub(crate) name: &'a str,
    pub(crate) settings: &'a Settings,
    pub(crate) inputs: Vec<Input>,
    pub(crate) outs: &'a [Out],
}

/// One edge that a component reads.
pub(crate) struct Input {
    /// The component that emits.
    pub(crate) from: String,
    /// Its stream.
    pub(crate) stream: &'static str,
    pub(crate) side: Option<Side>,
    pub(crate) shape: Shape,
    /// The fields that it is grouped by.
    pub(crate) by: Vec<Slot>,
    pub(crate) edge: Edge<Row>,
}

impl Site<'_> {
    /// Declares a spout.
    pub(crate) fn spout<S: Spout>(&mut self, spout: S) -> SpoutHandle<S::Output, Local> {
        let shape = self.outs.first().map(|out| &out.shape);
        let handle = declaring(shape, || self.topology.spout(self.name, spout));
        match self.settings {
            Settings::Spout(settings) => set_spout(handle, settings),
            Settings::Bolt(_) => handle,
        }
    }

    /// Declares a bolt that reads all inputs.
    pub(crate) fn bolt<B: Bolt<Input = Row>>(&mut self, bolt: B) -> BoltHandle<B::Output, Local> {
        let edges = self.edges();
        self.bolt_reading(bolt, edges)
    }

    /// Declares a bolt that reads these edges.
    pub(crate) fn bolt_reading<B: Bolt>(
        &mut self,
        bolt: B,
        edges: Vec<Edge<B::Input>>,
    ) -> BoltHandle<B::Output, Local> {
        let shape = self.outs.first().map(|out| &out.shape);
        let handle = declaring(shape, || self.topology.bolt(self.name, bolt, edges));
        match self.settings {
            Settings::Bolt(settings) => set_bolt(handle, settings),
            Settings::Spout(_) => handle,
        }
    }

    /// Declares a further bolt of the same component, which is called `name/part`.
    pub(crate) fn further<B: Bolt>(
        &mut self,
        part: &str,
        bolt: B,
        edge: Edge<B::Input>,
    ) -> BoltHandle<B::Output, Local> {
        let name = format!("{}/{part}", self.name);
        let shape = self.outs.first().map(|out| &out.shape);
        declaring(shape, || self.topology.bolt(&name, bolt, edge))
    }

    /// Number of tasks.
    pub(crate) fn tasks(&self) -> usize {
        self.settings.tasks()
    }

    /// All inputs.
    pub(crate) fn edges(&self) -> Vec<Edge<Row>> {
        self.inputs.iter().map(|input| input.edge.clone()).collect()
    }

    /// The shape of what is read.
    pub(crate) fn shape(&self) -> Shape {
        self.inputs.first().map_or_else(|| Shape::of([]), |input| input.shape.clone())
    }

    /// A field of what is read.
    pub(crate) fn slot(&self, field: &Field) -> Slot {
        slot(&self.shape(), field)
    }

    /// Several fields of what is read.
    pub(crate) fn slots(&self, fields: &[Field]) -> Vec<Slot> {
        fields.iter().map(|field| self.slot(field)).collect()
    }

    /// The field that is named, or the only text of what is read.
    pub(crate) fn text(&self, field: Option<&Field>) -> Slot {
        match text_of(&self.shape(), field) {
            Some(slot) => slot,
            None => unreachable!("`{}` was planned without its field", self.name),
        }
    }

    /// What the component emits first.
    pub(crate) fn out(&self) -> Shape {
        self.outs.first().map_or_else(|| Shape::of([]), |out| out.shape.clone())
    }
}

/// A field that was there when the flow was planned.
pub(crate) fn slot(shape: &Shape, field: &Field) -> Slot {
    match shape.find(&field.value) {
        Some(slot) => slot,
        None => unreachable!("a flow was planned without its field `{}`", field.value),
    }
}

fn set_spout<O: tormenta::Streams>(
    mut handle: SpoutHandle<O, Local>,
    settings: &SpoutSettings,
) -> SpoutHandle<O, Local> {
    handle = handle.tasks(settings.tasks.size()).fuse(settings.fuse);
    handle = handle.pending_max(settings.pending_max.size());
    if settings.attempts > 0 {
        let attempts_max = u32::try_from(settings.attempts).unwrap_or(u32::MAX);
        handle = handle.replaying(Retry { attempts_max, ..Retry::default() });
    }
    if !settings.tracked {
        handle = handle.untracked();
    }
    if let Some(Period(timeout)) = settings.message_timeout {
        handle = handle.message_timeout(timeout);
    }
    if settings.blocking { handle.blocking() } else { handle }
}

fn set_bolt<O: tormenta::Streams>(
    mut handle: BoltHandle<O, Local>,
    settings: &BoltSettings,
) -> BoltHandle<O, Local> {
    handle = handle.tasks(settings.tasks.size()).fuse(settings.fuse);
    handle = handle.execute_timeout(settings.execute_timeout.0);
    if let Some(Period(tick)) = settings.tick {
        handle = handle.tick(tick);
    }
    if let Some(Period(timeout)) = settings.hold_timeout {
        handle = handle.hold_timeout(timeout);
    }
    if settings.blocking { handle.blocking() } else { handle }
}

/// Groups a stream.
pub(crate) fn group(stream: &Stream<Row>, deal: &Dealt) -> Edge<Row> {
    match deal {
        Dealt::Keyless(Grouping::Shuffle) => stream.shuffle(),
        Dealt::Keyless(Grouping::LocalOrShuffle) => stream.local_or_shuffle(),
        Dealt::Keyless(Grouping::None) => stream.none(),
        Dealt::Keyless(Grouping::All) => stream.all(),
        Dealt::Keyless(Grouping::Global) => stream.global(),
        Dealt::By(slots) => {
            let slots = slots.clone();
            stream.by_key(move |row, hasher| key::hash(row, &slots, hasher))
        }
        Dealt::PartialBy(slots) => {
            let slots = slots.clone();
            stream.partial_by_key(move |row, hasher| key::hash(row, &slots, hasher))
        }
    }
}
