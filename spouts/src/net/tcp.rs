//! Lines over TCP.

use std::{future::poll_fn, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tormenta_dsl::{Context, Error, Result, Spout, text::Line};

use super::{
    handoff::Handoff,
    server::{Listening, Server, Slot, Stopping, cannot_listen, stopped},
};
use crate::lines::split::Splitter;

/// Bytes that are read at a time from a connection.
const CHUNK_BYTES: usize = 16 * 1024;

/// Emits the lines that are sent to a TCP port.
///
/// `Line::file` is the number of the connection, counted from zero, and `number` the line's in it.
/// Lines are bytes, without their ends; nothing has to be UTF-8. What follows the last line end of
/// a connection is a line too, if the connection was closed and did not break.
///
/// **Bounds**, each with a setting: connections (1,024; more are closed at once and counted in
/// `connections_refused`), bytes of a line (64 KiB; a longer one closes its connection, counted in
/// `lines_too_long`), idle time (five minutes, then the connection is closed), lines that wait
/// (4,096). When that many wait nothing is read any more: TCP makes the senders wait.
///
/// **Guarantee**: TCP has no acks for lines. `.replaying(..)` replays what fails; what was sent
/// when the process ends is lost, and senders cannot know how much that was. For more there is
/// [`HttpBodies`](crate::HttpBodies).
///
/// When the topology drains, what was read and not emitted is dropped and counted in
/// `lines_dropped`. A port that is in use is an error when the topology starts.
///
/// ```
/// use tormenta_dsl::{Retry, Topology, doc::NoEngine};
/// use tormenta_spouts::TcpLines;
///
/// let mut t = Topology::<NoEngine>::new("logs");
/// let lines = t.spout("lines", TcpLines::at("127.0.0.1:5140")).replaying(Retry::default());
/// ```
pub struct TcpLines {
    settings: Settings,
    listening: Arc<Listening>,
    slot: Slot<Running>,
    running: Option<Arc<Running>>,
}

#[derive(Clone, Debug)]
struct Settings {
    address: String,
    connections_max: usize,
    line_bytes_max: usize,
    idle_max: Duration,
    queued_max: usize,
}

struct Running {
    queue: Arc<Handoff<Line>>,
    server: Server,
    cx: Context,
}

impl TcpLines {
    /// Listens at an address such as `127.0.0.1:5140`. Port 0 takes a free one.
    ///
    /// ```
    /// let lines = tormenta_spouts::TcpLines::at("127.0.0.1:5140");
    /// ```
    #[must_use]
    pub fn at(address: impl Into<String>) -> Self {
        let settings = Settings {
            address: address.into(),
            connections_max: 1_024,
            line_bytes_max: 64 << 10,
            idle_max: Duration::from_secs(300),
            queued_max: 4_096,
        };
        Self { settings, listening: Arc::default(), slot: Slot::new(), running: None }
    }

    /// Connections at a time.
    ///
    /// ```
    /// let lines = tormenta_spouts::TcpLines::at("127.0.0.1:5140").connections_max(10);
    /// ```
    #[must_use]
    pub fn connections_max(mut self, connections: usize) -> Self {
        self.settings.connections_max = connections;
        self
    }

    /// Bytes that a line may have.
    ///
    /// ```
    /// let lines = tormenta_spouts::TcpLines::at("127.0.0.1:5140").line_bytes_max(1 << 20);
    /// ```
    #[must_use]
    pub fn line_bytes_max(mut self, bytes: usize) -> Self {
        self.settings.line_bytes_max = bytes;
        self
    }

    /// For how long a connection may be silent.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let lines = tormenta_spouts::TcpLines::at("127.0.0.1:5140");
    /// let lines = lines.idle_max(Duration::from_secs(10));
    /// ```
    #[must_use]
    pub fn idle_max(mut self, silent: Duration) -> Self {
        self.settings.idle_max = silent;
        self
    }

    /// Lines that may wait to be emitted.
    ///
    /// ```
    /// let lines = tormenta_spouts::TcpLines::at("127.0.0.1:5140").queued_max(100);
    /// ```
    #[must_use]
    pub fn queued_max(mut self, lines: usize) -> Self {
        self.settings.queued_max = lines;
        self
    }

    /// Where it listens, once the topology has started.
    ///
    /// ```
    /// let listening = tormenta_spouts::TcpLines::at("127.0.0.1:0").listening();
    /// ```
    #[must_use]
    pub fn listening(&self) -> Arc<Listening> {
        self.listening.clone()
    }

    fn start(&self, cx: &Context) -> Result<Running> {
        let address = &self.settings.address;
        let cannot = |error| cannot_listen(address, &error);
        let listener = std::net::TcpListener::bind(address).map_err(cannot)?;
        listener.set_nonblocking(true).map_err(cannot)?;
        self.listening.set(listener.local_addr().ok());
        let queue = Arc::new(Handoff::new(self.settings.queued_max));
        let (settings, lines, ours) = (self.settings.clone(), queue.clone(), cx.clone());
        let server = Server::start("tcp", move |stopping| async move {
            match TcpListener::from_std(listener) {
                Ok(listener) => serve(listener, settings, lines, ours, stopping).await,
                Err(error) => ours.report(&Error::from(error)),
            }
        })?;
        Ok(Running { queue, server, cx: cx.clone() })
    }
}

async fn serve(
    listener: TcpListener,
    settings: Settings,
    lines: Arc<Handoff<Line>>,
    cx: Context,
    mut stopping: Stopping,
) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(_) if connections.len() >= settings.connections_max => {
                    cx.counter("connections_refused").add(1);
                }
                Ok((stream, _)) => {
                    cx.counter("connections").add(1);
                    let (settings, lines, cx) = (settings.clone(), lines.clone(), cx.clone());
                    connections.spawn(async move {
                        read(stream, number, &settings, &lines, &cx).await;
                    });
                    number = number.wrapping_add(1);
                }
                // Too many open files, or a peer that was gone again: others may come.
                Err(error) => {
                    cx.report(&Error::from(error).context("accept a connection"));
                    rest().await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = stopped(&mut stopping) => return,
        }
    }
}

