//! All components, by name.

use tormenta::{Bolt, Spout};

use crate::{
    Flow, Mistakes, Row,
    own::{Own, Setup},
    parts::{
        count, filter, join, json, lines, map, numbers, select, shell, sinks, split, tables, thin,
        time, top, window,
    },
    plan::Part,
    read::{
        params::{ComponentDoc, Params, Reader, Role},
        reads::{READS, ReadTable},
        settings::{BoltSettings, SpoutSettings},
    },
};

pub(crate) use crate::read::params::Entry;

/// In the order in which people meet them: what comes in, what is done with it, what goes out.
const STANDARD: &[Entry] = &[
    Entry::of::<lines::Lines>(),
    Entry::of::<lines::Tail>(),
    Entry::of::<tables::Csv>(),
    Entry::of::<tables::JsonLines>(),
    Entry::of::<lines::TcpLines>(),
    Entry::of::<lines::UdpLines>(),
    Entry::of::<lines::Http>(),
    Entry::of::<numbers::Timer>(),
    Entry::of::<numbers::Sequence>(),
    Entry::of::<shell::ShellSpout>(),
    Entry::of::<split::Split>(),
    Entry::of::<split::ParseFields>(),
    Entry::of::<json::ParseJson>(),
    Entry::of::<time::ParseTime>(),
    Entry::of::<filter::Filter>(),
    Entry::of::<select::Select>(),
    Entry::of::<map::Map>(),
    Entry::of::<thin::Dedup>(),
    Entry::of::<thin::Sample>(),
    Entry::of::<thin::RateLimit>(),
    Entry::of::<count::Count>(),
    Entry::of::<top::TopN>(),
    Entry::of::<window::Window>(),
    Entry::of::<join::Join>(),
    Entry::of::<shell::ShellBolt>(),
    Entry::of::<sinks::Print>(),
    Entry::of::<sinks::LineFile>(),
    Entry::of::<sinks::JsonFile>(),
    Entry::of::<sinks::CsvFile>(),
    Entry::of::<sinks::HttpPost>(),
];

/// The components that flows may name: those of the house, and a program's own.
///
/// A program adds its spouts and bolts, which are typed components over [`Row`]s, and runs flows
/// that name them, with all checks, settings and messages that the others have:
///
/// ```
/// use tormenta::{Bolt, Emitter, LocalCluster, Result, Simulation, record::Interned};
/// use tormenta_flow::{ComponentDoc, Need, ParamDoc, Registry, Role, Row, Setup};
///
/// /// Repeats a text.
/// #[derive(Clone)]
/// struct Echo { at: usize, times: u8, schema: Interned }
///
/// impl Bolt for Echo {
///     type Input = Row;
///     type Output = Row;
///     async fn execute(&mut self, row: Row, out: &Emitter<Row>) -> Result {
///         let text = row.at(self.at).as_text().unwrap_or_default();
///         let echo = text.repeat(usize::from(self.times));
///         let values = row.values().iter().cloned().chain([echo.into()]).collect();
///         out.emit(Row::of(self.schema, values)?).await
///     }
/// }
///
/// const ECHO: ComponentDoc = ComponentDoc {
///     name: "echo",
///     role: Role::Bolt,
///     about: "Repeats a text.",
///     emits: "the rows as they came, with echo: text",
///     params: &[
///         ParamDoc {
///             name: "field",
///             about: "The text to repeat.",
///             kind: "the name of a field",
///             need: Need::Required,
///             example: "\"line\"",
///         },
///         ParamDoc {
///             name: "times",
///             about: "How often.",
///             kind: "a whole number below 256",
///             need: Need::Default("2"),
///             example: "3",
///         },
///     ],
/// };
///
/// let registry = Registry::standard().with_bolt(&ECHO, |setup: &mut Setup| {
///     let (at, times) = (setup.field("field")?, setup.param("times")?);
///     setup.keep().add("echo: text")?;
///     Ok(Echo { at, times, schema: setup.schema() })
/// });
/// let text = r#"
///     spouts.numbers = { type = "sequence", count = 3 }
///     bolts.text = { type = "map", reads = "numbers", field = "number", op = "text" }
///     bolts.echo = { type = "echo", reads = "text", field = "number", times = 3 }
/// "#;
/// let flow = registry.flow("echo.toml", text, |_| None)?;
/// assert!(flow.plan()?.to_string().contains("echo x1 -> Row(number: text, echo: text)"));
/// let mut cluster = LocalCluster::new(flow.topology(), Simulation::new(1))?;
/// cluster.run();
///
/// let mistakes = registry.flow("echo.toml", &text.replace("= 3 }", "= 300 }"), |_| None);
/// assert!(mistakes.unwrap_err().to_string().contains("`times` of `echo`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Registry {
    entries: Vec<Entry>,
    own: Vec<Own>,
}

