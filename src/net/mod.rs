//! HTTP for streams: requests out, bytes in, delivered as they come.
//!
//! Every exchange is a task on one background thread. Consumers, on threads of their own, meet it in an [`exchange`].

use std::future::Future;
use std::time::Duration;

use error::{Failure, Kind};

pub mod answer;
pub mod client;
pub mod connect;
mod converse;
pub mod dial;
pub mod error;
pub mod exchange;
pub mod http2;
pub mod inbox;
pub mod io;
pub mod notifier;
pub mod pool;
pub mod proxy;
pub mod runtime;
pub mod rush;
pub mod tls;
mod verify;

pub use converse::Patience;

/// The output of `future`, or a failure of this kind once `timeout` has passed.
async fn within<T>(
    timeout: Option<Duration>,
    kind: Kind,
    why: &str,
    future: impl Future<Output = T>,
) -> Result<T, Failure> {
    match timeout {
        None => Ok(future.await),
        Some(timeout) => tokio::time::timeout(timeout, future).await.map_err(|_| kind.because(why)),
    }
}
