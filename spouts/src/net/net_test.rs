//! Real sockets, on the loopback interface.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

use tormenta_dsl::{Context, Failure, Spout, text::Line};

use super::*;
use crate::testing::{ManualTimer, block_on, context, poll_once};

fn cx() -> Context {
    context(0, 1, &ManualTimer::new())
}

fn prepared<S: Spout>(mut spout: S, cx: &Context) -> S {
    block_on(spout.prepare(cx)).expect("prepared");
    spout
}

fn next<S: Spout>(spout: &mut S) -> (S::Output, S::Id) {
    block_on(spout.next()).expect("no error").expect("it never ends")
}

/// Waits for what other threads do.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..5_000 {
        if is_so() {
            return;
        }
        pause();
    }
    panic!("{what}");
}

#[expect(clippy::disallowed_methods, reason = "sockets live in real time")]
fn pause() {
    std::thread::sleep(Duration::from_millis(1));
}

fn tcp(make: impl Fn(TcpLines) -> TcpLines, cx: &Context) -> (TcpLines, SocketAddr) {
    let lines = make(TcpLines::at("127.0.0.1:0"));
    let listening = lines.listening();
    let lines = prepared(lines, cx);
    (lines, listening.address().expect("it listens"))
}

fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.write_all(bytes).expect("sent");
    stream
}

#[test]
fn lines_of_a_connection_bad_bytes_and_all() {
    let cx = cx();
    let (mut lines, address) = tcp(|lines| lines, &cx);
    drop(send(address, b"one\r\n\xff\xfe\n\nlast"));
    let texts: Vec<Line> = (0..4).map(|_| next(&mut lines).0).collect();
    let expected = [&b"one"[..], b"\xff\xfe", b"", b"last"];
    assert!(texts.iter().map(|line| &line.text[..]).eq(expected));
    assert!(texts.iter().map(|line| (line.file, line.number)).eq((1..5).map(|n| (0, n))));
    drop(send(address, b"two\n"));
    assert_eq!(next(&mut lines).0, Line { text: "two".into(), file: 1, number: 1 });
}

#[test]
fn a_slow_reader_makes_the_sender_wait() {
    let cx = cx();
    let (mut lines, address) = tcp(|lines| lines.queued_max(4), &cx);
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.set_write_timeout(Some(Duration::from_millis(200))).expect("set");
    let line = [vec![b'x'; 9_999], vec![b'\n']].concat();
    let mut sent = 0;
    let blocked = loop {
        match stream.write(&line[sent % line.len()..]) {
            Ok(bytes) => sent += bytes,
            Err(error) => break error,
        }
        assert!(sent < 1 << 30, "nobody was made to wait");
    };
    assert!(matches!(blocked.kind(), std::io::ErrorKind::WouldBlock), "{blocked}");
    drop(stream);
    for number in 1..=sent / line.len() {
        let read = next(&mut lines).0;
        assert_eq!((read.number as usize, read.text.len()), (number, 9_999), "nothing is lost");
    }
}

#[test]
fn limits_close_connections_and_are_counted() {
    let cx = cx();
    let limits = |lines: TcpLines| {
        lines.connections_max(1).line_bytes_max(4).idle_max(Duration::from_millis(50))
    };
    let (_lines, address) = tcp(limits, &cx);
    let is_closed = |stream: &mut TcpStream| matches!(stream.read(&mut [0]), Ok(0) | Err(_));
    assert!(is_closed(&mut send(address, b"")), "idle");
    assert_eq!(cx.counter("connections_idle").get(), 1);
    until("room", || {
        is_closed(&mut send(address, b"12345\n")) && cx.counter("lines_too_long").get() == 1
    });
    until("refused", || {
        let _first = send(address, b"");
        is_closed(&mut send(address, b"")) && cx.counter("connections_refused").get() > 0
    });
}

#[test]
fn a_port_in_use_is_told_and_one_that_was_left_is_free() {
    let cx = cx();
    let (lines, address) = tcp(|lines| lines, &cx);
    let again = || TcpLines::at(address.to_string());
    let text = block_on(again().prepare(&cx)).expect_err("in use").to_string();
    let expected = format!("cannot listen at `{address}`: ");
    assert!(text.starts_with(&expected) && text.contains("; stop the program that"), "{text}");
    drop(lines);
    drop(prepared(again(), &cx));
    let text = block_on(TcpLines::at("nowhere").prepare(&cx)).expect_err("no port").to_string();
    assert!(text.contains("an address is written `127.0.0.1:8080`"), "{text}");
}

