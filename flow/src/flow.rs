//! A flow: read, checked, and made into a topology.

use std::path::Path;

use tormenta::{
    Edge, Feedback, Local, Stream, Topology,
    bolts::map,
    plan::{Plan, PlanErrors},
};

use crate::{
    plan::{self, Dealt, Input, Joint, Planned, Site, group},
    read::{
        declared, document,
        env::Lookup,
        notes::{Mistakes, Notes},
    },
    registry::Registry,
    row::{Row, declaring},
    shape::Shape,
};

/// A topology that was declared in TOML, and has no mistakes.
///
/// ```
/// use tormenta_flow::Flow;
///
/// let flow = Flow::parse("words.toml", r#"
///     [spouts.lines]
///     type = "lines"
///     path = "${BOOK:-README.md}"
///
///     [bolts.split]
///     type = "split"
///     reads = "lines"
///
///     [bolts.count]
///     type = "count"
///     reads = { from = "split", by = "word" }
///     by = "word"
///     tasks = 2
/// "#, |name| std::env::var(name).ok())?;
/// assert_eq!(flow.name(), "words");
/// assert!(flow.plan()?.component("count").is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Flow {
    name: String,
    planned: Vec<Planned>,
}

impl Flow {
    /// Reads and checks a flow. It opens nothing that the flow names.
    ///
    /// `path` is what it is called in messages; without a `name` of its own, the flow has that of
    /// the file. `env` looks variables of the environment up.
    ///
    /// # Errors
    /// All mistakes at once, each with its place and its mend.
    ///
    /// ```
    /// let error = tormenta_flow::Flow::parse("x.toml", "", |_| None).err().expect("no spout");
    /// assert!(error.to_string().starts_with("x.toml:1:1: the flow has no spout"));
    /// ```
    pub fn parse(
        path: &str,
        text: &str,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Mistakes> {
        Self::read(&Registry::standard(), path, text, &env)
    }

    pub(crate) fn read(
        registry: &Registry,
        path: &str,
        text: &str,
        env: Lookup<'_>,
    ) -> Result<Self, Mistakes> {
        let mut notes = Notes::default();
        let stem = Path::new(path).file_stem().unwrap_or_default().to_string_lossy();
        let (mut name, mut planned) = (String::new(), Vec::new());
        if let Some(table) = document::parse(text, env, &mut notes) {
            let (named, declared) = declared::read(table, &stem, registry, &mut notes);
            (name, planned) = (named, plan::plan(declared, &mut notes));
        }
        let flow = Self { name, planned };
        if notes.is_empty() {
            flow.ask_the_engine(&mut notes);
        }
        notes.into_result(path, text)?;
        Ok(flow)
    }

    /// Its name.
    ///
    /// ```
    /// # let text = "name = 'beat'\nspouts.t = { type = 'timer', every = '1s' }";
    /// assert_eq!(tormenta_flow::Flow::parse("x.toml", text, |_| None)?.name(), "beat");
    /// # Ok::<(), tormenta_flow::Mistakes>(())
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The topology, to be run like any other.
    ///
    /// ```
    /// use tormenta::{LocalCluster, Simulation};
    /// use tormenta_flow::Flow;
    ///
    /// let text = r#"
    ///     spouts.numbers = { type = "sequence", count = 10 }
    ///     bolts.even = { type = "sample", reads = "numbers", every = 2 }
    /// "#;
    /// let flow = Flow::parse("even.toml", text, |_| None)?;
    /// let mut cluster = LocalCluster::new(flow.topology(), Simulation::new(1))?;
    /// cluster.run();
    /// assert_eq!(cluster.metrics().component("even").map(|even| even.executed), Some(10));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn topology(&self) -> Topology {
        self.declare().0
    }

