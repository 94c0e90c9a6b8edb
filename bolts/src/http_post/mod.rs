//! Tuples to a server.

mod client;
#[cfg(test)]
mod http_post_test;
mod policy;

use std::{
    fmt,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use bytes::Bytes;
use hyper::{
    Uri,
    header::{HeaderName, HeaderValue},
};
use tormenta_dsl::{Bolt, Context, Emitter, Error, Result, Streams};

use crate::file_sink::rows;
use client::{Client, Counters, Target};
use policy::Patience;

/// Sends every tuple to a server as JSON, by HTTP POST, and acks it when the server has it. Needs
/// the feature `http`.
///
/// | answer | then the tuple |
/// |---|---|
/// | 2xx | is acked |
/// | 408, 425, 429, 5xx, none in time, no connection | is sent again; after four times it fails |
/// | all others | is given up: no replay can help, it becomes a dead letter |
///
/// Between the times it waits for 100 ms, 200 ms and so on: see [`attempts`](HttpPost::attempts).
///
/// **At least once**: a request whose answer was lost is sent again. Redirects are not followed.
///
/// **Many at a time.** By itself a task waits for every answer. Declare the bolt
/// `.concurrent_unordered(n)` and `n` tuples of a task are under way. All tasks of the process send
/// over eight [`connections`](HttpPost::connections), which are kept alive, from one thread; when
/// those are busy, tuples wait. With [`batch`](HttpPost::batch) those that wait go together, as
/// one JSON object a line (NDJSON); if the server rejects such a batch, each of its tuples is sent
/// by itself, so that only those that are wrong are given up.
///
/// Plain HTTP/1.1: for TLS put a proxy in between. Its time is real, so that it is of no use in
/// virtual time. All attempts together must end before the bolt's `execute_timeout`.
///
/// ```
/// use tormenta_bolts::{HttpPost, WordCount};
/// use tormenta_dsl::{Topology, doc::NoEngine};
/// # let mut t = Topology::<NoEngine>::new("word-count");
/// # let counts = t.feedback::<WordCount>("counts");
///
/// let post = HttpPost::to("http://127.0.0.1:8080/counts").batch(100);
/// t.bolt("post", post, counts.shuffle()).concurrent_unordered(200);
/// ```
pub struct HttpPost<T> {
    url: String,
    headers: Vec<(String, String)>,
    connections_max: usize,
    batch_max: usize,
    patience: Patience,
    /// What all clones share while one of them runs.
    shared: Arc<Mutex<Weak<Client>>>,
    client: Option<Arc<Client>>,
    tuple: PhantomData<fn(T)>,
}

impl<T: Streams> HttpPost<T> {
    /// To this address, as in `http://host:port/path`.
    ///
    /// ```
    /// let post = tormenta_bolts::HttpPost::<u64>::to("http://127.0.0.1:8080/numbers");
    /// ```
    #[must_use]
    pub fn to(url: impl Into<String>) -> Self {
        let patience = Patience {
            attempts_max: 4,
            timeout: Duration::from_secs(5),
            backoff: Duration::from_millis(100),
            backoff_max: Duration::from_secs(2),
        };
        Self {
            url: url.into(),
            headers: Vec::new(),
            connections_max: 8,
            batch_max: 1,
            patience,
            shared: Arc::default(),
            client: None,
            tuple: PhantomData,
        }
    }

    /// One more header for every request, such as `authorization`.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// How many requests are under way at most, for all tasks of the process together; 1 to 1,024.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections_max = connections.clamp(1, 1_024);
        self
    }

    /// How many tuples go into one request at most; 1 to 10,000. Nothing waits for a batch to
    /// fill: it is what waits already.
    #[must_use]
    pub fn batch(mut self, tuples: usize) -> Self {
        self.batch_max = tuples.clamp(1, 10_000);
        self
    }

    /// How long one attempt may take. Five seconds unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.patience.timeout = timeout;
        self
    }

    /// How often a request is sent, at least once, and the pause before the second attempt, which
    /// doubles for each one after, up to two seconds.
    #[must_use]
    pub fn attempts(mut self, attempts: u32, backoff: Duration) -> Self {
        self.patience.attempts_max = attempts.max(1);
        self.patience.backoff = backoff;
        self
    }

    /// The longest that a tuple may take once it is being sent: all attempts, and the pauses in
    /// between.
    ///
    /// ```
    /// use tormenta_bolts::HttpPost;
    ///
    /// let post = HttpPost::<u64>::to("http://127.0.0.1:8080/numbers");
    /// assert_eq!(post.time_max().as_millis(), 20_700);
    /// ```
    #[must_use]
    pub fn time_max(&self) -> Duration {
        self.patience.total()
    }

    fn target(&self) -> Result<Target> {
        let wrong = |what: &str| {
            let url = &self.url;
            Error::msg(format!("`{url}` {what}; write it like `http://host:8080/path`"))
        };
        let uri: Uri = self.url.parse().map_err(|_| wrong("is no address"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(wrong("asks for TLS, for which a proxy is needed")),
            _ => return Err(wrong("does not begin with `http://`")),
        }
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            let header = HeaderName::try_from(name.as_str()).ok();
            let header = header.zip(HeaderValue::try_from(value.as_str()).ok());
            headers.push(header.ok_or_else(|| {
                Error::msg(format!("the header `{name}` has a character that none may have"))
            })?);
        }
        Ok(Target {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            authority: HeaderValue::try_from(authority.as_str())?,
            path: path.parse()?,
            headers,
            connections_max: self.connections_max,
            batch_max: self.batch_max,
            patience: self.patience,
        })
    }
}

impl<T> Clone for HttpPost<T> {
    fn clone(&self) -> Self {
        Self {
            url: self.url.clone(),
            headers: self.headers.clone(),
            shared: self.shared.clone(),
            client: None,
            ..*self
        }
    }
}

impl<T> fmt::Debug for HttpPost<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpPost").field("url", &self.url).finish_non_exhaustive()
    }
}

impl<T: Streams> Bolt for HttpPost<T> {
    type Input = T;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let client = match shared.upgrade() {
            Some(client) => client,
            None => {
                let counters =
                    Counters { requests: cx.counter("requests"), retries: cx.counter("retries") };
                Arc::new(Client::start(self.target()?, counters)?)
            }
        };
        *shared = Arc::downgrade(&client);
        self.client = Some(client);
        Ok(())
    }

    async fn execute(&mut self, tuple: T, _out: &Emitter<()>) -> Result {
        let Some(client) = &self.client else {
            return Err(Error::msg("the bolt was not prepared"));
        };
        let mut json = Vec::new();
        rows::json(&tuple, &mut json)?;
        let sent = client.send(Bytes::from(json)).await;
        sent.map_err(|error| error.context(format!("post to `{}`", self.url)))
    }
}