#[test]
fn tasks_share_a_port() {
    let cx = cx();
    let (mut first, address) = tcp(|lines| lines, &cx);
    let mut second = prepared(first.clone(), &cx);
    let _stream = send(address, b"1\n2\n");
    let (one, two) = (next(&mut second).0, next(&mut first).0);
    assert_eq!((one.number, two.number), (1, 2));
    drop(first);
    let _stream = send(address, b"3\n");
    assert_eq!(next(&mut second).0.text, "3");
}

#[test]
fn datagrams_are_lines_and_what_does_not_fit_is_counted() {
    let cx = cx();
    let lines = UdpLines::at("127.0.0.1:0").queued_max(3);
    let listening = lines.listening();
    let mut lines = prepared(lines, &cx);
    let address = listening.address().expect("it listens");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    socket.send_to(b"a:1\r\n\nb:\xff", address).expect("sent");
    assert_eq!(next(&mut lines).0, Line { text: "a:1".into(), file: 0, number: 1 });
    assert_eq!(next(&mut lines).0.text, &b"b:\xff"[..]);
    for n in 0..10 {
        socket.send_to(format!("{n}\n").as_bytes(), address).expect("sent");
    }
    until("all came", || cx.counter("lines_dropped").get() == 7);
    for n in 0..3 {
        assert_eq!(next(&mut lines).0.text, n.to_string());
    }
    assert!(poll_once(lines.next()).is_none());
}

/// A client that keeps its connection.
struct Client(BufReader<TcpStream>);

impl Client {
    fn new(address: SocketAddr) -> Self {
        Self(BufReader::new(TcpStream::connect(address).expect("connected")))
    }

    fn send(&mut self, head: &str, body: &str) {
        let length = body.len();
        let text = format!("{head} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}");
        self.0.get_mut().write_all(text.as_bytes()).expect("sent");
    }

    /// Status and text of the next answer.
    fn answer(&mut self) -> (u16, String) {
        let (mut status, mut length, mut line) = (0, 0, String::new());
        loop {
            line.clear();
            self.0.read_line(&mut line).expect("an answer");
            let lower = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = lower.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().expect("a status");
            } else if let Some(rest) = lower.strip_prefix("content-length: ") {
                length = rest.parse().expect("a length");
            } else if lower.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("a body");
        (status, String::from_utf8(body).expect("a text").trim_end().to_owned())
    }
}

fn http<T: tormenta_dsl::Tuple>(bodies: HttpBodies<T>, cx: &Context) -> (HttpBodies<T>, Client) {
    let listening = bodies.listening();
    let bodies = prepared(bodies, cx);
    let client = Client::new(listening.address().expect("it listens"));
    (bodies, client)
}

#[test]
fn an_answer_says_what_became_of_the_tree() {
    let (mut bodies, mut client) = http(HttpBodies::at("127.0.0.1:0"), &cx());
    client.send("POST /a?b", "one");
    let (post, id) = next(&mut bodies);
    assert_eq!(post, Post { path: "/a".into(), body: "one".into() });
    bodies.acked(id);
    assert_eq!(client.answer(), (200, String::new()));
    client.send("POST /", "two"); // the same connection
    let (_, id) = next(&mut bodies);
    bodies.failed(id, Failure::Lost);
    assert_eq!(client.answer(), (500, "a tuple of the tree was lost".into()));
    client.send("POST /", "three");
    let (_, id) = next(&mut bodies);
    bodies.failed(id, Failure::Stopped);
    assert_eq!(client.answer().0, 503);
}