    /// The plan, with the fields of the rows and the types as flows call them.
    ///
    /// # Errors
    /// What the engine refuses and a flow cannot know.
    ///
    /// ```
    /// # let text = "name = 'beat'\nspouts.t = { type = 'timer', every = '1s' }";
    /// let plan = tormenta_flow::Flow::parse("x.toml", text, |_| None)?.plan()?;
    /// assert!(plan.to_string().contains("spout t x1 -> Row(tick: int)"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plan(&self) -> Result<Plan, PlanErrors> {
        let (topology, streams) = self.declare();
        let mut plan = topology.plan()?;
        for (component, streams) in self.planned.iter().zip(streams) {
            if let Some(index) = plan.component(&component.name) {
                plan.components[index].type_name = component.made.doc.name;
            }
            for (stream, out) in streams.iter().zip(&component.outs) {
                let port = &mut plan.components[stream.source().component].ports[stream.port()];
                port.schema = out.shape.to_string();
                port.fingerprint = out.shape.schema().fingerprint();
            }
        }
        Ok(plan)
    }

    /// Notes what only the engine refuses, such as more tasks than it can have.
    fn ask_the_engine(&self, notes: &mut Notes) {
        let Err(refused) = self.topology().plan() else { return };
        for error in refused.errors {
            let text = error.to_string();
            // A component may be several, called `name/part`.
            let is_named = |planned: &&Planned| {
                let rest = text.strip_prefix('`').and_then(|t| t.strip_prefix(&*planned.name));
                rest.is_some_and(|rest| rest.starts_with(['`', '/']))
            };
            let header = self.planned.iter().find(is_named).map_or(0..0, |p| p.header.clone());
            notes.add(&header, text);
        }
    }

    fn declare(&self) -> (Topology, Vec<Vec<Stream<Row>>>) {
        let mut topology = Topology::new(self.name.clone());
        let mut streams: Vec<Vec<Stream<Row>>> = Vec::new();
        let mut open: Vec<(Feedback<Row, Local>, &Planned, &Joint)> = Vec::new();
        for component in &self.planned {
            let mut inputs = Vec::new();
            for (number, joint) in component.joints.iter().enumerate() {
                let edge = if joint.feedback {
                    let name = format!("{}-feedback-{number}", component.name);
                    let feedback = topology.feedback::<Row>(&name);
                    let edge = group(&feedback, &joint.deal);
                    open.push((feedback, component, joint));
                    edge
                } else {
                    group(&self.seen(&mut topology, &streams, component, joint), &joint.deal)
                };
                inputs.push(self.input(joint, component.inputs[number].clone(), edge));
            }
            let mut site = Site {
                topology: &mut topology,
                name: &component.name,
                settings: &component.made.settings,
                inputs,
                outs: &component.outs,
            };
            streams.push(component.made.part.declare(&mut site));
        }
        for (feedback, component, joint) in open {
            feedback.from(&self.seen(&mut topology, &streams, component, joint));
        }
        (topology, streams)
    }

    fn input(&self, joint: &Joint, shape: Shape, edge: Edge<Row>) -> Input {
        let source = &self.planned[joint.source];
        let by = match &joint.deal {
            Dealt::By(slots) | Dealt::PartialBy(slots) => slots.clone(),
            Dealt::Keyless(_) => Vec::new(),
        };
        let (from, stream) = (source.name.clone(), source.outs[joint.stream].name);
        Input { from, stream, side: joint.side, shape, by, edge }
    }

    /// The stream that an edge reads. Where it sees its rows in another way than they are, that is
    /// a bolt of its own between the two, which runs in the loop of the source.
    fn seen(
        &self,
        topology: &mut Topology,
        streams: &[Vec<Stream<Row>>],
        reader: &Planned,
        joint: &Joint,
    ) -> Stream<Row> {
        let stream = streams[joint.source][joint.stream];
        let Some(view) = joint.view.clone() else { return stream };
        let source = &self.planned[joint.source];
        let same = |other: &&Joint| (other.source, other.stream) == (joint.source, joint.stream);
        let at = reader.joints.iter().filter(same).position(|other| std::ptr::eq(other, joint));
        let mut name = format!("{}/from-{}", reader.name, source.name);
        if joint.stream > 0 {
            name = format!("{name}-{}", source.outs[joint.stream].name);
        }
        if let Some(number @ 1..) = at {
            name = format!("{name}-{}", number + 1);
        }
        let shape = view.shape().clone();
        let bolt = map(move |row: Row| view.apply(&row));
        let bolt = declaring(Some(&shape), || topology.bolt(&name, bolt, stream.shuffle()));
        *bolt.tasks(source.made.settings.tasks())
    }
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.planned.iter().map(|component| &*component.name).collect();
        f.debug_struct("Flow").field("name", &self.name).field("components", &names).finish()
    }
}