impl Registry {
    /// The components of the house, which [`Flow::parse`] uses.
    ///
    /// ```
    /// assert!(tormenta_flow::Registry::standard().components().any(|doc| doc.name == "tail"));
    /// ```
    #[must_use]
    pub fn standard() -> Self {
        Self { entries: STANDARD.to_vec(), own: Vec::new() }
    }

    /// Adds a spout, or puts it in the place of one that has its name.
    ///
    /// `make` is called for each component of a flow that names it, when the flow is read. It says
    /// which fields the rows have, and makes the spout, which must not open anything before
    /// [`Spout::prepare`]: what is only checked is never run. An error is a mistake of the flow.
    ///
    /// ```
    /// use tormenta::{Result, Spout, record::Interned};
    /// use tormenta_flow::{ComponentDoc, Registry, Role, Row};
    ///
    /// #[derive(Clone)]
    /// struct Once { done: bool, schema: Interned }
    ///
    /// impl Spout for Once {
    ///     type Output = Row;
    ///     type Id = ();
    ///     async fn next(&mut self) -> Result<Option<(Row, ())>> {
    ///         let is_first = !std::mem::replace(&mut self.done, true);
    ///         let row = Row::of(self.schema, vec!["storm".into()])?;
    ///         Ok(is_first.then_some((row, ())))
    ///     }
    /// }
    ///
    /// const ONCE: ComponentDoc = ComponentDoc {
    ///     name: "once", role: Role::Spout, about: "One row.", emits: "word: text", params: &[],
    /// };
    /// let registry = Registry::standard().with_spout(&ONCE, |setup| {
    ///     setup.add("word: text")?;
    ///     Ok(Once { done: false, schema: setup.schema() })
    /// });
    /// let flow = registry.flow("once.toml", "spouts.s = { type = 'once' }", |_| None)?;
    /// assert!(flow.plan()?.to_string().contains("spout s x1 -> Row(word: text)"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_spout<S: Spout<Output = Row>>(
        self,
        doc: &'static ComponentDoc,
        make: impl Fn(&mut Setup<'_>) -> tormenta::Result<S> + Send + Sync + 'static,
    ) -> Self {
        self.with(Own::spout(doc, make))
    }

