//! Tuples to standard output.

use std::time::Duration;

use tormenta_dsl::{Bolt, Context, Emitter, Free, Result, Streams};

use crate::{
    console::{Console, Printed},
    format::Format,
};

/// How often it is looked whether anybody still reads.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Prints one line a tuple, which is acked when its line is written. When the reader of standard
/// output has gone, as after `| head`, the topology [drains](Context::drain): nobody wants the
/// rest. That is noticed at the next line, and within a second where there is none: unless its user
/// sets another interval, a `Print` whose output is a pipe or a socket ticks once a second.
///
/// ```
/// use std::io::Write;
/// use tormenta_bolts::{Print, WordCount};
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// # let mut t = Topology::<NoEngine>::new("word-count");
/// # let counts = t.feedback::<WordCount>("counts");
///
/// t.bolt("print", Print::new(), counts.global()); // {word: b"storm", count: 3}
/// let pretty = Print::with(|count: &WordCount, line| {
///     line.extend_from_slice(&count.word);
///     line.extend_from_slice(b" again");
/// });
/// t.bolt("pretty", pretty, counts.global()); // storm again
/// ```
pub struct Print<T> {
    format: Format<T>,
    console: Console,
    line: Vec<u8>,
    cx: Option<Context>,
}

impl<T: Streams> Print<T> {
    /// Prints each tuple as a [`Record`](tormenta_dsl::record::Record).
    ///
    /// ```
    /// let print = tormenta_bolts::Print::<u64>::new();
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::formatted(Format::record())
    }

    /// Prints what the closure adds to the line.
    ///
    /// ```
    /// use tormenta_bolts::{Print, WordCount};
    ///
    /// let print = Print::with(WordCount::tsv);
    /// ```
    #[must_use]
    pub fn with(write: impl Fn(&T, &mut Vec<u8>) + Send + Sync + 'static) -> Self {
        Self::formatted(Format::with(write))
    }

    fn formatted(format: Format<T>) -> Self {
        Self { format, console: Console::default(), line: Vec::new(), cx: None }
    }
}

impl<T: Streams> Default for Print<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Print<T> {
    fn clone(&self) -> Self {
        let (format, console) = (self.format.clone(), self.console.clone());
        Self { format, console, line: Vec::new(), cx: None }
    }
}

impl<T> std::fmt::Debug for Print<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Print").finish_non_exhaustive()
    }
}

impl<T: Streams> Bolt for Print<T> {
    type Input = T;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.cx = Some(cx.clone());
        Ok(())
    }

    /// A quiet topology would hear of it at its next line, which may be tomorrow.
    fn tick_interval(&self) -> Option<Duration> {
        self.console.has_reader().then_some(LOOK_EVERY)
    }

    async fn tick(&mut self, _out: &Emitter<(), Free>) -> Result {
        if self.console.is_closed() {
            self.cx.iter().for_each(Context::drain);
        }
        Ok(())
    }

    async fn execute(&mut self, tuple: T, _out: &Emitter<()>) -> Result {
        self.line.clear();
        self.format.line(&tuple, &mut self.line)?;
        match self.console.print(&self.line)? {
            Printed::Whole => {}
            Printed::Unwanted => self.cx.iter().for_each(Context::drain),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc};

    use super::*;
    use crate::{
        WordCount,
        testing::{Bench, block_on},
    };

    #[test]
    fn one_line_a_tuple() {
        let written = Arc::default();
        let mut print = Print::with(WordCount::tsv);
        print.console = Console::Memory(Arc::clone(&written));
        for n in 1..=2 {
            let count = WordCount::new("storm", n);
            block_on(print.execute(count, &Bench::new().emitter())).expect("no error");
        }
        assert_eq!(*written.lock().expect("whole"), b"storm\t1\nstorm\t2\n");
    }

    #[test]
    fn a_full_disk_fails_the_tuple_and_a_closed_output_does_not() {
        let mut print = Print::new();
        print.console = Console::Failing(io::ErrorKind::BrokenPipe);
        block_on(print.execute(1u64, &Bench::new().emitter())).expect("nobody wants it");
        print.console = Console::Failing(io::ErrorKind::StorageFull);
        let result = block_on(print.execute(1u64, &Bench::new().emitter()));
        let text = result.expect_err("full").to_string();
        assert!(text.contains("write to standard output"), "{text}");
    }
}
