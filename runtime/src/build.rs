//! From a plan to loops: makes mailboxes, wires edges, nests fused stages.

use std::{any::Any, collections::BTreeMap, rc::Rc, sync::Arc};

use tormenta_dsl::{
    Bolt, Concurrency, Edge, Plan, Settings, Spout, Streams,
    emitter::Output,
    engine::{self, Engine, PortWiring},
    streams::Outlets,
};

use crate::{
    acker::{
        acks::{AckBatch, AckInbox, Own},
        ledger::Ledger,
    },
    channel::{
        mailbox::{Address, Mailbox, mailbox},
        queue::Receiver,
    },
    executor::{
        bolt_stage::{BoltParts, BoltStage},
        core::LoopSeed,
        crew::{Crew, Dealer, together},
        guard::Guarded,
        handover::{Handover, Lane},
        inlet::{Inlet, Slot},
        inline::Inline,
        results::Results,
        settle::{Aging, Holder, Settled},
        shared::LoopShared,
        signal::WakeCell,
        spout_stage::{SpoutParts, SpoutStage},
        spout_trees::Trees,
    },
    metrics::task::TaskStats,
};

/// The engine that runs a topology on the cores of one machine.
#[derive(Debug)]
pub struct Local;

impl Engine for Local {
    type Task = LocalTask;

    fn spout<S: Spout>(prototype: S) -> LocalTask {
        LocalTask(Box::new(SpoutComponent { prototype, info: None, acks: Vec::new() }))
    }

    fn bolt<B: Bolt>(prototype: B, edges: Vec<Edge<B::Input>>) -> LocalTask {
        LocalTask(Box::new(BoltComponent {
            prototype,
            edges,
            info: None,
            addresses: Vec::new(),
            mailboxes: Vec::new(),
            acks: Vec::new(),
        }))
    }
}

/// A spout or bolt, and its place in the engine.
pub struct LocalTask(pub(crate) Box<dyn Component>);

/// A spout or bolt whose types only it knows.
pub(crate) trait Component: Send {
    /// Tells the component what the plan says about it.
    fn open(&mut self, info: Info);

    /// The sending end of one of its edges, in one task of the source.
    fn lanes_to(&self, edge: usize, from: &From) -> EdgeSeed;

    /// The same where the reader is fused into the source's loop.
    fn stage_in(&mut self, edge: usize, from: &From, outs: Vec<PortSeeds>) -> EdgeSeed;

    /// The loop of one of its tasks, given the edges for each of the clones that work for it.
    fn loop_of(&mut self, task: usize, outs: Vec<Vec<PortSeeds>>) -> LoopSeed;
}

/// What the plan says about a component.
pub(crate) struct Info {
    pub(crate) index: usize,
    pub(crate) position: usize,
    pub(crate) settings: Settings,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) stats: Vec<Arc<TaskStats>>,
    /// The waker of the loop that each task runs in.
    pub(crate) wakes: Vec<Arc<WakeCell>>,
    /// Where each task gets its acks, if it has trees of its own; of a bolt, each of its clones.
    pub(crate) inboxes: Vec<AckEnd>,
    /// For bolts: which of the edges close a loop.
    pub(crate) feedback: Vec<bool>,
}

/// The number of a ledger, and where it gets its acks.
pub(crate) type AckEnd = (usize, AckInbox, Receiver<AckBatch>);

/// The task at the sending end of an edge.
pub(crate) struct From {
    pub(crate) component: usize,
    pub(crate) task: usize,
    pub(crate) wake: Arc<WakeCell>,
    pub(crate) stats: Arc<TaskStats>,
}

/// Makes a router, once on the core of the sending task.
pub(crate) type EdgeSeed = Box<dyn FnOnce(&Rc<LoopShared>) -> Box<dyn Any> + Send>;

/// The edges of one port of one task.
pub(crate) struct PortSeeds {
    edges: Vec<EdgeSeed>,
    interleave: bool,
}

struct SpoutComponent<S: Spout> {
    prototype: S,
    info: Option<Info>,
    acks: Vec<Option<AckEnd>>,
}

struct BoltComponent<B: Bolt> {
    prototype: B,
    edges: Vec<Edge<B::Input>>,
    info: Option<Info>,
    addresses: Vec<Address<B::Input>>,
    mailboxes: Vec<Option<Mailbox<B::Input>>>,
    /// Of each task, for its clones.
    acks: Vec<Vec<AckEnd>>,
}

impl<S: Spout> Component for SpoutComponent<S> {
    fn open(&mut self, mut info: Info) {
        self.acks = info.inboxes.drain(..).map(Some).collect();
        self.info = Some(info);
    }

    fn lanes_to(&self, _edge: usize, _from: &From) -> EdgeSeed {
        unreachable!("a spout reads nothing")
    }

