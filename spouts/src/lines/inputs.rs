//! What was named, and which of it belongs to a task.

use std::{path::PathBuf, sync::Arc};

use tormenta_dsl::{Context, Result};

use super::{
    Progress, open,
    sources::{self, Source},
};

/// The inputs of a spout that reads files. All its tasks share them.
#[derive(Clone)]
pub(crate) struct Inputs {
    pub(crate) named: Arc<[PathBuf]>,
    pub(crate) progress: Arc<Progress>,
}

impl Inputs {
    pub(crate) fn of(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        let named = paths.into_iter().map(Into::into).collect();
        Self { named, progress: Arc::default() }
    }

    /// The sources. All tasks agree on them, although files may come and go.
    pub(crate) fn sources(&self) -> Result<&Arc<[Source]>> {
        match self.progress.sources() {
            Some(sources) => Ok(sources),
            None => Ok(self.progress.keep(sources::find(&self.named)?)),
        }
    }

    /// Looks for everything that is named and opens it.
    pub(crate) fn check(&self) -> Result {
        self.sources()?.iter().try_for_each(open::check)
    }

    /// The sources of one task, checked, each with its number: file `i` is for task `i % tasks`.
    pub(crate) fn mine(&self, cx: &Context) -> Result<Vec<(u32, Source)>> {
        let mine = |(file, _): &(usize, &Source)| file % cx.tasks() == cx.task();
        let mine: Vec<_> = self.sources()?.iter().enumerate().filter(mine).collect();
        mine.iter().try_for_each(|(_, source)| open::check(source))?;
        Ok(mine.into_iter().map(|(file, source)| (file as u32, source.clone())).collect())
    }
}
