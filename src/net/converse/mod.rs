//! One exchange over one connection: the request goes out, what comes of the answer is delivered as it comes.

pub mod http1;
pub mod http2;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep};

use super::error::{Failure, Kind};
use super::exchange::Exchange;

/// How long to wait for bytes, and to get rid of some.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For bytes to come.
    pub read: Option<Duration>,
    /// For bytes to be taken.
    pub write: Option<Duration>,
}

/// Measures how long the consumer has been waiting for bytes; time in which it does not wait does not count.
struct ReadClock<'a> {
    exchange: &'a Exchange,
    timeout: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
    /// When reading began, or bytes came last.
    latest: Instant,
}

impl<'a> ReadClock<'a> {
    fn new(exchange: &'a Exchange, timeout: Option<Duration>) -> Self {
        Self { exchange, timeout, timer: None, latest: Instant::now() }
    }

    /// What `reading` brings.
    async fn within<T>(&mut self, reading: impl Future<Output = T>) -> Result<T, Failure> {
        let mut reading = pin!(reading);
        let brought = poll_fn(|context| match reading.as_mut().poll(context) {
            Poll::Ready(brought) => Poll::Ready(Ok(brought)),
            Poll::Pending => self.poll_timeout(context).map(Err),
        })
        .await?;
        self.latest = Instant::now();
        Ok(brought)
    }

    /// The timer is set once, and looked at when it rings: moving it with every read would cost more than reading.
    fn poll_timeout(&mut self, context: &mut Context<'_>) -> Poll<Failure> {
        let Some(timeout) = self.timeout else { return Poll::Pending };
        loop {
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(timeout)));
            ready!(timer.as_mut().poll(context));
            let waited = self.exchange.waiting_since().map(|since| since.max(self.latest).elapsed());
            let left = timeout.saturating_sub(waited.unwrap_or_default());
            if left.is_zero() {
                return Poll::Ready(Kind::ReadTimeout.because("the server sent nothing in time"));
            }
            timer.as_mut().reset(tokio::time::Instant::now() + left);
        }
    }
}
