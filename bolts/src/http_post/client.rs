//! The shell: a thread that sends what the tasks of a bolt give it, over a few connections.

use std::{sync::Arc, thread, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Uri,
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
    header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    sync::{Mutex, mpsc, oneshot},
    task::JoinSet,
};
use tormenta_dsl::{Counter, Error, Result};

use super::policy::{Patience, Verdict, verdict};

/// Bytes of an answer that are shown in errors, and that are read before the connection is given
/// up.
const ANSWER_SHOWN_BYTES: usize = 200;
const ANSWER_READ_BYTES: usize = 64 * 1024;

/// Where requests go, and how.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) authority: HeaderValue,
    pub(super) path: Uri,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) connections_max: usize,
    pub(super) batch_max: usize,
    pub(super) patience: Patience,
}

/// What is counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Counters {
    pub(super) requests: Counter,
    pub(super) retries: Counter,
}

/// A tuple, and who waits for what becomes of it.
struct Job {
    json: Bytes,
    reply: oneshot::Sender<Result>,
}

/// The way to the thread. When the last one is dropped, the thread ends.
#[derive(Debug)]
pub(super) struct Client(mpsc::Sender<Job>);

type Jobs = Arc<Mutex<mpsc::Receiver<Job>>>;

impl Client {
    pub(super) fn start(target: Target, counters: Counters) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::from(e).context("start a runtime for sockets"))?;
        let (sender, receiver) = mpsc::channel(target.batch_max.saturating_mul(2).clamp(1, 4096));
        let serve = move || {
            runtime.block_on(async {
                let jobs = Arc::new(Mutex::new(receiver));
                let mut workers = JoinSet::new();
                for _ in 0..target.connections_max {
                    let (target, counters) = (target.clone(), counters.clone());
                    let worker = Worker { target, counters, connection: None };
                    workers.spawn(worker.work(jobs.clone()));
                }
                while workers.join_next().await.is_some() {}
            });
        };
        thread::Builder::new()
            .name("tormenta-http-post".to_owned())
            .spawn(serve)
            .map_err(|e| Error::from(e).context("start a thread for sockets"))?;
        Ok(Self(sender))
    }

    /// Sends a tuple, and waits for what becomes of it.
    pub(super) async fn send(&self, json: Bytes) -> Result {
        let (reply, answer) = oneshot::channel();
        let gone = || Error::msg("the thread that sends requests has ended");
        self.0.send(Job { json, reply }).await.map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// One connection, and what is sent over it.
struct Worker {
    target: Target,
    counters: Counters,
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// How an attempt failed.
enum Failed {
    /// Another may succeed.
    ForNow(Error),
    ForGood(Error),
}

impl Worker {
    async fn work(mut self, jobs: Jobs) {
        while let Some(batch) = take(&jobs, self.target.batch_max).await {
            let outcome = self.deliver(&batch).await;
            let is_one_of_many = batch.len() > 1;
            let is_rejected = outcome.as_ref().is_err_and(Error::is_poison);
            if is_rejected && is_one_of_many {
                // Which of them is wrong, only the server knows: each has its own request.
                for job in batch {
                    let outcome = self.deliver(std::slice::from_ref(&job)).await;
                    let _ = job.reply.send(outcome);
                }
                continue;
            }
            for job in batch {
                let same = outcome.as_ref().copied().map_err(again);
                let _ = job.reply.send(same);
            }
        }
    }

    /// Sends these tuples until the server has them, rejects them, or patience ends.
    async fn deliver(&mut self, batch: &[Job]) -> Result {
        let mut body = Vec::new();
        for job in batch {
            body.extend_from_slice(&job.json);
            if self.target.batch_max > 1 {
                body.push(b'\n');
            }
        }
        let body = Bytes::from(body);
        let mut failed = 0;
        loop {
            let timeout = self.target.patience.timeout;
            self.counters.requests.add(1);
            let attempt = tokio::time::timeout(timeout, self.attempt(body.clone())).await;
            let error = match attempt {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(Failed::ForGood(error))) => return Err(error),
                Ok(Err(Failed::ForNow(error))) => error,
                Err(_) => Error::msg(format!("no answer within {timeout:?}")),
            };
            failed += 1;
            let nobody_waits = batch.iter().all(|job| job.reply.is_closed());
            match self.target.patience.pause_after(failed) {
                Some(pause) if !nobody_waits => wait(pause).await,
                _ => return Err(error.context(format!("given up after {failed} attempts"))),
            }
            self.counters.retries.add(1);
        }
    }

    async fn attempt(&mut self, body: Bytes) -> Result<(), Failed> {
        // Taken, so that a connection that failed or was timed out is not used again.
        let open = self.connection.take();
        let mut connection = match still_open(open).await {
            Some(open) => open,
            None => self.connect().await.map_err(Failed::ForNow)?,
        };
        let request = self.request(body).map_err(Failed::ForGood)?;
        let answer = connection.send_request(request).await;
        let answer =
            answer.map_err(|e| Failed::ForNow(Error::from(e).context("send a request")))?;
        let status = answer.status();
        let (text, is_whole) = read(answer.into_body()).await;
        if is_whole {
            self.connection = Some(connection);
        }
        match verdict(status.as_u16()) {
            Verdict::Done => Ok(()),
            Verdict::Retry => Err(Failed::ForNow(Error::msg(said(status.as_u16(), &text)))),
            Verdict::Reject => Err(Failed::ForGood(poison(&said(status.as_u16(), &text)))),
        }
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let (host, port) = (self.target.host.as_str(), self.target.port);
        let doing = || format!("connect to `{host}:{port}`");
        let stream = TcpStream::connect((host, port)).await;
        let stream = stream.map_err(|e| Error::from(e).context(doing()))?;
        stream.set_nodelay(true).map_err(|e| Error::from(e).context(doing()))?;
        let shaken = handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(|e| Error::from(e).context(doing()))?;
        tokio::spawn(connection);
        Ok(sender)
    }

    fn request(&self, body: Bytes) -> Result<Request<Full<Bytes>>> {
        let kind = if self.target.batch_max > 1 { "x-ndjson" } else { "json" };
        let mut request = Request::post(self.target.path.clone())
            .header(HOST, self.target.authority.clone())
            .header(CONTENT_TYPE, format!("application/{kind}"));
        for (name, value) in &self.target.headers {
            request = request.header(name, value);
        }
        Ok(request.body(Full::new(body))?)
    }
}

/// Waits for a tuple, and takes those that wait behind it. None when there will be no more.
async fn take(jobs: &Jobs, batch_max: usize) -> Option<Vec<Job>> {
    let mut jobs = jobs.lock().await;
    let mut batch = vec![jobs.recv().await?];
    while batch.len() < batch_max
        && let Ok(job) = jobs.try_recv()
    {
        batch.push(job);
    }
    Some(batch)
}

/// A connection that the server has not closed meanwhile.
async fn still_open(
    connection: Option<SendRequest<Full<Bytes>>>,
) -> Option<SendRequest<Full<Bytes>>> {
    let mut connection = connection?;
    connection.ready().await.is_ok().then_some(connection)
}

/// The beginning of an answer, and whether all of it was read.
async fn read(mut body: Incoming) -> (String, bool) {
    let (mut shown, mut read) = (Vec::new(), 0);
    let is_whole = loop {
        match body.frame().await {
            None => break true,
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap_or_default();
                let room = ANSWER_SHOWN_BYTES - shown.len();
                shown.extend_from_slice(&data[..room.min(data.len())]);
                read += data.len();
                if read > ANSWER_READ_BYTES {
                    break false;
                }
            }
            Some(Err(_)) => break false,
        }
    };
    (String::from_utf8_lossy(&shown).trim().to_owned(), is_whole)
}

fn said(status: u16, text: &str) -> String {
    match text {
        "" => format!("the server answered {status}"),
        text => format!("the server answered {status}: {text}"),
    }
}

/// The same error for another tuple of the same request.
fn again(error: &Error) -> Error {
    if error.is_poison() { poison(&error.chain()) } else { Error::msg(error) }
}

fn poison(reason: &str) -> Error {
    Error::poison(reason.to_owned())
}

#[expect(clippy::disallowed_methods, reason = "a thread of its own, with sockets: real time")]
async fn wait(pause: Duration) {
    tokio::time::sleep(pause).await;
}
