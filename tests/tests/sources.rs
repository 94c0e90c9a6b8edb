//! The sources of the box in the real engine: files that change, and real sockets.

use std::{
    fs::{self, File},
    io::{Read, Write},
    marker::PhantomData,
    net::{SocketAddr, TcpStream, UdpSocket},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tormenta::{
    Options, Running, Summary,
    bolts::{Dedup, func},
    prelude::*,
    spouts::{CsvRows, HttpBodies, JsonLines, Line, Lines, TcpLines, UdpLines},
    testkit::Capture,
};

#[derive(Tuple, Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    cents: i64,
}

fn start(t: Topology) -> Running {
    tormenta::start(t, Options::default()).expect("started")
}

/// Waits for what other threads do, but not for ever.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..30_000 {
        if is_so() {
            return;
        }
        pause(1);
    }
    panic!("never: {what}");
}

#[expect(clippy::disallowed_methods, reason = "sockets and threads live in real time")]
fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

fn counter(summary: &Summary, name: &str) -> u64 {
    let components = &summary.metrics.components;
    components.iter().filter_map(|component| component.counters.get(name)).sum()
}

/// Truncates a file when the first tuple comes.
fn truncate(path: PathBuf) -> impl Bolt<Input = u64, Output = u64> {
    let mut once = Some(path);
    func(async move |n: u64, out: &Emitter<u64>| {
        if let Some(path) = once.take() {
            File::options().write(true).open(path)?.set_len(3 << 20)?;
        }
        out.emit(n).await
    })
}

/// Runs a topology of the ids of a file, which is truncated in the middle of its rows.
fn truncated<S: Spout<Output = Order>>(path: &Path, spout: S) -> (Vec<u64>, Summary) {
    let capture = Capture::new();
    let mut t = Topology::new("truncated");
    let rows = t.spout("rows", spout).replaying(Retry::default());
    let ids = func(async |order: Order, out: &Emitter<u64>| out.emit(order.id).await);
    let ids = t.bolt("ids", ids, rows.global());
    let ids = t.bolt("truncate", truncate(path.to_owned()), ids.global());
    t.bolt("kept", capture.bolt(), ids.global());
    let summary = start(t).wait();
    (capture.taken(), summary)
}

/// What is read before is processed, and the error says what happened to which file. The exit code
/// of an artifact follows from the error: 1.
#[test]
fn a_file_that_is_truncated_while_it_is_read_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let csv = |n: u64| format!("{n},{n}\n");
    let json = |n: u64| format!("{{\"id\":{n},\"cents\":{n}}}\n");
    for name in ["orders.csv", "orders.jsonl"] {
        let path = dir.path().join(name);
        let is_csv = name.ends_with(".csv");
        let row: &dyn Fn(u64) -> String = if is_csv { &csv } else { &json };
        let mut text = if is_csv { "id,cents\n".to_owned() } else { String::new() };
        text.extend((0..1_000_000).map(row));
        fs::write(&path, &text).expect("written");
        let (ids, summary) = match is_csv {
            true => truncated(&path, CsvRows::<Order>::at(&path)),
            false => truncated(&path, JsonLines::<Order>::at(&path)),
        };
        let error = summary.error.clone().expect("an error");
        let shown = format!("rows: `{}` was truncated while it was read; ", path.display());
        assert!(error.starts_with(&shown), "{error}");
        let expected = format!("it ended after {} of {} bytes", 3 << 20, text.len());
        assert!(error.ends_with(&expected), "{error}");
        let told = format!("; the {} lines before that were delivered", ids.len());
        assert!(error.contains(&told), "{error}");
        let whole = text[..3 << 20].lines().count() - 1 - usize::from(is_csv);
        assert_eq!(ids.len(), whole, "all whole rows, and not the one that was cut");
        assert!(ids.iter().zip(0..).all(|(id, n)| *id == n));
        assert!(summary.dead_letters.is_empty() && summary.clone().into_result().is_err());
    }
}

fn text(line: &Line) -> u64 {
    std::str::from_utf8(&line.text).ok().and_then(|text| text.parse().ok()).expect("a number")
}

/// Keeps numbers, the first time only for half of them.
fn moody(kept: Arc<Mutex<Vec<u64>>>) -> impl Bolt<Input = Line, Output = ()> {
    let mut fails = std::collections::BTreeSet::new();
    func(async move |line: Line, _: &Emitter<()>| {
        let n = text(&line);
        if n.is_multiple_of(2) && fails.insert(n) {
            return Err(Error::msg("not in the mood"));
        }
        kept.lock().expect("nobody panics").push(n);
        Ok(())
    })
}

