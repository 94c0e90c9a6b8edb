//! The command line: `<bin> WORKLOAD SECONDS [WORKERS] [OPTION]`.

use std::time::Duration;

/// What is measured; `README.md` defines each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// Source, sink.
    W1,
    /// Source, hand-over, sink.
    W1x,
    /// Source, map, sink.
    W2,
    /// Source, map, hand-over, sink.
    W2x,
    /// Word count.
    W3,
    /// Events per key and second, counted.
    W4,
}

impl Workload {
    /// As it stands on the command line and in the printed line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::W1 => "w1",
            Self::W1x => "w1x",
            Self::W2 => "w2",
            Self::W2x => "w2x",
            Self::W3 => "w3",
            Self::W4 => "w4",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [
            Self::W1,
            Self::W1x,
            Self::W2,
            Self::W2x,
            Self::W3,
            Self::W4,
        ]
            .into_iter()
            .find(|w| w.name() == name)
    }
}

/// One measurement to make.
#[derive(Clone, Debug)]
pub struct Request {
    /// What to run.
    pub workload: Workload,
    /// How long the sources count.
    pub time: Duration,
    /// The engine's own parallelism.
    pub workers: usize,
    /// A setting of this engine only.
    pub option: Option<String>,
}

impl Request {
    /// Does any tuple cross from one thread to another?
    #[must_use]
    pub fn hands_over(&self) -> bool {
        match self.workload {
            Workload::W1 | Workload::W2 => false,
            Workload::W1x | Workload::W2x => true,
            Workload::W3 | Workload::W4 => self.workers > 1,
        }
    }

    pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> Result<Self, String> {
        const USAGE: &str = "usage: w1|w1x|w2|w2x|w3|w4 SECONDS [WORKERS] [OPTION]";
        let mut args = args.into_iter();
        let workload = args
            .next()
            .and_then(|name| Workload::named(&name))
            .ok_or(USAGE)?;
        let time = args
            .next()
            .and_then(|seconds| seconds.parse().ok())
            .ok_or(USAGE)?;
        let time = Duration::try_from_secs_f64(time).map_err(|error| error.to_string())?;
        let workers = args
            .next()
            .map_or(Ok(1), |n| n.parse())
            .map_err(|_| USAGE)?;
        Ok(Self {
            workload,
            time,
            workers,
            option: args.next(),
        })
    }
}