/// An accept that fails is likely to fail again at once.
pub(crate) async fn rest() {
    let _ = tokio::time::timeout(Duration::from_millis(50), std::future::pending::<()>()).await;
}

/// Reads one connection to its end.
async fn read(
    mut stream: TcpStream,
    file: u32,
    settings: &Settings,
    lines: &Handoff<Line>,
    cx: &Context,
) {
    let mut splitter = Splitter::new(settings.line_bytes_max);
    let mut number = 0;
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(CHUNK_BYTES);
        let read = tokio::time::timeout(settings.idle_max, stream.read_buf(&mut buffer)).await;
        match read {
            Ok(Ok(0)) => splitter.end(),
            Ok(Ok(_)) => splitter.push(buffer.split().freeze()),
            Ok(Err(_)) => return cx.counter("connections_broken").add(1),
            Err(_) => return cx.counter("connections_idle").add(1),
        }
        let ended = matches!(read, Ok(Ok(0)));
        loop {
            match splitter.line() {
                Ok(Some(text)) => {
                    number += 1;
                    // A line must not keep a chunk alive that is many times its size.
                    let is_small = text.len() * 8 < CHUNK_BYTES;
                    let text = if is_small { Bytes::copy_from_slice(&text) } else { text };
                    lines.put(Line { text, file, number }).await;
                }
                Ok(None) => break,
                Err(_) => return cx.counter("lines_too_long").add(1),
            }
        }
        if ended {
            return;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.stop();
        self.cx.counter("lines_dropped").add(self.queue.clear() as u64);
    }
}

/// A clone listens at the same port, together with the original.
impl Clone for TcpLines {
    fn clone(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            listening: self.listening.clone(),
            slot: self.slot.clone(),
            running: None,
        }
    }
}

impl std::fmt::Debug for TcpLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TcpLines").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Spout for TcpLines {
    type Output = Line;
    type Id = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.running = Some(self.slot.get(|| self.start(cx))?);
        Ok(())
    }

    #[inline]
    async fn next(&mut self) -> Result<Option<(Line, ())>> {
        let Some(running) = &self.running else {
            return Err(Error::msg("the spout was not prepared"));
        };
        let line = poll_fn(|cx| running.queue.poll_take(cx)).await;
        Ok(Some((line, ())))
    }
}
