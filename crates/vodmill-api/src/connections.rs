//! Who may be connected at a time. Files that a process may have open are few: connections take a
//! part of them, one address a part of those, and one on which nothing happens gives way to a new one.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

use crate::keyserver::rate_limit_key;

/// Connections at a time, where there are files enough.
const MOST: usize = 10_000;

/// Files that a connection may need: itself, and what it is sent, twice while that is opened.
const FILES_EACH: usize = 3;

/// Files for everything else: the queue, children, their pipes.
const RESERVE: usize = 2048;

/// What connections may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Of these, from one address (of IPv6: one /64) that is no proxy of ours.
    pub per_address: usize,
    /// How long a client may take to send the head of a request, and be silent between two.
    pub head: Duration,
    /// How long a client may read nothing of an answer.
    pub write: Duration,
}

impl Limits {
    /// What fits into the files that this process may have open; as many of these as the system
    /// allows it are asked for.
    pub(crate) fn of_process() -> Limits {
        let files = raise_open_files(MOST * FILES_EACH + RESERVE);
        let spare = files.saturating_sub(RESERVE.min(files / 2));
        let connections = (spare / FILES_EACH).clamp(16, MOST);
        Limits {
            connections,
            per_address: (connections / 4).max(8),
            head: Duration::from_secs(30),
            write: Duration::from_secs(60),
        }
    }
}

/// Raises the soft limit on open files, as far as the hard one lets it; what it is then.
fn raise_open_files(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let count = |limit: Option<u64>| {
        limit.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX))
    };
    let (soft, hard) = (count(current), count(maximum));
    let aim = wanted.min(hard);
    if soft >= aim {
        return soft;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(aim as u64), maximum }) {
        Ok(()) => aim,
        Err(error) => {
            tracing::warn!(%error, soft, "open files not raised");
            soft
        }
    }
}

/// The connections of a server.
pub(crate) struct Connections {
    limits: Limits,
    places: Arc<Semaphore>,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    began: Instant,
    next: AtomicU64,
}

/// One of them.
struct Connection {
    /// Whose it is; none for a proxy's, which has many clients.
    from: Option<IpAddr>,
    /// When something was read or written last, in milliseconds since the server began.
    last: AtomicU64,
    /// It is to go.
    close: Notify,
}

/// The place of a connection, free again when dropped.
pub(crate) struct Place {
    connections: Arc<Connections>,
    connection: Arc<Connection>,
    id: u64,
    _permit: OwnedSemaphorePermit,
}

impl Connections {
    pub(crate) fn new(limits: Limits) -> Arc<Connections> {
        Arc::new(Connections {
            limits,
            places: Arc::new(Semaphore::new(limits.connections)),
            open: Mutex::default(),
            began: Instant::now(),
            next: AtomicU64::new(0),
        })
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// A place for a connection from there, at the cost of another where there is none.
    pub(crate) async fn admit(self: &Arc<Self>, peer: IpAddr, is_proxy: bool) -> Place {
        let from = (!is_proxy).then(|| rate_limit_key(peer));
        if let Some(silent) = self.in_the_way_of(from) {
            silent.close.notify_one();
        }
        let permit = Arc::clone(&self.places).acquire_owned().await;
        let Ok(permit) = permit else { return std::future::pending().await };
        let last = AtomicU64::new(self.now());
        let connection = Arc::new(Connection { from, last, close: Notify::new() });
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.open().insert(id, Arc::clone(&connection));
        Place { connections: Arc::clone(self), connection, id, _permit: permit }
    }

    /// The connection that has been silent for longest, of the same address where that has its share,
    /// of all where there is no place; it does not count any more.
    fn in_the_way_of(&self, from: Option<IpAddr>) -> Option<Arc<Connection>> {
        let mut open = self.open();
        let is_of_same = |one: &Connection| from.is_some() && one.from == from;
        let own = open.values().filter(|one| is_of_same(one)).count();
        let has_share = own >= self.limits.per_address;
        if !has_share && open.len() < self.limits.connections {
            return None;
        }
        let candidates = open.iter().filter(|(_, one)| !has_share || is_of_same(one));
        let silent = candidates.min_by_key(|(id, one)| (one.last.load(Ordering::Relaxed), **id));
        let id = silent.map(|(id, _)| *id)?;
        open.remove(&id)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits until the place is needed for another.
    pub(crate) async fn needed(&self) {
        self.connection.close.notified().await;
    }

    /// A stream that says when something happens on it, and is at an end where its client does not
    /// read.
    pub(crate) fn watch<S>(self: &Arc<Self>, stream: S) -> Line<S> {
        let patience = self.connections.limits.write;
        Line { stream, place: Arc::clone(self), patience, stalled: None }
    }

    fn touch(&self) {
        self.connection.last.store(self.connections.now(), Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.open().remove(&self.id);
    }
}

/// A watched stream.
pub(crate) struct Line<S> {
    stream: S,
    place: Arc<Place>,
    patience: Duration,
    /// Runs while the client takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S: Unpin> Line<S> {
    /// What came of a write: it went on, or it is given up after a while.
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        wrote: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(wrote) = wrote {
            self.stalled = None;
            self.place.touch();
            return Poll::Ready(wrote);
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        self.place.touch();
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
