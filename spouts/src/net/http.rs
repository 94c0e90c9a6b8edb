//! Bodies over HTTP, each answered when its tree has ended.

use std::{future::poll_fn, sync::Arc, time::Duration};

use bytes::Bytes;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::{Deserialize, Serialize};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use tormenta_dsl::{Context, Error, Failure, Result, Spout, Tuple};

use super::{
    handoff::Handoff,
    respond::{Decode, Desk, Outcome, Reply},
    server::{Listening, Server, Slot, Stopping, cannot_listen, stopped},
    tcp::rest,
};

/// A request: the path that it was sent to, and its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// The path, without what follows a `?`.
    pub path: String,
    /// The body as it came.
    pub body: Bytes,
}

impl Tuple for Post {
    fn schema() -> Arc<tormenta_dsl::record::Schema> {
        use tormenta_dsl::record::Schema;
        static SCHEMA: std::sync::LazyLock<Arc<Schema>> = std::sync::LazyLock::new(|| {
            Arc::new(Schema::new("Post", &[("path", "String"), ("body", "Bytes")]))
        });
        SCHEMA.clone()
    }
}

/// Emits what is sent by HTTP POST, and answers when the tuple's whole tree has ended. Needs the
/// feature `http`.
///
/// | answer | when |
/// |---|---|
/// | 200 | the tree is acked, or was given up as a dead letter: do not send it again |
/// | 400 | the body is not what is wanted; the answer says why |
/// | 404, 405 | another path or method |
/// | 408 | the body did not come within ten seconds |
/// | 413 | the body is longer than 1 MiB |
/// | 500 | the tree failed; the answer says why |
/// | 503 | too many requests are open (4,096), with `retry-after`; or the topology is stopping |
/// | 504 | no end within 30 s. The tuple may still be processed |
///
/// Connections are kept alive (HTTP/1.1), 1,024 at a time. All bounds can be set.
///
/// **Guarantee**: at least once by the client: whoever sends until there is a 200 leaves nothing
/// out, whatever is restarted. With `.replaying(..)` the engine replays what fails before there is
/// an answer, and an answer of 200 may then mean a dead letter.
///
/// There is no encryption and nobody is asked for a name: listen at a loopback address, or put a
/// proxy in front. A port that is in use is an error when the topology starts.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tormenta_dsl::{Topology, Tuple, doc::NoEngine};
/// use tormenta_spouts::HttpBodies;
/// # extern crate tormenta_dsl as tormenta;
///
/// #[derive(Tuple, Clone, Serialize, Deserialize)]
/// struct Swipe { card: u64, cents: u64 }
///
/// let mut t = Topology::<NoEngine>::new("fraud");
/// let raw = t.spout("raw", HttpBodies::at("127.0.0.1:8080"));
/// let swipes = HttpBodies::json::<Swipe>("127.0.0.1:8081").path("/v1/authorize");
/// let swipes = t.spout("swipes", swipes);
/// ```
pub struct HttpBodies<T = Post> {
    settings: Settings,
    decode: Decode<T>,
    listening: Arc<Listening>,
    slot: Slot<Running<T>>,
    running: Option<Arc<Running<T>>>,
}

#[derive(Clone, Debug)]
struct Settings {
    address: String,
    path: Option<String>,
    connections_max: usize,
    pending_max: usize,
    body_bytes_max: usize,
    read_within: Duration,
    answer_within: Duration,
}

struct Running<T> {
    queue: Arc<Handoff<(T, Reply)>>,
    server: Server,
}

impl HttpBodies {
    /// Takes bodies as they are, at an address such as `127.0.0.1:8080`. Port 0 takes a free one.
    ///
    /// ```
    /// let bodies = tormenta_spouts::HttpBodies::at("127.0.0.1:8080");
    /// ```
    #[must_use]
    pub fn at(address: impl Into<String>) -> Self {
        Self::new(address.into(), |path, body| Ok(Post { path: path.to_owned(), body }))
    }

