//! Queues whose bound is kept by somebody else, and pools of buffers that come back.

/// The sending end of a queue. Never blocks: the bound is credit, or the edges in flight.
pub(crate) struct Sender<T>(flume::Sender<T>);

/// The receiving end.
pub(crate) struct Receiver<T>(flume::Receiver<T>);

pub(crate) fn queue<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = flume::unbounded();
    (Sender(sender), Receiver(receiver))
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Sender<T> {
    /// False if nobody will ever receive it.
    pub(crate) fn send(&self, item: T) -> bool {
        self.0.send(item).is_ok()
    }
}

impl<T> Receiver<T> {
    pub(crate) fn try_recv(&self) -> Option<T> {
        self.0.try_recv().ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Buffers on their way back from where they were emptied to where they are filled.
pub(crate) struct Pool<T> {
    put: flume::Sender<T>,
    get: flume::Receiver<T>,
}

impl<T> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Self { put: self.put.clone(), get: self.get.clone() }
    }
}

impl<T: Default> Pool<T> {
    /// A pool that keeps at most `kept` buffers.
    pub(crate) fn new(kept: usize) -> Self {
        let (put, get) = flume::bounded(kept);
        Self { put, get }
    }

    /// An empty buffer, used before if there is one.
    pub(crate) fn take(&self) -> T {
        self.get.try_recv().unwrap_or_default()
    }

    /// Gives back a buffer that its user has emptied.
    pub(crate) fn give(&self, buffer: T) {
        let _ = self.put.try_send(buffer);
    }
}