    fn stage_in(&mut self, _edge: usize, _from: &From, _outs: Vec<PortSeeds>) -> EdgeSeed {
        unreachable!("a spout reads nothing")
    }

    fn loop_of(&mut self, task: usize, outs: Vec<Vec<PortSeeds>>) -> LoopSeed {
        let outs = outs.into_iter().flatten().collect();
        let (Some(info), Some((owner, inbox, acks))) = (&self.info, self.acks[task].take()) else {
            unreachable!("a component is opened before, and a task is made once");
        };
        let prototype = self.prototype.clone();
        let (settings, config) = (info.settings.clone(), info.config.clone());
        let stats = info.stats[task].clone();
        Box::new(move |shared| {
            let ledger = Rc::new(std::cell::RefCell::new(Ledger::new(owner)));
            shared.acks.borrow_mut().own = Some(Own::new(ledger.clone()));
            let (output, _) = output::<S::Output>(shared, &stats, outs, None, None);
            let trees = Trees::new(ledger, settings.retry);
            let shared = shared.clone();
            let parts =
                SpoutParts { prototype, output, inbox, acks, shared, stats, settings, config };
            SpoutStage::start(parts, trees)
        })
    }
}

impl<B: Bolt> BoltComponent<B> {
    fn info(&self) -> &Info {
        let Some(info) = &self.info else { unreachable!("a component is opened before") };
        info
    }

    /// Makes the stage of a task, once on its core.
    fn stage(
        &mut self,
        task: usize,
        outs: Vec<PortSeeds>,
    ) -> impl FnOnce(&Rc<LoopShared>, Inlet<B::Input>, Rc<Crew>) -> Guarded + Send + use<B> {
        let acks = self.acks[task].pop();
        let info = self.info();
        let prototype = self.prototype.clone();
        let (settings, config) = (info.settings.clone(), info.config.clone());
        let (stats, position) = (info.stats[task].clone(), info.position);
        move |shared, inlet, crew| {
            let aging = settings.hold_timeout.map(|_| Rc::<Aging>::default());
            let results = acks.zip(settings.retry).map(|(acks, retry)| {
                Results::<B::Output>::new(acks, retry, shared.clone(), stats.clone(), position)
            });
            let (output, settled) =
                output::<B::Output>(shared, &stats, outs, aging.clone(), results.clone());
            BoltStage::start(BoltParts {
                prototype,
                inlet,
                output,
                settled,
                results,
                aging,
                shared: shared.clone(),
                stats,
                settings,
                config,
                position,
                crew,
            })
        }
    }
}

impl<B: Bolt> Component for BoltComponent<B> {
    fn open(&mut self, mut info: Info) {
        // An inbox wakes the loop of its task.
        let clones = info.inboxes.len() / info.wakes.len();
        let mut inboxes = info.inboxes.drain(..);
        self.acks = info.wakes.iter().map(|_| inboxes.by_ref().take(clones).collect()).collect();
        drop(inboxes);
        let open = |wake: &Arc<WakeCell>| {
            let (address, mailbox) = mailbox(wake.clone());
            (address, Some(mailbox))
        };
        (self.addresses, self.mailboxes) = info.wakes.iter().map(open).unzip();
        self.info = Some(info);
    }

    fn lanes_to(&self, edge: usize, from: &From) -> EdgeSeed {
        let info = self.info();
        let (edge, is_feedback) = (self.edges[edge].clone(), info.feedback[edge]);
        let addresses = self.addresses.clone();
        let (target, targets) = (info.index, info.stats.clone());
        let From { component, task, .. } = *from;
        let (wake, stats) = (from.wake.clone(), from.stats.clone());
        Box::new(move |shared| {
            // Feedback has lanes of its own: it must not wait behind other tuples.
            let key = (component, task, target * 2 + usize::from(is_feedback));
            let lanes = shared.lanes(key, || {
                let lane = |(address, target): (&Address<B::Input>, &Arc<TaskStats>)| {
                    let lane = Lane::new(address.link(wake.clone(), is_feedback));
                    target.add_queue(lane.queue());
                    lane
                };
                let lanes = addresses.iter().zip(&targets).map(lane);
                std::cell::RefCell::new(lanes.collect::<Vec<_>>())
            });
            let (keys, first) = (targets[0].keys.clone(), targets[0].number);
            let handover = Handover::new(lanes, shared.clone(), stats, keys, first);
            edge.router(Box::new(handover), task)
        })
    }

