//! Over an HTTP/1.1 connection.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::task::yield_now;
use tokio::time::sleep;

use super::{Patience, ReadClock};
use crate::http1::{Body, Head, HeadReader, RequestHead, Sending, Violation};
use crate::net::answer::Answer;
use crate::net::error::{Failure, Kind};
use crate::net::exchange::Exchange;
use crate::net::io::Io;
use crate::net::rush::{self, REST};
use crate::net::within;

/// Bytes that one read may bring. One such place serves all connections, so that an idle one holds none.
const SCRATCH: usize = 256 * 1024;

/// After a read that brought as much nobody rests: more is coming, and there is little to save.
const WORTH_IT: usize = 16 * 1024;

/// More than this of a body is not copied behind its head.
const MAX_JOINED: usize = 64 * 1024;

thread_local! {
    static PLACE: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH]);
}

impl From<Violation> for Failure {
    fn from(Violation(what): Violation) -> Self {
        Kind::RemoteProtocolError.because(what)
    }
}

/// Sends the request and delivers the answer, but for its end. Returns whether the connection can be used again.
pub async fn converse(
    io: &mut Io,
    request: &RequestHead,
    exchange: &Exchange,
    patience: Patience,
) -> Result<bool, Failure> {
    let sent = send(io, request, exchange, patience.write).await;
    if let Err(failure) = &sent {
        if failure.kind != Kind::WriteError {
            return Err(failure.clone());
        }
        // A server may answer before it has read everything, and close: then the answer counts.
    }
    let mut reading = Reading { io, exchange, clock: ReadClock::new(exchange, patience.read) };
    let (head, rest) = match reading.head().await {
        Ok(found) => found,
        Err(failure) => return Err(sent.err().unwrap_or(failure)),
    };
    let mut body = Body::behind(&head, &request.method)?;
    let keeps_alive = sent.is_ok() && head.keeps_alive() && request.keeps_alive() && head.status != 101;
    let version = if head.minor == 0 { "HTTP/1.0" } else { "HTTP/1.1" };
    exchange.answer(Answer { status: head.status, version, reason: head.reason, fields: head.fields });
    let clean = reading.body(&mut body, &rest).await?;
    Ok(clean && keeps_alive)
}

async fn send(
    io: &mut Io,
    request: &RequestHead,
    exchange: &Exchange,
    timeout: Option<Duration>,
) -> Result<(), Failure> {
    let local = |Violation(what)| Kind::LocalProtocolError.because(what);
    let mut sending = Sending::announced(&request.fields).map_err(local)?;
    let mut out = request.encode();
    while let Some(piece) = exchange.next_piece().await {
        if out.len() + piece.len() > MAX_JOINED {
            write(io, &out, timeout).await?;
            out.clear();
        }
        sending.encode(&piece, &mut out).map_err(local)?;
        if sending == Sending::Chunked || out.len() > MAX_JOINED {
            write(io, &out, timeout).await?;
            out.clear();
        }
    }
    out.extend_from_slice(sending.finish().map_err(local)?);
    write(io, &out, timeout).await
}

async fn write(io: &mut Io, bytes: &[u8], timeout: Option<Duration>) -> Result<(), Failure> {
    let write = async {
        io.write_all(bytes).await?;
        io.flush().await
    };
    let failed = |error| Kind::WriteError.because(error);
    within(timeout, Kind::WriteTimeout, "the server took no bytes in time", write).await?.map_err(failed)
}

/// What it takes to read one answer.
struct Reading<'a> {
    io: &'a mut Io,
    exchange: &'a Exchange,
    clock: ReadClock<'a>,
}

impl Reading<'_> {
    async fn head(&mut self) -> Result<(Head, Vec<u8>), Failure> {
        let mut reader = HeadReader::default();
        loop {
            if let Some(head) = reader.take()? {
                return Ok((head, reader.rest()));
            }
            if self.read(SCRATCH, |bytes| reader.push(bytes)).await? == 0 {
                let how = if reader.is_empty() { "without sending a response" } else { "inside the response's head" };
                return Err(Kind::RemoteProtocolError.because(format_args!("the server disconnected {how}")));
            }
        }
    }

    /// Returns whether nothing but the body was there.
    async fn body(&mut self, body: &mut Body, rest: &[u8]) -> Result<bool, Failure> {
        let exchange = self.exchange;
        let mut surplus = rest.len() - exchange.deliver(|inbox| body.decode(rest, inbox))?;
        let mut turn = 0;
        let mut latest = Instant::now();
        let mut count = 0;
        while !body.is_done() {
            if turn >= SCRATCH {
                turn = 0;
                yield_now().await; // a server that never pauses would keep the others from their turns
            }
            let room = exchange.room().await;
            // Of what is read ahead to its end nobody sees anything before that.
            let least = if exchange.awaits_its_end() { REST } else { Duration::ZERO };
            let rest = rush::rest().max(least);
            if count < WORTH_IT && latest.elapsed() < rest {
                sleep(rest).await;
            }
            let mut used = Ok(0);
            count = self.read(room, |bytes| used = exchange.deliver(|inbox| body.decode(bytes, inbox))).await?;
            latest = Instant::now();
            rush::note_read(latest);
            if count == 0 {
                body.close()?;
                return Ok(false);
            }
            surplus = count - used?;
            turn += count;
        }
        Ok(surplus == 0)
    }

    /// Reads what is there, of `room` bytes at most, and shows it to `sink`. Returns how many bytes: 0 at the end.
    async fn read(&mut self, room: usize, mut sink: impl FnMut(&[u8])) -> Result<usize, Failure> {
        let Self { io, clock, .. } = self;
        let reading = poll_fn(|context| {
            PLACE.with_borrow_mut(|place| {
                let room = room.min(place.len());
                let mut filled = ReadBuf::new(&mut place[..room]);
                match ready!(Pin::new(&mut **io).poll_read(context, &mut filled)) {
                    // TLS that ends without a goodbye, as it often does. Whether that was the end, the body tells.
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                    ended => ended?,
                }
                sink(filled.filled());
                Poll::Ready(io::Result::Ok(filled.filled().len()))
            })
        });
        clock.within(reading).await?.map_err(|error| Kind::ReadError.because(error))
    }
}