/// Sends numbers, one a line, in writes that end anywhere.
fn send_numbers(address: SocketAddr, numbers: std::ops::Range<u64>) {
    let text: String = numbers.map(|n| format!("{n}\n")).collect();
    let mut stream = TcpStream::connect(address).expect("connected");
    for chunk in text.as_bytes().chunks(7_001) {
        stream.write_all(chunk).expect("sent");
    }
}

#[test]
fn lines_over_tcp_from_many_connections_arrive_in_spite_of_failures() {
    let kept = Arc::<Mutex<Vec<u64>>>::default();
    let spout = TcpLines::at("127.0.0.1:0").queued_max(16);
    let listening = spout.listening();
    let mut t = Topology::new("tcp");
    let lines = t.spout("lines", spout).tasks(2).replaying(Retry::default());
    let dedup = Dedup::by(text);
    let new = t.bolt("new", dedup, lines.by(|line| &line.text)).tasks(2);
    t.bolt("moody", moody(kept.clone()), new.global());
    let running = start(t);
    until("it listens", || listening.address().is_some());
    let address = listening.address().expect("it listens");
    let senders: Vec<_> = (0..20)
        .map(|n| std::thread::spawn(move || send_numbers(address, n * 1_000..(n + 1) * 1_000)))
        .collect();
    senders.into_iter().for_each(|sender| sender.join().expect("sent"));
    until("all arrive", || kept.lock().expect("nobody panics").len() >= 20_000);
    running.drain();
    let summary = running.wait();
    assert_eq!((summary.error.clone(), summary.cut_off.len()), (None, 0));
    let mut kept = kept.lock().expect("nobody panics").clone();
    kept.sort_unstable();
    assert!(kept.iter().copied().eq(0..20_000), "each once: {}", kept.len());
    assert_eq!((counter(&summary, "connections"), counter(&summary, "lines_dropped")), (20, 0));
    assert!(TcpStream::connect(address).is_err(), "the port is free again");
}

/// A bolt that is slow makes senders wait, and no memory grows; what is sent is processed at last.
#[test]
fn a_slow_bolt_makes_tcp_senders_wait() {
    let spout = TcpLines::at("127.0.0.1:0").queued_max(64);
    let listening = spout.listening();
    let gate = Gate::<Line>::new();
    let mut t = Topology::new("slow");
    let lines = t.spout("lines", spout).pending_max(256).replaying(Retry::default());
    t.bolt("gate", gate.clone(), lines.global());
    let running = start(t);
    until("it listens", || listening.address().is_some());
    let mut stream = TcpStream::connect(listening.address().expect("it listens")).expect("met");
    stream.set_write_timeout(Some(Duration::from_millis(300))).expect("set");
    let line = [vec![b'x'; 9_999], vec![b'\n']].concat();
    let mut sent = 0;
    while let Ok(bytes) = stream.write(&line[sent % line.len()..]) {
        sent += bytes;
        assert!(sent < 1 << 30, "nobody was made to wait");
    }
    let open = running.metrics().component("lines").expect("the spout").pending;
    assert!(open <= 256, "{open} lines are under way");
    gate.open();
    // The rest of a line that was cut off by the time-out.
    stream.set_write_timeout(None).expect("set");
    stream.write_all(&line[sent % line.len()..]).expect("sent");
    let lines = sent.div_ceil(line.len()) as u64 + u64::from(sent % line.len() == 0);
    drop(stream);
    until("all arrive", || gate.passed() == lines);
    running.drain();
    let summary = running.wait();
    assert_eq!((summary.error, summary.metrics.sum(|c| c.failed)), (None, 0));
}

/// Counts what it is given, and lets nothing pass until it is opened.
#[derive(Clone)]
struct Gate<T> {
    is_open: Arc<AtomicBool>,
    begun: Arc<AtomicU64>,
    passed: Arc<AtomicU64>,
    cx: Option<Context>,
    tuple: PhantomData<fn(T)>,
}

impl<T> Gate<T> {
    fn new() -> Self {
        let (is_open, begun, passed) = Default::default();
        Self { is_open, begun, passed, cx: None, tuple: PhantomData }
    }

