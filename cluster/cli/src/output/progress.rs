//! A bar that shows how far something is, on a terminal only.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Output;

/// How often the bar is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(100);

/// How many bytes were read, of how many, if that is known.
pub(super) type ReadBytes = (u64, Option<u64>);

/// A bar on standard error. It is gone when this is dropped.
pub(crate) struct Progress {
    line: Line,
    ends: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Shows what `read` says, until dropped. Shows nothing where nobody watches.
    pub(crate) fn start(
        output: &Output,
        read: impl Fn() -> (ReadBytes, String) + Send + 'static,
    ) -> Self {
        let target = match output.is_quiet() {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr(),
        };
        let line = Line::new(target, |text| {
            // If nobody looks, there is nothing to be shown.
            let _ = io::stderr().write_all(text.as_bytes());
        });
        if line.bar.is_hidden() {
            return Self { line, ends: None, thread: None };
        }
        let (ends, has_ended) = channel();
        let drawn = line.clone();
        let draw = move || {
            while has_ended.recv_timeout(DRAWN_EVERY) == Err(RecvTimeoutError::Timeout) {
                let (bytes, message) = read();
                drawn.draw(bytes, message);
            }
        };
        let thread = thread::Builder::new().name("tormenta-progress".to_owned()).spawn(draw);
        // Without the thread there is no bar. The work goes on.
        Self { line, ends: Some(ends), thread: thread.ok() }
    }

    /// Prints lines above the bar.
    pub(crate) fn teller(&self, output: Output) -> impl Fn(&str) + Send + 'static {
        let line = self.line.clone();
        move |text| line.above(|| output.talk(text))
    }
}

/// The line of a terminal that the bar is on.
#[derive(Clone)]
struct Line {
    bar: ProgressBar,
    /// Writes past the bar.
    write: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Line {
    fn new(target: ProgressDrawTarget, write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { bar: ProgressBar::with_draw_target(None, target), write: Arc::new(write) }
    }

    fn draw(&self, (read, total): ReadBytes, message: String) {
        let bar = &self.bar;
        if let (Some(total), None) = (total, bar.length()) {
            bar.set_length(total);
        }
        let template = match bar.length() {
            Some(_) => "{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {msg}, {eta} left",
            None => "{spinner} {bytes}, {bytes_per_sec}, {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(message);
        bar.set_position(read);
        bar.tick();
        self.return_carriage();
    }

    /// Lets somebody print lines above the bar.
    fn above(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
        self.return_carriage();
    }

    /// The bar fills its line and leaves the cursor at its end. There the `^C` that a terminal
    /// shows would begin another line, and the bar would then be cleared from that one.
    fn return_carriage(&self) {
        if !self.bar.is_hidden() {
            (self.write)("\r");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.ends.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.line.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use indicatif::TermLike;

    use super::*;

    /// A terminal of 60 columns, as far as a bar needs one.
    #[derive(Clone, Debug, Default)]
    struct Screen(Arc<Mutex<Cells>>);

    #[derive(Debug, Default)]
    struct Cells {
        rows: Vec<Vec<char>>,
        row: usize,
        /// May be one past the last: there the next letter begins a line.
        column: usize,
    }

    const WIDTH: usize = 60;

    impl Screen {
        fn print(&self, text: &str) {
            let mut cells = self.0.lock().expect("no panic");
            for c in text.chars() {
                cells.put(c);
            }
        }

        fn change(&self, change: impl FnOnce(&mut Cells)) -> io::Result<()> {
            change(&mut self.0.lock().expect("no panic"));
            Ok(())
        }

        /// What is to be seen, without the blanks at the ends of lines.
        fn seen(&self) -> Vec<String> {
            let cells = self.0.lock().expect("no panic");
            let text = |row: &Vec<char>| row.iter().collect::<String>().trim_end().to_owned();
            cells.rows.iter().map(text).filter(|line| !line.is_empty()).collect()
        }
    }

    impl Cells {
        fn put(&mut self, c: char) {
            match c {
                '\r' => self.column = 0,
                '\n' => (self.row, self.column) = (self.row + 1, 0),
                _ => {
                    if self.column == WIDTH {
                        (self.row, self.column) = (self.row + 1, 0);
                    }
                    self.rows.resize(self.rows.len().max(self.row + 1), vec![' '; WIDTH]);
                    self.rows[self.row][self.column] = c;
                    self.column += 1;
                }
            }
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            WIDTH as u16
        }

        fn move_cursor_up(&self, n: usize) -> io::Result<()> {
            self.change(|cells| cells.row = cells.row.saturating_sub(n))
        }

        fn move_cursor_down(&self, n: usize) -> io::Result<()> {
            self.change(|cells| cells.row += n)
        }

        fn move_cursor_right(&self, n: usize) -> io::Result<()> {
            self.change(|cells| cells.column = (cells.column + n).min(WIDTH - 1))
        }

        fn move_cursor_left(&self, n: usize) -> io::Result<()> {
            self.change(|cells| cells.column = cells.column.saturating_sub(n))
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.print(text);
            self.print("\r\n");
            Ok(())
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.print(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            self.change(|cells| {
                let row = cells.row;
                if let Some(cells) = cells.rows.get_mut(row) {
                    cells.fill(' ');
                }
                cells.column = 0;
            })
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Of a bar that was interrupted, once and twice, nothing stays behind.
    #[test]
    fn nothing_of_the_bar_stays_behind() {
        for total in [None, Some(1 << 20), Some(1 << 60)] {
            let screen = Screen::default();
            let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
            let printed = screen.clone();
            let line = Line::new(target, move |text| printed.print(text));
            let progress = Progress { line: line.clone(), ends: None, thread: None };
            line.draw((1 << 19, total), "7 words".to_owned());
            assert!(screen.seen().concat().contains("7 words"), "{screen:?}");
            for told in ["interrupted", "interrupted again"] {
                screen.print("^C");
                line.above(|| screen.print(&format!("{told}\r\n")));
            }
            line.draw((1 << 19, total), "8 words".to_owned());
            screen.print("^C");
            drop(progress);
            assert_eq!(screen.seen(), ["interrupted", "interrupted again"], "{total:?}");
        }
    }
}
