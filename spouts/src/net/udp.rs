//! Lines over UDP.

use std::{future::poll_fn, sync::Arc};

use bytes::Bytes;
use tokio::net::UdpSocket;
use tormenta_dsl::{Context, Error, Result, Spout, text::Line};

use super::{
    handoff::Handoff,
    server::{Listening, Server, Slot, Stopping, cannot_listen, stopped},
    tcp::rest,
};

/// The largest datagram there is.
const DATAGRAM_BYTES: usize = 64 * 1024;

/// Emits the lines of the datagrams that are sent to a UDP port.
///
/// A datagram has one line or several, and its last needs no end; empty lines are skipped. `number`
/// counts the datagrams from one, and `file` the lines of a datagram from zero. Lines are bytes;
/// nothing has to be UTF-8.
///
/// UDP cannot make senders wait. When too many lines wait ([`queued_max`](UdpLines::queued_max),
/// 65,536 unless set) those that come are dropped, and counted in `lines_dropped`. What the system
/// drops before that, because its buffer is full, nobody here can count.
///
/// **Guarantee**: none for what was not emitted. `.replaying(..)` replays what fails, for as long
/// as the process lives. A port that is in use is an error when the topology starts.
///
/// ```
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// use tormenta_spouts::UdpLines;
///
/// let mut t = Topology::<NoEngine>::new("metrics");
/// let lines = t.spout("lines", UdpLines::at("127.0.0.1:8125"));
/// ```
pub struct UdpLines {
    address: String,
    queued_max: usize,
    listening: Arc<Listening>,
    slot: Slot<Running>,
    running: Option<Arc<Running>>,
}

struct Running {
    queue: Arc<Handoff<Line>>,
    server: Server,
    cx: Context,
}

impl UdpLines {
    /// Listens at an address such as `127.0.0.1:8125`. Port 0 takes a free one.
    ///
    /// ```
    /// let lines = tormenta_spouts::UdpLines::at("127.0.0.1:8125");
    /// ```
    #[must_use]
    pub fn at(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            queued_max: 65_536,
            listening: Arc::default(),
            slot: Slot::new(),
            running: None,
        }
    }

    /// Lines that may wait to be emitted; those that come when so many wait are dropped.
    ///
    /// ```
    /// let lines = tormenta_spouts::UdpLines::at("127.0.0.1:8125").queued_max(1_000);
    /// ```
    #[must_use]
    pub fn queued_max(self, lines: usize) -> Self {
        Self { queued_max: lines, ..self }
    }

    /// Where it listens, once the topology has started.
    ///
    /// ```
    /// let listening = tormenta_spouts::UdpLines::at("127.0.0.1:0").listening();
    /// ```
    #[must_use]
    pub fn listening(&self) -> Arc<Listening> {
        self.listening.clone()
    }

    fn start(&self, cx: &Context) -> Result<Running> {
        let cannot = |error| cannot_listen(&self.address, &error);
        let socket = std::net::UdpSocket::bind(&self.address).map_err(cannot)?;
        socket.set_nonblocking(true).map_err(cannot)?;
        self.listening.set(socket.local_addr().ok());
        let queue = Arc::new(Handoff::new(self.queued_max));
        let (lines, ours) = (queue.clone(), cx.clone());
        let server = Server::start("udp", move |stopping| async move {
            match UdpSocket::from_std(socket) {
                Ok(socket) => serve(socket, &lines, &ours, stopping).await,
                Err(error) => ours.report(&Error::from(error)),
            }
        })?;
        Ok(Running { queue, server, cx: cx.clone() })
    }
}

async fn serve(socket: UdpSocket, lines: &Handoff<Line>, cx: &Context, mut stopping: Stopping) {
    let mut buffer = vec![0; DATAGRAM_BYTES];
    let (mut number, dropped) = (0, cx.counter("lines_dropped"));
    loop {
        let received = tokio::select! {
            received = socket.recv(&mut buffer) => received,
            () = stopped(&mut stopping) => return,
        };
        let Ok(bytes) = received else {
            // An answer to somebody who is gone; nothing was received.
            rest().await;
            continue;
        };
        number += 1;
        for (file, text) in lines_of(&buffer[..bytes]).enumerate() {
            let line = Line { text: Bytes::copy_from_slice(text), file: file as u32, number };
            if lines.try_put(line).is_err() {
                dropped.add(1);
            }
        }
    }
}

/// The lines of a datagram, without their ends and without empty ones.
fn lines_of(datagram: &[u8]) -> impl Iterator<Item = &[u8]> {
    datagram.split(|byte| *byte == b'\n').map(bare).filter(|line| !line.is_empty())
}

fn bare(line: &[u8]) -> &[u8] {
    let last = line.iter().rposition(|byte| *byte != b'\r');
    &line[..last.map_or(0, |last| last + 1)]
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.stop();
        self.cx.counter("lines_dropped").add(self.queue.clear() as u64);
    }
}

/// A clone listens at the same port, together with the original.
impl Clone for UdpLines {
    fn clone(&self) -> Self {
        Self {
            address: self.address.clone(),
            queued_max: self.queued_max,
            listening: self.listening.clone(),
            slot: self.slot.clone(),
            running: None,
        }
    }
}

impl std::fmt::Debug for UdpLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UdpLines").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Spout for UdpLines {
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