#[test]
fn what_is_wrong_with_a_request_is_told_at_once() {
    let bodies = HttpBodies::json::<u64>("127.0.0.1:0").path("/n").body_bytes_max(8);
    let (mut bodies, mut client) = http(bodies, &cx());
    client.send("GET /n", "");
    assert_eq!(client.answer().0, 405);
    client.send("POST /m", "");
    assert_eq!(client.answer().0, 404);
    client.send("POST /n", "x");
    assert_eq!(client.answer(), (400, "expected value at line 1 column 1".into()));
    client.send("POST /n", " 42 ");
    let (number, id) = next(&mut bodies);
    bodies.acked(id);
    assert_eq!((number, client.answer().0), (42, 200));
    client.send("POST /n", "123456789");
    assert_eq!(client.answer(), (413, "the body is longer than 8 bytes".into()));
    let chunked = "POST /n HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n\
        9\r\n123456789\r\n0\r\n\r\n";
    let mut client = Client::new(bodies.listening().address().expect("it listens"));
    client.0.get_mut().write_all(chunked.as_bytes()).expect("sent");
    assert_eq!(client.answer().0, 413);
}

#[test]
fn deadlines_and_too_many_requests() {
    let cx = cx();
    let (short, longer) = (Duration::from_millis(300), Duration::from_secs(2));
    let bodies = HttpBodies::at("127.0.0.1:0").answer_within(short).read_within(longer);
    let (mut bodies, mut client) = http(bodies.requests_max(1), &cx);
    client.send("POST /", "never answered");
    let (_, id) = next(&mut bodies);
    let mut other = Client::new(bodies.listening().address().expect("it listens"));
    other.send("POST /", "one too many");
    assert_eq!(other.answer().0, 503);
    assert_eq!(client.answer().0, 504);
    bodies.acked(id); // nobody waits any more
    let mut other = Client::new(bodies.listening().address().expect("it listens"));
    let half = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf";
    other.0.get_mut().write_all(half).expect("sent");
    assert_eq!(other.answer().0, 408);
    assert_eq!(cx.counter("requests_overdue").get(), 1);
}

#[test]
fn the_end_answers_everybody() {
    let (mut bodies, mut first) = http(HttpBodies::at("127.0.0.1:0"), &cx());
    let mut second = Client::new(bodies.listening().address().expect("it listens"));
    first.send("POST /", "1");
    let (_, id) = next(&mut bodies);
    second.send("POST /", "2");
    until("it is queued", || bodies.is_waiting());
    bodies.acked(id);
    drop(bodies);
    assert_eq!((first.answer().0, second.answer().0), (200, 503));
}

#[test]
fn bodies_of_any_format_are_decoded_with_their_path() {
    let bodies = HttpBodies::decoded("127.0.0.1:0", |path: &str, body: bytes::Bytes| {
        match std::str::from_utf8(&body) {
            Ok(text) => Ok(format!("{path} {text}")),
            Err(_) => Err("send UTF-8".to_owned()),
        }
    });
    let (mut bodies, mut client) = http(bodies, &cx());
    client.send("POST /a?b=c", "x");
    let (text, id) = next(&mut bodies);
    bodies.acked(id);
    assert_eq!((text.as_str(), client.answer().0), ("/a x", 200));
    let latin = b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n\xe9";
    client.0.get_mut().write_all(latin).expect("sent");
    assert_eq!(client.answer(), (400, "send UTF-8".into()));
}

#[test]
fn requests_that_nobody_takes_are_answered_all_the_same() {
    let cx = cx();
    let bodies = HttpBodies::at("127.0.0.1:0").answer_within(Duration::from_millis(100));
    let (mut bodies, mut client) = http(bodies.requests_max(1), &cx);
    client.0.get_ref().set_read_timeout(Some(Duration::from_secs(5))).expect("set");
    client.send("POST /", "one");
    assert_eq!(client.answer().0, 504);
    client.send("POST /", "two");
    assert_eq!(client.answer().0, 503, "the first is still in the queue");
    assert_eq!(cx.counter("requests_refused").get(), 1);
    assert!(poll_once(bodies.next()).is_none(), "who was told 504 waits no more");
    client.send("POST /", "three");
    let (post, id) = next(&mut bodies);
    bodies.acked(id);
    assert_eq!((&post.body[..], client.answer().0), (&b"three"[..], 200));
}

#[test]
fn a_reason_is_short_however_long_the_body_is() {
    let (_bodies, mut client) = http(HttpBodies::json::<u64>("127.0.0.1:0"), &cx());
    client.send("POST /", &format!("\"{}\"", "\u{e4}".repeat(100_000)));
    let (status, why) = client.answer();
    assert_eq!(status, 400);
    assert!(why.starts_with("invalid type: string") && why.ends_with("\u{e4}.."), "{why:.200}");
    assert!(why.len() <= 1_002, "{}", why.len());
}