    fn stage_in(&mut self, edge: usize, from: &From, outs: Vec<PortSeeds>) -> EdgeSeed {
        let edge = self.edges[edge].clone();
        let (task, stats) = (from.task, from.stats.clone());
        let number = self.info().stats[task].number;
        let stage = self.stage(task, outs);
        Box::new(move |shared| {
            let slot = Slot::new();
            let guarded = stage(shared, Inlet::Slot(slot.clone()), Crew::new(1, false));
            let inline = Inline::new(slot, guarded, stats, shared.clone(), number);
            edge.router(Box::new(inline), task)
        })
    }

    fn loop_of(&mut self, task: usize, outs: Vec<Vec<PortSeeds>>) -> LoopSeed {
        let concurrency = self.info().settings.concurrency;
        let mut stages: Vec<_> = outs.into_iter().map(|outs| self.stage(task, outs)).collect();
        let Some(mailbox) = self.mailboxes[task].take() else {
            unreachable!("a task is made once");
        };
        let stats = self.info().stats[task].clone();
        Box::new(move |shared| {
            let ordered = matches!(concurrency, Concurrency::Ordered(_));
            let crew = Crew::new(stages.len(), ordered);
            if stages.len() == 1
                && let Some(stage) = stages.pop()
            {
                return stage(shared, Inlet::Mailbox(mailbox), crew);
            }
            stats.duty.watch(mailbox.given());
            let dealer = Dealer::new(mailbox);
            let clone = |stage| {
                let stage: Box<dyn FnOnce(_, _, _) -> Guarded> = Box::new(stage);
                stage(shared, Inlet::Dealt(dealer.clone()), crew.clone())
            };
            together(stages.into_iter().map(clone).collect())
        })
    }
}

/// Wires the ports of a task.
fn output<O: Streams>(
    shared: &Rc<LoopShared>,
    stats: &Arc<TaskStats>,
    outs: Vec<PortSeeds>,
    aging: Option<Rc<Aging>>,
    results: Option<Rc<Results<O>>>,
) -> (Rc<Output<O>>, Arc<Settled<O>>) {
    let ports = outs.into_iter().map(|port| PortWiring {
        routers: port.edges.into_iter().map(|seed| seed(shared)).collect(),
        interleave: port.interleave,
    });
    let outlets = O::Outlets::wire(ports.collect());
    let held = stats.duty.held.clone();
    let settled = Settled::new(shared.wake.clone(), held.clone(), shared.engine.clock.clone());
    let holder = Holder::new(shared.clone(), held, aging);
    let results = results.map(|results| results as Rc<dyn engine::Results<O>>);
    let settle = settled.clone();
    let output = Output::new(outlets, shared.engine.batch_tuples, holder, settle, results);
    (output, settled)
}

/// Makes the loops of a plan.
pub(crate) struct Wiring<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) fused: &'a [bool],
    pub(crate) components: Vec<Box<dyn Component>>,
    pub(crate) stats: Vec<Vec<Arc<TaskStats>>>,
    pub(crate) wakes: Vec<Vec<Arc<WakeCell>>>,
}

impl Wiring<'_> {
    /// The loop of a task that heads one.
    pub(crate) fn loop_of(&mut self, component: usize, task: usize) -> LoopSeed {
        let clones = self.plan.components[component].settings.concurrency.limit();
        let outs = (0..clones).map(|_| self.outs(component, task)).collect();
        self.components[component].loop_of(task, outs)
    }

    fn outs(&mut self, component: usize, task: usize) -> Vec<PortSeeds> {
        (0..self.plan.components[component].ports.len())
            .map(|port| self.out(component, task, port))
            .collect()
    }

    fn out(&mut self, component: usize, task: usize, port: usize) -> PortSeeds {
        let readers: Vec<usize> = (0..self.plan.edges.len())
            .filter(|edge| {
                let edge = &self.plan.edges[*edge];
                edge.source == component && edge.port == port
            })
            .collect();
        let mut targets: Vec<usize> =
            readers.iter().map(|edge| self.plan.edges[*edge].target).collect();
        targets.sort_unstable();
        let interleave = targets.windows(2).any(|pair| pair[0] == pair[1]);
        let edges = readers.into_iter().map(|edge| self.edge(edge, task)).collect();
        PortSeeds { edges, interleave }
    }

    fn edge(&mut self, edge: usize, task: usize) -> EdgeSeed {
        let (source, target) = (self.plan.edges[edge].source, self.plan.edges[edge].target);
        // The edges of a component are numbered in the order of their declaration.
        let number = self.plan.edges[..edge].iter().filter(|e| e.target == target).count();
        let from = From {
            component: source,
            task,
            wake: self.wakes[source][task].clone(),
            stats: self.stats[source][task].clone(),
        };
        if self.fused[edge] {
            let outs = self.outs(target, task);
            return self.components[target].stage_in(number, &from, outs);
        }
        self.components[target].lanes_to(number, &from)
    }
}