    fn open(&self) {
        self.is_open.store(true, Ordering::SeqCst);
    }

    fn begun(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }

    fn passed(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }
}

impl<T: Tuple> Bolt for Gate<T> {
    type Input = T;
    type Output = ();

    async fn prepare(&mut self, cx: &Context) -> Result {
        self.cx = Some(cx.clone());
        Ok(())
    }

    async fn execute(&mut self, _tuple: T, _out: &Emitter<()>) -> Result {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let Some(cx) = &self.cx else { return Err(Error::msg("not prepared")) };
        while !self.is_open.load(Ordering::SeqCst) {
            cx.sleep(Duration::from_millis(1)).await;
        }
        self.passed.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Limits close connections, each counted, and disturb nobody else. A drain closes the rest.
#[test]
fn limits_of_tcp_and_a_clean_end() {
    let spout = TcpLines::at("127.0.0.1:0").connections_max(2).line_bytes_max(100);
    let spout = spout.idle_max(Duration::from_secs(60));
    let listening = spout.listening();
    let capture = Capture::<Line>::new();
    let mut t = Topology::new("limits");
    let lines = t.spout("lines", spout);
    t.bolt("kept", capture.bolt(), lines.global());
    let running = start(t);
    until("it listens", || listening.address().is_some());
    let address = listening.address().expect("it listens");
    let connect = || TcpStream::connect(address).expect("connected");
    let closed = |stream: &mut TcpStream| matches!(stream.read(&mut [0]), Ok(0) | Err(_));
    let mut good = connect();
    good.write_all(b"one\n").expect("sent");
    until("it is served", || capture.taken().len() == 1);
    let mut long = connect();
    long.write_all(&[b'x'; 101]).expect("sent");
    assert!(closed(&mut long), "a line is too long");
    let mut second = connect();
    until("a third is refused, once the second is served", || {
        let _ = second.write_all(b"two\n");
        closed(&mut connect())
    });
    good.write_all(b"three").expect("sent");
    pause(50);
    running.drain();
    let summary = running.wait();
    assert!(closed(&mut good), "the end closes it");
    assert_eq!(counter(&summary, "lines_too_long"), 1);
    assert!(counter(&summary, "connections_refused") >= 1);
    let texts: Vec<_> = capture.taken().into_iter().map(|line| line.text).collect();
    assert_eq!(texts[0], "one");
    assert!(texts[1..].iter().all(|text| text == "two"), "half a line is no line: {texts:?}");
    assert_eq!((summary.error, summary.cut_off.len()), (None, 0));
}

#[test]
fn datagrams_in_the_real_engine() {
    let spout = UdpLines::at("127.0.0.1:0");
    let listening = spout.listening();
    let kept = Arc::<Mutex<Vec<u64>>>::default();
    let mut t = Topology::new("udp");
    let lines = t.spout("lines", spout).replaying(Retry::default());
    t.bolt("moody", moody(kept.clone()), lines.global());
    let running = start(t);
    until("it listens", || listening.address().is_some());
    let address = listening.address().expect("it listens");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    for n in 0..500_u64 {
        let text = format!("{}\n{}\r\n\n", n * 2, n * 2 + 1);
        socket.send_to(text.as_bytes(), address).expect("sent");
        // Nobody makes a sender wait: so that the buffer of the system is never full.
        until("it came", || kept.lock().expect("nobody panics").len() as u64 > n);
    }
    until("all came", || kept.lock().expect("nobody panics").len() == 1_000);
    running.drain();
    let summary = running.wait();
    let mut kept = kept.lock().expect("nobody panics").clone();
    kept.sort_unstable();
    assert!(kept.iter().copied().eq(0..1_000));
    assert_eq!((summary.error.clone(), counter(&summary, "lines_dropped")), (None, 0));
    assert_eq!(summary.metrics.component("lines").map(|lines| lines.replayed), Some(500));
    UdpSocket::bind(address).expect("the port is free again");
}

/// Sends a body and waits for the answer: its status.
fn post(address: SocketAddr, body: &str) -> u16 {
    let Ok(mut stream) = TcpStream::connect(address) else { return 0 };
    let length = body.len();
    let head =
        format!("POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}");
    let mut answer = String::new();
    let asked = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes());
    let _ = asked.and_then(|()| stream.read_to_string(&mut answer));
    answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// Who sends until there is a 200 leaves nothing out, also where repeats are dropped: what fails is
/// replayed by the engine before there is an answer.
#[test]
fn who_sends_until_it_is_answered_loses_nothing() {
    let spout = HttpBodies::json::<Order>("127.0.0.1:0");
    let listening = spout.listening();
    let kept = Arc::<Mutex<Vec<u64>>>::default();
    let mut t = Topology::new("http");
    let orders = t.spout("orders", spout).replaying(Retry::default());
    let new = t.bolt("new", Dedup::by(|order: &Order| order.id), orders.by(|order| &order.id));
    let (mut fails, ids) = (std::collections::BTreeSet::new(), kept.clone());
    let keep = func(async move |order: Order, _: &Emitter<()>| {
        if order.cents < 0 {
            return Err(Error::poison("nothing was paid"));
        }
        if fails.insert(order.id) {
            return Err(Error::msg("every order fails first"));
        }
        ids.lock().expect("nobody panics").push(order.id);
        Ok(())
    });
    t.bolt("keep", keep, new.global());
    let running = start(t);
    until("it listens", || listening.address().is_some());
    let address = listening.address().expect("it listens");
    let send = move |id: u64| {
        let body = format!("{{\"id\":{id},\"cents\":1}}");
        until("answered", || post(address, &body) == 200);
        assert_eq!(post(address, &body), 200, "a repeat is told the same");
    };
    let client = move |client: u64| (0..25).for_each(|n| send(client * 25 + n));
    let clients: Vec<_> = (0..4).map(|n| std::thread::spawn(move || client(n))).collect();
    clients.into_iter().for_each(|client| client.join().expect("answered"));
    assert_eq!(post(address, "{\"id\":1"), 400);
    assert_eq!(post(address, "{\"id\":1000,\"cents\":-1}"), 200, "given up: do not send it again");
    running.drain();
    let summary = running.wait();
    let mut kept = kept.lock().expect("nobody panics").clone();
    kept.sort_unstable();
    assert!(kept.iter().copied().eq(0..100), "{kept:?}");
    assert_eq!((summary.error, summary.dead_letters.len()), (None, 1));
    assert_eq!(post(address, "{}"), 0, "nobody listens any more");
}

/// What is asked while the topology drains is answered with 200 if it is processed. If not, it is
/// answered with 503, or nobody listens any more.
#[test]
fn a_drain_answers_what_it_processes() {
    let spout = HttpBodies::at("127.0.0.1:0");
    let listening = spout.listening();
    let gate = Gate::new();
    let mut t = Topology::new("drain");
    let posts = t.spout("posts", spout);
    t.bolt("gate", gate.clone(), posts.global());
    let running = start(t);
    until("it listens", || listening.address().is_some());
    let address = listening.address().expect("it listens");
    let clients: Vec<_> =
        (0..10).map(|_| std::thread::spawn(move || post(address, "hello"))).collect();
    until("one is processed", || gate.begun() > 0);
    running.drain();
    gate.open();
    let summary = running.wait();
    let answers: Vec<u16> =
        clients.into_iter().map(|client| client.join().expect("an answer")).collect();
    let done = answers.iter().filter(|status| **status == 200).count() as u64;
    assert!(answers.iter().all(|status| [0, 200, 503].contains(status)), "{answers:?}");
    assert!(done >= gate.begun().min(1), "{answers:?}");
    assert_eq!(summary.metrics.component("posts").map(|posts| posts.acked), Some(done));
    assert_eq!((summary.error, summary.cut_off.len()), (None, 0));
}

/// Lines of a plain file that is truncated are no whole file either.
#[test]
fn lines_of_a_truncated_file_end_with_an_error() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.txt");
    fs::write(&path, "0123456\n".repeat(1 << 20)).expect("written");
    let mut t = Topology::new("lines");
    let lines = t.spout("lines", Lines::at(&path));
    let numbers = func(async |line: Line, out: &Emitter<u64>| out.emit(line.number).await);
    let numbers = t.bolt("numbers", numbers, lines.global());
    let capture = Capture::new();
    let kept = t.bolt("truncate", truncate(path.clone()), numbers.global());
    t.bolt("kept", capture.bolt(), kept.global());
    let error = start(t).wait().error.expect("an error");
    assert!(error.contains("a.txt` was truncated while it was read"), "{error}");
    assert_eq!(capture.taken().len(), (3 << 20) / 8);
}
