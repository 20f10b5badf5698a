//! What a transport is made of: a way to connect, and a pool.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;

use super::connect::{Connector, Route};
use super::converse::{self, Patience};
use super::error::{Failure, Kind};
use super::exchange::Exchange;
use super::http2::Http2;
use super::io::Io;
use super::pool::{Connection, Found, Lease, Limits, Pool};
use super::{runtime, within};
use crate::http1::RequestHead;

/// How long each step may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// To get a connection from the pool, or a place in it.
    pub pool: Option<Duration>,
    /// To connect, TLS and proxies included.
    pub connect: Option<Duration>,
    /// For bytes to come, and to be taken.
    pub patience: Patience,
}

/// A request, but for its body, which its exchange holds.
pub struct Request {
    /// Where to.
    pub route: Route,
    /// What to say.
    pub head: RequestHead,
    /// How long it may take.
    pub timeouts: Timeouts,
}

struct Inner {
    connector: Arc<Connector>,
    pool: Arc<Pool>,
    retries: u32,
    buffer_size: usize,
    /// Rung when all is to be closed.
    closing: Notify,
}

/// One transport.
pub struct Client {
    /// With the generation of the process whose sockets it holds.
    inner: Mutex<(u32, Arc<Inner>)>,
    limits: Limits,
}

impl Client {
    /// A client without connections. Connecting is repeated `retries` times. Of each body at most `buffer_size` bytes
    /// wait for their consumer.
    pub fn new(connector: Connector, limits: Limits, retries: u32, buffer_size: usize) -> Self {
        let inner = Inner::new(Arc::new(connector), limits, retries, buffer_size);
        Self { inner: Mutex::new((runtime::generation(), Arc::new(inner))), limits }
    }

    fn inner(&self) -> Arc<Inner> {
        let mut current = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 != runtime::generation() {
            // The connections are the parent's. They are not closed, which would end them there as well.
            let old = current.1.clone();
            let inner = Inner::new(old.connector.clone(), self.limits, old.retries, old.buffer_size);
            std::mem::forget(std::mem::replace(&mut *current, (runtime::generation(), Arc::new(inner))));
            std::mem::forget(old);
        }
        current.1.clone()
    }

    /// An exchange for a request to be sent, whose body is `piece`, or begins with it.
    pub fn exchange(&self, piece: Vec<u8>, more_follows: bool) -> Arc<Exchange> {
        Arc::new(Exchange::new(self.inner().buffer_size, piece, more_follows))
    }

    /// Sends the request; all that comes of it is told to `exchange`.
    pub fn send(&self, request: Request, exchange: &Arc<Exchange>) {
        let inner = self.inner();
        let ending = Ending(exchange.clone());
        let task = runtime::spawn(async move {
            let mut closing = pin!(inner.closing.notified());
            let mut running = pin!(inner.run(&request, &ending.0));
            let how = poll_fn(|context| match closing.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Err(Kind::ReadError.because("the client was closed"))),
                Poll::Pending => running.as_mut().poll(context),
            });
            ending.0.end(how.await);
        });
        exchange.served_by(task);
    }

    /// Closes all connections: what was not read to its end by now fails.
    pub fn close(&self) {
        let inner = self.inner();
        inner.pool.close();
        inner.closing.notify_waiters();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let (generation, inner) = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        if *generation != runtime::generation() {
            // Closing the parent's connections here would take them out of the queue on which it waits for them.
            std::mem::forget(inner.clone());
        }
    }
}

/// Ends its exchange when the task does, also if it is stopped.
struct Ending(Arc<Exchange>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end(Err(Kind::ReadError.because("the response was closed")));
    }
}

/// A connection for one request.
enum Way {
    Alone(Connection),
    Shared(Lease),
}

impl Inner {
    fn new(connector: Arc<Connector>, limits: Limits, retries: u32, buffer_size: usize) -> Self {
        let pool = Arc::new(Pool::new(limits, connector.http2));
        Self { connector, pool, retries, buffer_size, closing: Notify::new() }
    }

    async fn run(&self, request: &Request, exchange: &Exchange) -> Result<(), Failure> {
        let Request { route, head, timeouts } = request;
        head.check().map_err(|violation| Kind::LocalProtocolError.because(violation.0))?;
        let mut refused = 0;
        loop {
            match self.way(request).await? {
                Way::Alone(mut connection) => {
                    if converse::http1::converse(&mut connection.io, head, exchange, timeouts.patience).await? {
                        self.pool.give_back(route, connection);
                    }
                    return Ok(());
                }
                Way::Shared(lease) => {
                    match converse::http2::converse(&lease.http2, route, head, exchange, timeouts.patience).await {
                        Err(failed) if failed.retryable && refused < MAX_REFUSED => refused += 1,
                        outcome => return outcome.map_err(Failure::from),
                    }
                }
            }
        }
    }

    async fn way(&self, request: &Request) -> Result<Way, Failure> {
        let Timeouts { pool, connect, .. } = request.timeouts;
        let acquire = self.pool.acquire(&request.route);
        let permit = match within(pool, Kind::PoolTimeout, "all connections are in use", acquire).await? {
            Found::Open(connection) => return Ok(Way::Alone(connection)),
            Found::Shared(lease) => return Ok(Way::Shared(lease)),
            Found::New(permit) => permit,
        };
        let mut attempt = 0;
        loop {
            let connecting = self.connect(&request.route);
            match within(connect, Kind::ConnectTimeout, "no connection in time", connecting).await.and_then(|made| made)
            {
                Ok(Made::Http1(io)) => return Ok(Way::Alone(permit.alone(io))),
                Ok(Made::Http2(http2)) => return Ok(Way::Shared(permit.share(http2))),
                Err(failure) if attempt == self.retries => return Err(failure),
                Err(failure) if !matches!(failure.kind, Kind::ConnectError | Kind::ConnectTimeout) => {
                    return Err(failure);
                }
                Err(_) => attempt += 1,
            }
            // As httpx does it: at once, then after 0.5 s, 1 s, 2 s and so on.
            if attempt > 1 {
                tokio::time::sleep(Duration::from_millis(250) * 2u32.saturating_pow(attempt - 1)).await;
            }
        }
    }

    async fn connect(&self, route: &Route) -> Result<Made, Failure> {
        let made = self.connector.connect(route).await?;
        if !made.http2 {
            return Ok(Made::Http1(made.io));
        }
        Ok(Made::Http2(Http2::handshake(made.io, self.buffer_size).await?))
    }
}

/// How often a request is sent again of which an HTTP/2 server says that it has not looked at it.
const MAX_REFUSED: u32 = 2;

enum Made {
    Http1(Io),
    Http2(Http2),
}