    /// Takes bodies that are a `T` in JSON.
    ///
    /// ```
    /// let numbers = tormenta_spouts::HttpBodies::json::<u64>("127.0.0.1:8080");
    /// ```
    #[must_use]
    pub fn json<T: Tuple>(address: impl Into<String>) -> HttpBodies<T> {
        HttpBodies::new(address.into(), |_, body| {
            serde_json::from_slice(&body).map_err(|error| error.to_string())
        })
    }

    /// Takes bodies that `decode` can make a tuple of, for all other formats. It is given the path,
    /// without what follows a `?`, and the body; who sent a body that is none gets a 400 with the
    /// reason that it gives.
    ///
    /// ```
    /// let numbers = tormenta_spouts::HttpBodies::decoded("127.0.0.1:8080", |_path, body| {
    ///     let text = std::str::from_utf8(&body).map_err(|error| error.to_string())?;
    ///     text.parse::<u64>().map_err(|error| error.to_string())
    /// });
    /// ```
    #[must_use]
    pub fn decoded<T: Tuple>(
        address: impl Into<String>,
        decode: impl Fn(&str, Bytes) -> Result<T, String> + Send + Sync + 'static,
    ) -> HttpBodies<T> {
        HttpBodies::new(address.into(), decode)
    }
}

impl<T: Tuple> HttpBodies<T> {
    fn new(
        address: String,
        decode: impl Fn(&str, Bytes) -> Result<T, String> + Send + Sync + 'static,
    ) -> Self {
        let decode: Decode<T> = Arc::new(decode);
        let settings = Settings {
            address,
            path: None,
            connections_max: 1_024,
            pending_max: 4_096,
            body_bytes_max: 1 << 20,
            read_within: Duration::from_secs(10),
            answer_within: Duration::from_secs(30),
        };
        Self { settings, decode, listening: Arc::default(), slot: Slot::new(), running: None }
    }

    /// Takes what is sent to this path only; all paths unless set.
    ///
    /// ```
    /// let bodies = tormenta_spouts::HttpBodies::at("127.0.0.1:8080").path("/orders");
    /// ```
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.settings.path = Some(path.into());
        self
    }

    /// Connections at a time; more are closed at once.
    ///
    /// ```
    /// let bodies = tormenta_spouts::HttpBodies::at("127.0.0.1:8080").connections_max(10);
    /// ```
    #[must_use]
    pub fn connections_max(mut self, connections: usize) -> Self {
        self.settings.connections_max = connections;
        self
    }

    /// Requests that may be without an answer; more get a 503.
    ///
    /// ```
    /// let bodies = tormenta_spouts::HttpBodies::at("127.0.0.1:8080").requests_max(100);
    /// ```
    #[must_use]
    pub fn requests_max(mut self, requests: usize) -> Self {
        self.settings.pending_max = requests.min(Semaphore::MAX_PERMITS);
        self
    }

    /// Bytes that a body may have; a longer one gets a 413.
    ///
    /// ```
    /// let bodies = tormenta_spouts::HttpBodies::at("127.0.0.1:8080").body_bytes_max(1_000);
    /// ```
    #[must_use]
    pub fn body_bytes_max(mut self, bytes: usize) -> Self {
        self.settings.body_bytes_max = bytes;
        self
    }

    /// Time for the head and for the body of a request to come in; then there is a 408, or the
    /// connection is closed. It is also how long an idle connection is kept.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let bodies = tormenta_spouts::HttpBodies::at("127.0.0.1:8080");
    /// let bodies = bodies.read_within(Duration::from_secs(1));
    /// ```
    #[must_use]
    pub fn read_within(mut self, limit: Duration) -> Self {
        self.settings.read_within = limit;
        self
    }

    /// Time for a tree to end; then there is a 504.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let bodies = tormenta_spouts::HttpBodies::at("127.0.0.1:8080");
    /// let bodies = bodies.answer_within(Duration::from_secs(1));
    /// ```
    #[must_use]
    pub fn answer_within(mut self, limit: Duration) -> Self {
        self.settings.answer_within = limit;
        self
    }

    /// Where it listens, once the topology has started.
    ///
    /// ```
    /// let listening = tormenta_spouts::HttpBodies::at("127.0.0.1:0").listening();
    /// ```
    #[must_use]
    pub fn listening(&self) -> Arc<Listening> {
        self.listening.clone()
    }

    fn start(&self, cx: &Context) -> Result<Running<T>> {
        let settings = self.settings.clone();
        let cannot = |error| cannot_listen(&self.settings.address, &error);
        let listener = std::net::TcpListener::bind(&settings.address).map_err(cannot)?;
        listener.set_nonblocking(true).map_err(cannot)?;
        self.listening.set(listener.local_addr().ok());
        let queue = Arc::new(Handoff::new(settings.pending_max));
        let desk = Arc::new(Desk {
            queue: queue.clone(),
            decode: self.decode.clone(),
            path: settings.path,
            body_bytes_max: settings.body_bytes_max,
            read_within: settings.read_within,
            answer_within: settings.answer_within,
            places: Semaphore::new(settings.pending_max),
            cx: cx.clone(),
        });
        let connections_max = settings.connections_max;
        let server = Server::start("http", move |stopping| async move {
            match TcpListener::from_std(listener) {
                Ok(listener) => serve(listener, desk, connections_max, stopping).await,
                Err(error) => desk.cx.report(&Error::from(error)),
            }
        })?;
        Ok(Running { queue, server })
    }
}

