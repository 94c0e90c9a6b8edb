//! How a child is started, and what it may do: what spouts and bolts have in common.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde_json::Value as Json;

use crate::fields::Declared;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) cwd: Option<PathBuf>,
    /// What the child reads as `conf`.
    pub(crate) conf: BTreeMap<String, Json>,
    pub(crate) outputs: Vec<Declared>,
    pub(crate) timeout: Duration,
    pub(crate) message_bytes_max: usize,
}

impl Settings {
    pub(crate) fn new<S: Into<String>>(command: impl IntoIterator<Item = S>) -> Self {
        Self {
            command: command.into_iter().map(Into::into).collect(),
            env: BTreeMap::new(),
            cwd: None,
            conf: BTreeMap::new(),
            outputs: Vec::new(),
            timeout: Duration::from_secs(30),
            message_bytes_max: 16 << 20,
        }
    }

    pub(crate) fn output<S: Into<String>>(
        &mut self,
        stream: impl Into<String>,
        fields: impl IntoIterator<Item = S>,
    ) {
        let fields = fields.into_iter().map(Into::into).collect();
        self.outputs.push((stream.into(), fields));
    }

    /// The command as a person would write it, for messages.
    pub(crate) fn name(&self) -> String {
        self.command.join(" ")
    }
}

/// The methods that both builders have.
macro_rules! common_settings {
    ($new:literal) => {
        /// A variable of the child's environment, on top of those of this process.
        ///
        /// ```
        #[doc = concat!("let child = tormenta_multilang::", $new, "([\"./child\"]);")]
        /// let child = child.env("TZ", "UTC");
        /// ```
        #[must_use]
        pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.settings.env.insert(name.into(), value.into());
            self
        }

        /// The directory that the child works in; that of this process unless set.
        ///
        /// ```
        #[doc = concat!("let child = tormenta_multilang::", $new, "([\"./child\"]);")]
        /// let child = child.cwd("components");
        /// ```
        #[must_use]
        pub fn cwd(mut self, folder: impl Into<std::path::PathBuf>) -> Self {
            self.settings.cwd = Some(folder.into());
            self
        }

        /// An entry of `conf`, which the child reads when it starts.
        ///
        /// ```
        #[doc = concat!("let child = tormenta_multilang::", $new, "([\"./child\"]);")]
        /// let child = child.conf("limit", 100).conf("name", "storm");
        /// ```
        #[must_use]
        pub fn conf(mut self, key: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
            self.settings.conf.insert(key.into(), value.into());
            self
        }

        /// A stream that the child may emit, with its fields: `word`, or `n: u64` where the type
        /// is to be checked. Integers, floats, `bool` and `String` are, and `Option` of these,
        /// which may be null; all else takes any value.
        ///
        /// The stream that the child does not name is called `default`. A child with one output
        /// need not name it. One for each stream of the type: what emits nothing declares nothing.
        ///
        /// ```
        #[doc = concat!("let child = tormenta_multilang::", $new, "([\"./child\"]);")]
        /// let child = child.output("default", ["word: String", "n: u64"]);
        /// ```
        #[must_use]
        pub fn output<S: Into<String>>(
            mut self,
            stream: impl Into<String>,
            fields: impl IntoIterator<Item = S>,
        ) -> Self {
            self.settings.output(stream, fields);
            self
        }

        /// For how long the child may say nothing; 30 s unless set. It is killed then. A bolt that
        /// waits for as long to be rid of a tuple is stuck by its `execute_timeout` as well, which
        /// restarts its task and so the child.
        ///
        /// ```
        #[doc = concat!("let child = tormenta_multilang::", $new, "([\"./child\"]);")]
        /// let child = child.timeout(std::time::Duration::from_secs(120));
        /// ```
        #[must_use]
        pub fn timeout(mut self, silent: std::time::Duration) -> Self {
            self.settings.timeout = silent;
            self
        }

        /// Bytes that one message of the child may have; 16 MiB unless set. A child that writes a
        /// longer one is killed.
        ///
        /// ```
        #[doc = concat!("let child = tormenta_multilang::", $new, "([\"./child\"]);")]
        /// let child = child.message_bytes_max(1 << 20);
        /// ```
        #[must_use]
        pub fn message_bytes_max(mut self, bytes: usize) -> Self {
            self.settings.message_bytes_max = bytes;
            self
        }
    };
}
