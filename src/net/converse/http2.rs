//! Over a stream of an HTTP/2 connection.

use bytes::Bytes;

use super::{Patience, ReadClock};
use crate::http1::RequestHead;
use crate::net::connect::Route;
use crate::net::error::{Failure, Kind};
use crate::net::exchange::{Answer, Exchange};
use crate::net::http2::{Head, Http2, Request, SendBody};
use crate::net::proxy::authority;
use crate::net::within;

/// Sends the request and delivers the answer, but for its end.
pub async fn converse(
    http2: &Http2,
    route: &Route,
    request: &RequestHead,
    exchange: &Exchange,
    patience: Patience,
) -> Result<(), Failure> {
    let head = Request {
        method: &request.method,
        scheme: if route.https { "https" } else { "http" },
        authority: &authority(&route.host, route.port),
        path: &request.target,
        headers: &request.fields,
    };
    let first = exchange.next_piece().await;
    let opening = http2.send(head, first.is_none());
    let (body, answer) = within(patience.write, Kind::WriteTimeout, TAKES_NOTHING, opening).await??;
    if let Some(first) = first {
        send(body, first, exchange, patience).await?;
    }
    let mut clock = ReadClock::new(exchange, patience.read);
    let (Head { status, headers }, mut body) = clock.within(answer.head()).await??;
    exchange.limit_by(body.window());
    exchange.answer(Answer { status, version: "HTTP/2", reason: Vec::new(), fields: headers });
    while let Some(piece) = clock.within(body.data()).await? {
        let piece = piece?;
        exchange.deliver(|inbox| inbox.extend_from_slice(&piece));
    }
    Ok(())
}

const TAKES_NOTHING: &str = "the server took no bytes in time";

async fn send(mut body: SendBody, first: Vec<u8>, exchange: &Exchange, patience: Patience) -> Result<(), Failure> {
    let mut next = Some(first);
    while let Some(piece) = next {
        within(patience.write, Kind::WriteTimeout, TAKES_NOTHING, body.send(Bytes::from(piece))).await??;
        next = exchange.next_piece().await;
    }
    body.finish();
    Ok(())
}
