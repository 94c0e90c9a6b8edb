//! The shell: the thread that serves the sockets of a spout, and the address it listens at.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, Weak},
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::sync::watch;
use tormenta_dsl::{Error, Result};

/// For how long answers may still be written when the topology has ended.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// Where a spout listens. Shared; asked for by tests that listen at port 0.
///
/// ```
/// let lines = tormenta_spouts::TcpLines::at("127.0.0.1:0");
/// assert_eq!(lines.listening().address(), None); // not before the topology has started
/// ```
#[derive(Debug, Default)]
pub struct Listening(Mutex<Option<SocketAddr>>);

impl Listening {
    /// The address, once the topology has started.
    ///
    /// ```
    /// assert_eq!(tormenta_spouts::Listening::default().address(), None);
    /// ```
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, address: Option<SocketAddr>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }
}

/// What all tasks of a spout share while any of them runs.
pub(crate) struct Slot<R>(Arc<Mutex<Weak<R>>>);

impl<R> Slot<R> {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Weak::new())))
    }

    /// What is running, or what `start` makes.
    pub(crate) fn get(&self, start: impl FnOnce() -> Result<R>) -> Result<Arc<R>> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = slot.upgrade() {
            return Ok(running);
        }
        let running = Arc::new(start()?);
        *slot = Arc::downgrade(&running);
        Ok(running)
    }
}

impl<R> Clone for Slot<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Told once, when the server is to stop.
pub(crate) type Stopping = watch::Receiver<bool>;

/// Waits until the server is to stop.
pub(crate) async fn stopped(stopping: &mut Stopping) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// A thread with a runtime. Dropping it stops what it serves, and waits until that has ended.
pub(crate) struct Server {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves until told to stop, and for a second at most after that.
    pub(crate) fn start<F, S>(name: &str, serve: S) -> Result<Self>
    where
        F: Future<Output = ()>,
        S: FnOnce(Stopping) -> F + Send + 'static,
    {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::from(e).context("start a runtime for sockets"))?;
        let (stop, mut stopping) = watch::channel(false);
        let run = move || {
            runtime.block_on(async {
                let serving = serve(stopping.clone());
                let overdue = async {
                    stopped(&mut stopping).await;
                    let _ = tokio::time::timeout(GRACE, std::future::pending::<()>()).await;
                };
                tokio::select! {
                    () = serving => {}
                    () = overdue => {}
                }
            });
        };
        let thread = thread::Builder::new()
            .name(format!("tormenta-{name}"))
            .spawn(run)
            .map_err(|e| Error::from(e).context("start a thread for sockets"))?;
        Ok(Self { stop, thread: Some(thread) })
    }

    pub(crate) fn stop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Says what is wrong with an address, and what to do.
pub(crate) fn cannot_listen(address: &str, error: &io::Error) -> Error {
    let fix = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "; stop the program that listens there, or choose another port (0 takes a free one)"
        }
        io::ErrorKind::AddrNotAvailable => "; this machine has no such address",
        io::ErrorKind::PermissionDenied => "; ports below 1024 need a right to them",
        io::ErrorKind::InvalidInput => "; an address is written `127.0.0.1:8080`",
        _ => "",
    };
    Error::msg(format!("cannot listen at `{address}`: {error}{fix}"))
}
