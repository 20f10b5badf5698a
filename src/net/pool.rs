//! Connections that are open, and how many may be.

use std::collections::HashSet;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::Notify;
use tokio::task::unconstrained;

use super::connect::Route;
use super::http2::Http2;
use super::io::Io;

/// How many connections there may be, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// At the same time.
    pub connections: usize,
    /// Kept open between two requests.
    pub idle: usize,
    /// How long each is kept.
    pub expiry: Option<Duration>,
}

/// The right to hold one connection.
pub struct Slot(Weak<Pool>);

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            pool.lock().open -= 1;
            pool.tell();
        }
    }
}

/// A connection that speaks HTTP/1.1, between two requests or in one.
pub struct Connection {
    /// The socket.
    pub io: Io,
    /// Its place among the others.
    pub slot: Slot,
}

struct Idle {
    route: Route,
    connection: Connection,
    since: Instant,
}

/// A connection that speaks HTTP/2, with any number of users.
struct Shared {
    route: Route,
    http2: Http2,
    slot: Slot,
    /// When the last user left; each of them holds a clone.
    left: Arc<Mutex<Instant>>,
}

impl Shared {
    fn users(&self) -> usize {
        Arc::strong_count(&self.left) - 1
    }

    fn idle_for(&self) -> Duration {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// The use of an HTTP/2 connection for one request.
pub struct Lease {
    /// The connection.
    pub http2: Http2,
    left: Arc<Mutex<Instant>>,
    pool: Weak<Pool>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        if let Some(pool) = self.pool.upgrade() {
            pool.tell();
        }
    }
}

/// The right to make a connection, and the duty to say what became of it.
pub struct Permit {
    slot: Option<Slot>,
    route: Route,
    /// Whether others wait for what becomes of it.
    awaited: bool,
    pool: Arc<Pool>,
}

impl Permit {
    /// It speaks HTTP/1.1.
    pub fn alone(mut self, io: Io) -> Connection {
        if self.awaited {
            self.pool.lock().speak_http1.insert(self.route.clone());
        }
        Connection { io, slot: self.slot.take().expect("a permit is used once") }
    }