    /// Adds a bolt, or puts it in the place of one that has its name. See [`Registry`] for an
    /// example.
    ///
    /// `make` is called for each component of a flow that names it, when the flow is read and it is
    /// known what it reads. It says which fields its rows have (a bolt that says nothing is a sink)
    /// and makes the bolt, which must not open anything before [`Bolt::prepare`]. An error is a
    /// mistake of the flow.
    #[must_use]
    pub fn with_bolt<B: Bolt<Input = Row, Output = Row>>(
        self,
        doc: &'static ComponentDoc,
        make: impl Fn(&mut Setup<'_>) -> tormenta::Result<B> + Send + Sync + 'static,
    ) -> Self {
        self.with(Own::bolt(doc, make))
    }

    fn with(mut self, own: Own) -> Self {
        let is_other = |doc: &ComponentDoc| (doc.name, doc.role) != (own.doc.name, own.doc.role);
        self.entries.retain(|entry| is_other(entry.doc));
        self.own.retain(|other| is_other(other.doc));
        self.own.push(own);
        self
    }

    /// Reads and checks a flow that may name any of these components, as [`Flow::parse`] does.
    ///
    /// # Errors
    /// All mistakes at once, each with its place and its mend.
    ///
    /// ```
    /// let text = "spouts.t = { type = 'timer', every = '1s' }";
    /// let flow = tormenta_flow::Registry::standard().flow("beat.toml", text, |_| None)?;
    /// assert_eq!(flow.name(), "beat");
    /// # Ok::<(), tormenta_flow::Mistakes>(())
    /// ```
    pub fn flow(
        &self,
        path: &str,
        text: &str,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Flow, Mistakes> {
        Flow::read(self, path, text, &env)
    }

    /// All components, those of the house first.
    ///
    /// ```
    /// assert_eq!(tormenta_flow::Registry::standard().components().count(),
    ///     tormenta_flow::components().count());
    /// ```
    pub fn components(&self) -> impl Iterator<Item = &'static ComponentDoc> {
        self.entries.iter().map(|entry| entry.doc).chain(self.own.iter().map(|own| own.doc))
    }

    /// The component of this name.
    pub(crate) fn find(&self, name: &str, role: Role) -> Option<Found<'_>> {
        let is_it = |doc: &ComponentDoc| doc.name == name && doc.role == role;
        let entry = self.entries.iter().find(|entry| is_it(entry.doc)).map(Found::Standard);
        entry.or_else(|| self.own.iter().find(|own| is_it(own.doc)).map(Found::Own))
    }

    /// The names of all spouts or of all bolts.
    pub(crate) fn names(&self, role: Role) -> impl Iterator<Item = &'static str> {
        self.components().filter(move |doc| doc.role == role).map(|doc| doc.name)
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.components().map(|doc| doc.name)).finish()
    }
}

/// A component that was found.
pub(crate) enum Found<'a> {
    Standard(&'a Entry),
    Own(&'a Own),
}

impl Found<'_> {
    pub(crate) fn doc(&self) -> &'static ComponentDoc {
        match self {
            Self::Standard(entry) => entry.doc,
            Self::Own(own) => own.doc,
        }
    }

    /// Reads its parameters; `None` if one that it needs is missing or wrong.
    pub(crate) fn read(&self, reader: &mut Reader<'_>) -> Option<Box<dyn Part>> {
        match self {
            Self::Standard(entry) => (entry.read)(reader),
            Self::Own(own) => own.read(reader),
        }
    }
}

/// All components, spouts first.
///
/// ```
/// assert!(tormenta_flow::components().any(|component| component.name == "tail"));
/// ```
pub fn components() -> impl Iterator<Item = &'static ComponentDoc> {
    STANDARD.iter().map(|entry| entry.doc)
}

/// The component of this name, the spout if there is a bolt too.
///
/// ```
/// assert!(tormenta_flow::component("tial").is_none());
/// ```
#[must_use]
pub fn component(name: &str) -> Option<&'static ComponentDoc> {
    components().find(|doc| doc.name == name)
}

/// What may stand beside the parameters of any component: for spouts, for bolts, and in `reads`.
///
/// ```
/// assert_eq!(tormenta_flow::settings()[0].params[0].name, "tasks");
/// ```
#[must_use]
pub fn settings() -> [&'static ComponentDoc; 3] {
    [SpoutSettings::DOC, BoltSettings::DOC, ReadTable::DOC]
}

/// What every bolt reads.
///
/// ```
/// assert_eq!(tormenta_flow::reads().name, "reads");
/// ```
#[must_use]
pub fn reads() -> crate::ParamDoc {
    READS
}