async fn serve<T: Tuple>(
    listener: TcpListener,
    desk: Arc<Desk<T>>,
    connections_max: usize,
    mut stopping: Stopping,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(_) if connections.len() >= connections_max => {
                    desk.cx.counter("connections_refused").add(1);
                }
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, desk.clone(), stopping.clone()));
                }
                Err(error) => {
                    desk.cx.report(&Error::from(error).context("accept a connection"));
                    rest().await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = stopped(&mut stopping) => break,
        }
    }
    drop(listener);
    // Those that are still queued are told by their replies, which are dropped.
    desk.queue.clear();
    while connections.join_next().await.is_some() {}
}

/// Serves one connection, until the other side closes it or the topology ends.
async fn connection<T: Tuple>(stream: TcpStream, desk: Arc<Desk<T>>, mut stopping: Stopping) {
    let _ = stream.set_nodelay(true);
    let read_within = desk.read_within;
    let service = service_fn(move |request| {
        let desk = desk.clone();
        async move { desk.answer(request).await }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(read_within);
    let mut serving = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    // An error is the other side's: a line that was cut, or no HTTP at all.
    tokio::select! {
        _ = serving.as_mut() => {}
        () = stopped(&mut stopping) => {
            serving.as_mut().graceful_shutdown();
            let _ = serving.await;
        }
    }
}

#[cfg(test)]
impl<T> HttpBodies<T> {
    pub(super) fn is_waiting(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.queue.len() > 0)
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.server.stop();
        self.queue.clear();
    }
}

/// A clone listens at the same port, together with the original.
impl<T> Clone for HttpBodies<T> {
    fn clone(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            decode: self.decode.clone(),
            listening: self.listening.clone(),
            slot: self.slot.clone(),
            running: None,
        }
    }
}

impl<T> std::fmt::Debug for HttpBodies<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpBodies").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Whom to answer.
#[derive(Debug)]
pub struct Asked(Reply);

impl<T: Tuple> Spout for HttpBodies<T> {
    type Output = T;
    type Id = Asked;

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.running = Some(self.slot.get(|| self.start(cx))?);
        Ok(())
    }

    #[inline]
    async fn next(&mut self) -> Result<Option<(T, Asked)>> {
        let Some(running) = &self.running else {
            return Err(Error::msg("the spout was not prepared"));
        };
        loop {
            let (tuple, reply) = poll_fn(|cx| running.queue.poll_take(cx)).await;
            // Who has hung up or was told 504 is not waiting any more.
            if !reply.is_closed() {
                return Ok(Some((tuple, Asked(reply))));
            }
        }
    }

    fn acked(&mut self, id: Asked) {
        let _ = id.0.send(Outcome::Done);
    }

    fn failed(&mut self, id: Asked, why: Failure) {
        let _ = id.0.send(match why {
            Failure::Stopped => Outcome::Stopped,
            why => Outcome::Failed(why.to_string()),
        });
    }
}
