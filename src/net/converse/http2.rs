//! Over a stream of an HTTP/2 connection.

use bytes::Bytes;

use super::{Patience, ReadClock};
use crate::http1::RequestHead;
use crate::net::connect::Route;
use crate::net::error::Kind;
use crate::net::exchange::Exchange;
use crate::net::http2::{Http2, SendBody, StreamFailure};
use crate::net::within;

/// Sends the request and delivers the answer, but for its end. If the server has not acted on the request and it is
/// all there, then it is as it was before.
pub async fn converse(
    http2: &Http2,
    route: &Route,
    request: &RequestHead,
    exchange: &Exchange,
    patience: Patience,
) -> Result<(), StreamFailure> {
    let mut sent = Sent { first: exchange.next_piece().await.map(Bytes::from), more: false };
    let mut outcome = attempt(http2, route, request, exchange, patience, &mut sent).await;
    if let Err(failed) = &mut outcome {
        failed.retryable &= !sent.more;
        if let (true, Some(first)) = (failed.retryable, sent.first) {
            exchange.put_back(first.into());
        }
    }
    outcome
}

/// What has been taken of the request's body.
struct Sent {
    first: Option<Bytes>,
    more: bool,
}

async fn attempt(
    http2: &Http2,
    route: &Route,
    request: &RequestHead,
    exchange: &Exchange,
    patience: Patience,
    sent: &mut Sent,
) -> Result<(), StreamFailure> {
    let opening = http2.send(route, request, sent.first.is_none());
    let (body, answer) = within(patience.write, Kind::WriteTimeout, TAKES_NOTHING, opening).await??;
    send(body, sent, exchange, patience).await?;
    let mut clock = ReadClock::new(exchange, patience.read);
    let (answer, mut body) = clock.within(answer.head()).await??;
    exchange.limit_by(body.window());
    exchange.answer(answer);
    while let Some(piece) = clock.within(body.data()).await? {
        let piece = piece?;
        exchange.deliver(|inbox| inbox.extend_from_slice(&piece));
    }
    Ok(())
}

const TAKES_NOTHING: &str = "the server took no bytes in time";

async fn send(
    mut body: SendBody,
    sent: &mut Sent,
    exchange: &Exchange,
    patience: Patience,
) -> Result<(), StreamFailure> {
    let mut next = sent.first.clone();
    if next.is_none() {
        return Ok(());
    }
    while let Some(piece) = next {
        within(patience.write, Kind::WriteTimeout, TAKES_NOTHING, body.send(piece)).await??;
        next = exchange.next_piece().await.map(Bytes::from);
        sent.more |= next.is_some();
    }
    body.finish();
    Ok(())
}