    /// It speaks HTTP/2: others may share it.
    pub fn share(mut self, http2: Http2) -> Lease {
        let slot = self.slot.take().expect("a permit is used once");
        let shared = Shared { route: self.route.clone(), http2, slot, left: Arc::new(Mutex::new(Instant::now())) };
        let lease = self.pool.lease(&shared);
        self.pool.lock().shared.push(shared);
        lease
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.awaited {
            self.pool.lock().connecting.remove(&self.route);
            self.pool.freed.notify_waiters();
        }
    }
}

#[derive(Default)]
struct State {
    /// The one that was used last stands last.
    idle: Vec<Idle>,
    shared: Vec<Shared>,
    /// Where a connection is being made that others may come to share.
    connecting: HashSet<Route>,
    /// Who answered with HTTP/1.1: there, nobody has to wait for another's connection.
    speak_http1: HashSet<Route>,
    open: usize,
    /// How often something became free.
    freed: u64,
    closed: bool,
}

/// What the pool has for a request.
pub enum Found {
    /// A connection that was used before.
    Open(Connection),
    /// One that others use as well.
    Shared(Lease),
    /// The right to make a new one.
    New(Permit),
}

/// The connections of one transport.
pub struct Pool {
    limits: Limits,
    /// Whether servers may choose HTTP/2.
    may_share: bool,
    state: Mutex<State>,
    freed: Notify,
}

impl Pool {
    /// Without any connection.
    pub fn new(limits: Limits, may_share: bool) -> Self {
        Self { limits, may_share, state: Mutex::default(), freed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something became free. One of those who wait is woken.
    fn tell(&self) {
        self.lock().freed += 1;
        self.freed.notify_one();
    }

    fn lease(self: &Arc<Self>, shared: &Shared) -> Lease {
        Lease { http2: shared.http2.clone(), left: shared.left.clone(), pool: Arc::downgrade(self) }
    }

    /// Waits until there is a connection for `route`, or may be.
    pub async fn acquire(self: &Arc<Self>, route: &Route) -> Found {
        let mut looked = None;
        loop {
            let mut freed = pin!(self.freed.notified());
            freed.as_mut().enable(); // before the look, so that nothing is missed behind it
            let news = self.lock().freed;
            if let Some(lease) = self.shared_for(route) {
                return Found::Shared(lease);
            }
            while let Some(mut connection) = self.idle_for(route) {
                if is_quiet(&mut connection.io).await {
                    return Found::Open(connection);
                }
            }
            if let Some(permit) = self.permit(route) {
                return Found::New(permit);
            }
            // What is of no use for this route may be for that of another, who waits as well: it goes once around.
            if looked.replace(news).is_some_and(|known| known != news) {
                self.freed.notify_one();
            }
            freed.await;
        }
    }

    fn shared_for(self: &Arc<Self>, route: &Route) -> Option<Lease> {
        let mut state = self.lock();
        let is_over = |shared: &Shared| {
            let expired = self.limits.expiry.is_some_and(|expiry| shared.users() == 0 && shared.idle_for() > expiry);
            expired || !shared.http2.is_usable()
        };
        let (gone, kept): (Vec<_>, _) = std::mem::take(&mut state.shared).into_iter().partition(is_over);
        state.shared = kept;
        let lease = state
            .shared
            .iter()
            .find(|shared| shared.route == *route && shared.users() < shared.http2.max_streams())
            .map(|shared| self.lease(shared));
        drop(state);
        drop(gone); // outside the lock, which their slots take
        lease
    }

    fn idle_for(&self, route: &Route) -> Option<Connection> {
        let mut state = self.lock();
        let at = state.idle.iter().rposition(|idle| idle.route == *route)?;
        let idle = state.idle.remove(at);
        let expired = self.limits.expiry.is_some_and(|expiry| idle.since.elapsed() > expiry);
        drop(state);
        if expired {
            drop(idle);
            return self.idle_for(route); // the older ones have expired, too
        }
        Some(idle.connection)
    }

    /// The right to make a connection, for which one that nobody uses may have to go.
    fn permit(self: &Arc<Self>, route: &Route) -> Option<Permit> {
        let mut state = self.lock();
        let awaited = self.may_share && !state.speak_http1.contains(route);
        if awaited && state.connecting.contains(route) {
            return None;
        }
        let evicted = if state.open < self.limits.connections { None } else { state.evict() };
        if state.open >= self.limits.connections {
            return None;
        }
        state.open += 1;
        if awaited {
            state.connecting.insert(route.clone());
        }
        drop(state);
        drop(evicted);
        let slot = Some(Slot(Arc::downgrade(self)));
        Some(Permit { slot, route: route.clone(), awaited, pool: self.clone() })
    }

    /// Takes a connection back whose answer has been read to its end.
    pub fn give_back(&self, route: &Route, connection: Connection) {
        let mut state = self.lock();
        if state.closed || self.limits.idle == 0 {
            drop(state);
            return; // and it is closed
        }
        let since = Instant::now();
        let surplus = (state.idle.len() >= self.limits.idle).then(|| state.idle.remove(0));
        state.idle.push(Idle { route: route.clone(), connection, since });
        drop(state);
        drop(surplus);
        self.tell();
    }

    /// Closes the connections that nobody uses, now and later.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let idle = std::mem::take(&mut state.idle);
        let shared = std::mem::take(&mut state.shared);
        drop(state);
        drop((idle, shared));
    }
}

/// What had to go for a new connection.
enum Evicted {
    Idle { _connection: Idle },
    Shared { _connection: Shared },
}

impl State {
    /// Closes the connection that has been idle for longest. Its slot is free at once.
    fn evict(&mut self) -> Option<Evicted> {
        let evicted = if self.idle.is_empty() {
            let at = self.shared.iter().position(|shared| shared.users() == 0)?;
            let mut shared = self.shared.remove(at);
            shared.slot.0 = Weak::new();
            Evicted::Shared { _connection: shared }
        } else {
            let mut idle = self.idle.remove(0);
            idle.connection.slot.0 = Weak::new();
            Evicted::Idle { _connection: idle }
        };
        self.open -= 1;
        Some(evicted)
    }
}

/// Whether an idle connection can be used: a closed one is readable, and so is one with an answer to nothing.
async fn is_quiet(io: &mut Io) -> bool {
    // Without tokio's budget: once that is spent, nothing is ready to be read.
    unconstrained(std::future::poll_fn(|context| {
        let mut byte = [0];
        let read = Pin::new(&mut *io).poll_read(context, &mut ReadBuf::new(&mut byte));
        Poll::Ready(read.is_pending())
    }))
    .await
}
