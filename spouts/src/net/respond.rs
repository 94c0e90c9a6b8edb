//! From a request to an answer.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Incoming},
    header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use tokio::sync::{Semaphore, oneshot};
use tormenta_dsl::Context;

use super::handoff::Handoff;

/// What became of a request; gone without a word if the topology ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Done,
    Failed(String),
    Stopped,
}

/// Where the answer to a request goes. Dropped, it says that the topology has ended.
pub(crate) type Reply = oneshot::Sender<Outcome>;

/// Makes a tuple of a path and a body, or says why it is none.
pub(crate) type Decode<T> = Arc<dyn Fn(&str, Bytes) -> Result<T, String> + Send + Sync>;

/// Bytes that an answer says at most: a reason may quote what was sent, all of it.
const SAID_BYTES_MAX: usize = 1_000;

/// What all connections share.
pub(crate) struct Desk<T> {
    pub(crate) queue: Arc<Handoff<(T, Reply)>>,
    pub(crate) decode: Decode<T>,
    pub(crate) path: Option<String>,
    pub(crate) body_bytes_max: usize,
    pub(crate) read_within: Duration,
    pub(crate) answer_within: Duration,
    /// Requests that may be open.
    pub(crate) places: Semaphore,
    pub(crate) cx: Context,
}

type Answer = Response<Full<Bytes>>;

impl<T> Desk<T> {
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Infallible> {
        Ok(self.done(request).await.unwrap_or_else(|refused| refused))
    }

    async fn done(&self, request: Request<Incoming>) -> Result<Answer, Answer> {
        if self.path.as_ref().is_some_and(|path| path != request.uri().path()) {
            return Err(say(StatusCode::NOT_FOUND, "no such path"));
        }
        if request.method() != Method::POST {
            let mut answer = say(StatusCode::METHOD_NOT_ALLOWED, "only POST is taken here");
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return Err(answer);
        }
        let Ok(_place) = self.places.try_acquire() else { return Err(self.too_many()) };
        let path = request.uri().path().to_owned();
        let body = self.body(request.into_body()).await?;
        let tuple = (self.decode)(&path, body).map_err(|why| say(StatusCode::BAD_REQUEST, why))?;
        let (reply, outcome) = oneshot::channel();
        // There are no more places than room in the queue, but those who were told 504 have left
        // theirs, and what they sent may still be queued.
        self.queue.try_put((tuple, reply)).map_err(|_| self.too_many())?;
        match tokio::time::timeout(self.answer_within, outcome).await {
            Ok(Ok(Outcome::Done)) => Ok(Response::new(Full::default())),
            Ok(Ok(Outcome::Failed(why))) => Err(say(StatusCode::INTERNAL_SERVER_ERROR, why)),
            Ok(Ok(Outcome::Stopped) | Err(_)) => {
                Err(say(StatusCode::SERVICE_UNAVAILABLE, "the topology is stopping"))
            }
            Err(_) => {
                self.cx.counter("requests_overdue").add(1);
                let text = "not processed in time; whether it will be is not known";
                Err(say(StatusCode::GATEWAY_TIMEOUT, text))
            }
        }
    }

    fn too_many(&self) -> Answer {
        self.cx.counter("requests_refused").add(1);
        let text = "too many requests are open; send it again later";
        let mut answer = say(StatusCode::SERVICE_UNAVAILABLE, text);
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        answer
    }

    async fn body(&self, body: Incoming) -> Result<Bytes, Answer> {
        let max = self.body_bytes_max;
        let too_large = || {
            let text = format!("the body is longer than {max} bytes");
            say(StatusCode::PAYLOAD_TOO_LARGE, text)
        };
        if body.size_hint().lower() > max as u64 {
            return Err(too_large());
        }
        let collected = Limited::new(body, max).collect();
        match tokio::time::timeout(self.read_within, collected).await {
            Ok(Ok(collected)) => Ok(collected.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
            Ok(Err(error)) => Err(say(StatusCode::BAD_REQUEST, error.to_string())),
            Err(_) => Err(say(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
        }
    }
}

fn say(status: StatusCode, text: impl Into<String>) -> Answer {
    let mut answer = Response::new(Full::from(short(text.into()) + "\n"));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    answer
}

fn short(mut text: String) -> String {
    if text.len() > SAID_BYTES_MAX {
        let mut ends = (0..=SAID_BYTES_MAX).rev();
        text.truncate(ends.find(|end| text.is_char_boundary(*end)).unwrap_or_default());
        text.push_str("..");
    }
    text
}
