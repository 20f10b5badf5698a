//! What a transport is made of: a way to connect, and a pool.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::connect::{Connector, Route};
use super::error::{Failure, Kind};
use super::exchange::Exchange;
use super::http1::{self, Patience};
use super::pool::{Connection, Found, Limits, Pool};
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
}

/// One transport.
pub struct Client {
    /// With the generation of the process whose sockets it holds.
    inner: Mutex<(u32, Arc<Inner>)>,
    limits: Limits,
}

impl Client {
    /// A client without connections. Connecting is repeated `retries` times.
    pub fn new(connector: Connector, limits: Limits, retries: u32) -> Self {
        let inner = Inner { connector: Arc::new(connector), pool: Arc::new(Pool::new(limits)), retries };
        Self { inner: Mutex::new((runtime::generation(), Arc::new(inner))), limits }
    }

    fn inner(&self) -> Arc<Inner> {
        let mut current = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 != runtime::generation() {
            // The connections are the parent's. They are not closed, which would end them there as well.
            let old = current.1.clone();
            let inner = Inner {
                connector: old.connector.clone(),
                pool: Arc::new(Pool::new(self.limits)),
                retries: old.retries,
            };
            std::mem::forget(std::mem::replace(&mut *current, (runtime::generation(), Arc::new(inner))));
            std::mem::forget(old);
        }
        current.1.clone()
    }

    /// Sends the request; all that comes of it is told to `exchange`.
    pub fn send(&self, request: Request, exchange: &Arc<Exchange>) {
        let inner = self.inner();
        let ending = Ending(exchange.clone());
        let task = runtime::spawn(async move {
            let how = inner.run(&request, &ending.0).await;
            ending.0.end(how);
        });
        exchange.served_by(task);
    }

    /// Closes the connections that are not in use; those in use close when they are done.
    pub fn close(&self) {
        self.inner().pool.close();
    }
}

/// Ends its exchange when the task does, also if it is stopped.
struct Ending(Arc<Exchange>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end(Err(Kind::ReadError.because("the response was closed")));
    }
}

impl Inner {
    async fn run(&self, request: &Request, exchange: &Exchange) -> Result<(), Failure> {
        request.head.check().map_err(|violation| Kind::LocalProtocolError.because(violation.0))?;
        let mut connection = self.connection(request).await?;
        let again = http1::converse(&mut connection.io, &request.head, exchange, request.timeouts.patience).await?;
        if again {
            self.pool.give_back(&request.route, connection);
        }
        Ok(())
    }

    async fn connection(&self, request: &Request) -> Result<Connection, Failure> {
        let Timeouts { pool, connect, .. } = request.timeouts;
        let acquire = self.pool.acquire(&request.route);
        let found = within(pool, Kind::PoolTimeout, "all connections are in use", acquire).await?;
        let slot = match found {
            Found::Open(connection) => return Ok(connection),
            Found::New(slot) => slot,
        };
        let mut attempt = 0;
        loop {
            let connecting = self.connector.connect(&request.route);
            let why = "no connection in time";
            match within(connect, Kind::ConnectTimeout, why, connecting).await.and_then(|made| made) {
                Ok(made) => return Ok(Connection { io: made.io, slot }),
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
}
