//! Connections that are open, and how many may be.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::Notify;

use super::connect::Route;
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
            pool.freed.notify_one();
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

#[derive(Default)]
struct State {
    /// The one that was used last stands last.
    idle: Vec<Idle>,
    open: usize,
    closed: bool,
}

/// What the pool has for a request.
pub enum Found {
    /// A connection that was used before.
    Open(Connection),
    /// The right to make a new one.
    New(Slot),
}

/// The connections of one transport.
pub struct Pool {
    limits: Limits,
    state: Mutex<State>,
    freed: Notify,
}

impl Pool {
    /// Without any connection.
    pub fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default(), freed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is a connection for `route`, or may be.
    pub async fn acquire(self: &Arc<Self>, route: &Route) -> Found {
        loop {
            while let Some(mut connection) = self.idle_for(route) {
                if is_quiet(&mut connection.io).await {
                    return Found::Open(connection);
                }
            }
            let (slot, evicted) = self.slot();
            drop(evicted); // outside the lock, which its own slot takes
            match slot {
                Some(slot) => return Found::New(slot),
                None => self.freed.notified().await,
            }
        }
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

    /// A new slot, for which an idle connection to elsewhere may have to go.
    fn slot(self: &Arc<Self>) -> (Option<Slot>, Option<Idle>) {
        let mut state = self.lock();
        let evicted = if state.open >= self.limits.connections && !state.idle.is_empty() {
            let mut oldest = state.idle.remove(0);
            oldest.connection.slot.0 = Weak::new(); // handed on
            state.open -= 1;
            Some(oldest)
        } else {
            None
        };
        if state.open >= self.limits.connections {
            return (None, evicted);
        }
        state.open += 1;
        (Some(Slot(Arc::downgrade(self))), evicted)
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
        self.freed.notify_one();
    }

    /// Closes the connections that nobody uses, now and later.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        drop(idle);
    }
}

/// Whether an idle connection can be used: a closed one is readable, and so is one with an answer to nothing.
async fn is_quiet(io: &mut Io) -> bool {
    std::future::poll_fn(|context| {
        let mut byte = [0];
        let read = Pin::new(&mut *io).poll_read(context, &mut ReadBuf::new(&mut byte));
        Poll::Ready(read.is_pending())
    })
    .await
}
