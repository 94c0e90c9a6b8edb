//! A bolt and a real server, on this machine.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    task::{Context as Waking, Poll, Waker},
    thread,
};

use super::*;
use crate::testing::{Bench, block_on, context};

/// A server that answers each request, over however many connections, with what a function of its
/// body says: a status, or nothing at all.
struct Server {
    address: SocketAddr,
    /// Head and body of every request.
    requests: Receiver<(String, String)>,
}

type Answer = fn(&str) -> Option<u16>;

impl Server {
    fn new(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, requests) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, sender) = (stream.expect("a connection"), sender.clone());
                thread::spawn(move || serve(stream, answer, &sender));
            }
        });
        Self { address, requests }
    }

    fn post(&self) -> HttpPost<u64> {
        let post = HttpPost::to(format!("http://{}/numbers?a=b", self.address));
        post.attempts(3, Duration::from_millis(5)).timeout(Duration::from_secs(20))
    }

    fn bodies(&self) -> Vec<String> {
        self.requests.try_iter().map(|(_, body)| body).collect()
    }
}

fn serve(stream: TcpStream, answer: Answer, requests: &Sender<(String, String)>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let start = head.len();
            if !matches!(reader.read_line(&mut head), Ok(1..)) {
                return;
            }
            let line = head[start..].to_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a number");
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        let body = String::from_utf8(body).expect("text");
        let status = answer(&body);
        let _ = requests.send((head, body));
        let Some(status) = status else { return };
        let text = format!("HTTP/1.1 {status} x\r\ncontent-length: 4\r\n\r\nwhy\n");
        if reader.get_mut().write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

fn prepared(post: &HttpPost<u64>) -> HttpPost<u64> {
    let mut post = post.clone();
    block_on(post.prepare(&context(0, 1))).expect("prepared");
    post
}

fn execute(post: &mut HttpPost<u64>, n: u64) -> Result {
    block_on(post.execute(n, &Bench::new().emitter()))
}

#[test]
fn a_tuple_is_a_json_object_and_the_connection_stays() {
    let server = Server::new(|_| Some(201));
    let post = server.post().header("authorization", "Bearer x");
    let mut post = prepared(&post);
    for n in [7, 8] {
        execute(&mut post, n).expect("posted");
    }
    let requests: Vec<_> = server.requests.try_iter().collect();
    let (head, body) = &requests[0];
    assert!(head.starts_with("POST /numbers?a=b HTTP/1.1\r\n"), "{head}");
    let head = head.to_lowercase();
    for line in [
        format!("host: {}", server.address),
        "content-type: application/json".into(),
        "authorization: bearer x".into(),
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{head}");
    }
    assert_eq!((body.as_str(), requests[1].1.as_str()), (r#"{"value":7}"#, r#"{"value":8}"#));
}

#[test]
fn what_fails_for_now_is_sent_again_and_fails_at_last() {
    use std::sync::atomic::{AtomicU32, Ordering};
    static ASKED: AtomicU32 = AtomicU32::new(0);
    // The first is refused, the second answered by nothing, the third is taken, all later refused.
    let server = Server::new(|_| match ASKED.fetch_add(1, Ordering::Relaxed) {
        1 => None,
        2 => Some(200),
        _ => Some(503),
    });
    let mut post = prepared(&server.post());
    execute(&mut post, 1).expect("taken in the end");
    assert_eq!(server.bodies().len(), 3);
    let error = execute(&mut post, 2).expect_err("refused");
    let expected = format!(
        "post to `http://{}/numbers?a=b`: given up after 3 attempts: the server answered 503: why",
        server.address
    );
    assert_eq!((error.to_string(), error.is_poison()), (expected, false));
    assert_eq!(server.bodies().len(), 3);
}

#[test]
fn what_the_server_rejects_is_poison_and_sent_once() {
    let server = Server::new(|_| Some(422));
    let error = execute(&mut prepared(&server.post()), 1).expect_err("rejected");
    assert!(error.is_poison());
    assert!(error.to_string().ends_with("/numbers?a=b`: the server answered 422: why"), "{error}");
    assert_eq!(server.bodies().len(), 1);
}

#[test]
fn an_answer_that_does_not_come_is_not_waited_for() {
    let server = Server::new(|_| {
        thread::park_timeout(Duration::from_secs(3));
        Some(200)
    });
    let post = server.post().timeout(Duration::from_millis(30)).attempts(2, Duration::ZERO);
    let error = execute(&mut prepared(&post), 1).expect_err("no answer").to_string();
    assert!(error.ends_with("given up after 2 attempts: no answer within 30ms"), "{error}");
}

#[test]
fn nobody_there_is_named() {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port");
    let post = HttpPost::to(format!("http://{address}")).attempts(2, Duration::ZERO);
    let error = execute(&mut prepared(&post), 1).expect_err("nobody").to_string();
    let connect = format!("given up after 2 attempts: connect to `{address}`: ");
    assert!(error.contains(&connect), "{error}");
}

/// Executes all of them at once, each on a clone, as `.concurrent_unordered` does.
fn execute_all(post: &HttpPost<u64>, numbers: std::ops::Range<u64>) -> Vec<Result> {
    let bench = Bench::new();
    let mut clones: Vec<_> = numbers.clone().map(|_| prepared(post)).collect();
    let emitter = bench.emitter();
    let executing =
        clones.iter_mut().zip(numbers).map(|(post, n)| Box::pin(post.execute(n, &emitter)));
    let mut executing: Vec<_> = executing.map(|future| (future, None)).collect();
    while executing.iter().any(|(_, result)| result.is_none()) {
        for (future, result) in executing.iter_mut().filter(|(_, result)| result.is_none()) {
            if let Poll::Ready(ready) = future.as_mut().poll(&mut Waking::from_waker(Waker::noop()))
            {
                *result = Some(ready);
            }
        }
        thread::yield_now();
    }
    executing.into_iter().filter_map(|(_, result)| result).collect()
}

#[test]
fn those_that_wait_go_together_and_the_wrong_ones_alone_are_given_up() {
    let server = Server::new(|body| {
        thread::park_timeout(Duration::from_millis(20)); // so that others queue up
        Some(if body.contains("13") { 400 } else { 200 })
    });
    let results = execute_all(&server.post().connections(1).batch(50), 0..40);
    for (n, result) in results.iter().enumerate() {
        assert_eq!(result.as_ref().err().map(Error::is_poison), (n == 13).then_some(true));
    }
    let requests: Vec<_> = server.requests.try_iter().collect();
    assert!(requests.len() < 90, "{} requests for 40 tuples", requests.len());
    let most = requests.iter().map(|(_, body)| body.lines().count()).max();
    assert!(most > Some(5), "{most:?} in one request");
    assert!(requests[0].0.contains("application/x-ndjson"), "{}", requests[0].0);
}

#[test]
fn no_more_are_under_way_than_there_are_connections() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let server = Server::new(|_| {
        MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::park_timeout(Duration::from_millis(10));
        NOW.fetch_sub(1, Ordering::SeqCst);
        Some(200)
    });
    let results = execute_all(&server.post().connections(3), 0..15);
    assert!(results.iter().all(Result::is_ok));
    let most = MOST.load(Ordering::SeqCst);
    assert!((2..=3).contains(&most), "{most} at once");
    assert_eq!(server.bodies().len(), 15);
}

#[test]
fn addresses_that_are_none_are_refused_at_the_start() {
    for (url, problem) in [
        ("https://host/a", "`https://host/a` asks for TLS, for which a proxy is needed; write"),
        ("host:80/a", "is no address"),
        ("host", "does not begin with `http://`"),
        ("ftp://host/a", "does not begin with `http://`"),
        ("http://ho st/", "is no address"),
    ] {
        let mut post = HttpPost::<u64>::to(url);
        let error = block_on(post.prepare(&context(0, 1))).expect_err("refused").to_string();
        assert!(error.contains(problem), "{url}: {error}");
    }
    let mut post = HttpPost::<u64>::to("http://host").header("a b", "c");
    let error = block_on(post.prepare(&context(0, 1))).expect_err("refused").to_string();
    assert_eq!(error, "the header `a b` has a character that none may have");
}
