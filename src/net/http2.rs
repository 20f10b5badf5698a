//! HTTP/2 (RFC 9113): requests as streams of one shared connection.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{FlowControl, Reason, RecvStream, SendStream};
use http::header::{self, HeaderName, HeaderValue};
use http::uri::{self, Scheme, Uri};
use http::{Method, Version};

use super::answer::Answer;
use super::connect::Route;
use super::error::{Failure, Kind};
use super::io::Io;
use super::proxy::authority;
use crate::http1::RequestHead;

/// The most bytes of header fields in one answer, as HPACK counts them (RFC 7541, section 4.1).
const MAX_HEAD: u32 = 100 * 1024;
/// Streams sent before the server has said how many it takes; it should take 100 (RFC 9113, section 6.5.2).
const FIRST_STREAMS: usize = 100;
/// The largest window (RFC 9113, section 6.9.1): that of a whole connection. Streams have their own, and any that the connection ran out of
/// would let a few slow readers stop all others.
const MAX_WINDOW: u32 = (1 << 31) - 1;
/// What frames of a few bytes may cost between the driver and their streams, in bytes (h2 counts 256 for each).
const SMALL_FRAMES: usize = 32 << 20;
/// A failure of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamFailure {
    /// What happened.
    pub failure: Failure,
    /// Whether the server has certainly not acted on the request, so that it may be sent again elsewhere
    /// (RFC 9113, section 8.7).
    pub retryable: bool,
}

impl From<StreamFailure> for Failure {
    fn from(failed: StreamFailure) -> Self {
        failed.failure
    }
}

impl From<Failure> for StreamFailure {
    fn from(failure: Failure) -> Self {
        Self { failure, retryable: false }
    }
}

/// A handle on a connection. The connection closes once its last handle and stream are gone.
#[derive(Clone)]
pub struct Http2 {
    requests: SendRequest<Bytes>,
}

impl Http2 {
    /// Begin HTTP/2 on a fresh connection; a task of its own drives it from here on. Each answer buffers at most
    /// `buffer_size` bytes.
    pub async fn handshake(io: Io, buffer_size: usize) -> Result<Self, Failure> {
        let window = u32::try_from(buffer_size).unwrap_or(MAX_WINDOW).min(MAX_WINDOW);
        // Frames stay at 16 KiB: a larger one would be held back until its last byte is there.
        let (requests, connection) = Builder::new()
            .enable_push(false)
            .initial_window_size(window)
            .initial_connection_window_size(MAX_WINDOW)
            .initial_max_send_streams(FIRST_STREAMS)
            .max_header_list_size(MAX_HEAD)
            .data_frame_budget(SMALL_FRAMES)
            // Frames of cancelled streams count as breaches once h2 has forgotten these, and a thousand would end the
            // connection. They are only late: a server learns of each cancellation when it does.
            .max_local_error_reset_streams(None)
            .handshake(io)
            .await
            .map_err(|error| explain(&error, Kind::ConnectError).failure)?;
        tokio::spawn(async {
            // What ends it, its streams are told too.
            let _ = connection.await;
        });
        Ok(Self { requests })
    }

    /// Whether new requests may be sent: the connection is open, and the server has not announced its end.
    pub fn is_usable(&self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        matches!(self.requests.clone().poll_ready(&mut context), Poll::Ready(Ok(())))
    }

    /// How many streams the server takes at a time.
    pub fn max_streams(&self) -> usize {
        self.requests.current_max_send_streams()
    }

    /// Send the head of a request, and its end too if it has no body. Waits while the server has as many streams as
    /// it takes.
    pub async fn send(
        &self,
        route: &Route,
        head: &RequestHead,
        end_stream: bool,
    ) -> Result<(SendBody, Awaited), StreamFailure> {
        let head = build(route, head).map_err(|message| StreamFailure {
            failure: Kind::LocalProtocolError.because(message),
            retryable: false,
        })?;
        let mut requests = self.requests.clone();
        let (answer, stream) = requests.send_request(head, end_stream).map_err(|error| {
            let StreamFailure { failure, .. } = explain(&error, Kind::WriteError);
            let retryable = failure.kind != Kind::LocalProtocolError; // nothing was sent
            StreamFailure { failure, retryable }
        })?;
        // If the connection ends in the meantime, the answer tells what that meant for this stream.
        let _ = requests.ready().await;
        Ok((SendBody { stream }, Awaited { future: answer }))
    }
}

/// The body of a request. Dropped together with the answer, it cancels the stream.
pub struct SendBody {
    stream: SendStream<Bytes>,
}

impl SendBody {
    /// Send a piece as the server takes it. A server that has answered and wants no more gets no more: the answer is
    /// to be read then, no failure.
    pub async fn send(&mut self, mut piece: Bytes) -> Result<(), StreamFailure> {
        while !piece.is_empty() {
            self.stream.reserve_capacity(piece.len());
            let granted = match self.stream.capacity() {
                0 => poll_fn(|context| self.stream.poll_capacity(context)).await,
                capacity => Some(Ok(capacity)),
            };
            let sent = match granted {
                Some(Ok(capacity)) => self.stream.send_data(piece.split_to(capacity.min(piece.len())), false),
                Some(Err(error)) => Err(error),
                None => match poll_fn(|context| self.stream.poll_reset(context)).await {
                    Ok(Reason::NO_ERROR) => return Ok(()),
                    Ok(reason) => return Err(was_reset(reason)),
                    Err(error) => Err(error),
                },
            };
            sent.map_err(|error| explain(&error, Kind::WriteError))?;
        }
        Ok(())
    }

    /// End the body.
    pub fn finish(mut self) {
        // An error means that the stream is over: the answer tells why.
        let _ = self.stream.send_data(Bytes::new(), true);
    }
}

/// An answer that is awaited.
pub struct Awaited {
    future: ResponseFuture,
}

impl Awaited {
    /// Wait for its head; interim answers (1xx) are passed over. The fields are in order of arrival, except that all
    /// of one name stand together: the `http` crate keeps no more.
    pub async fn head(self) -> Result<(Answer, RecvBody), StreamFailure> {
        let (parts, stream) = self.future.await.map_err(|error| explain(&error, Kind::ReadError))?.into_parts();
        let bytes = |(name, value): (&HeaderName, &HeaderValue)| (name.as_str().into(), value.as_bytes().into());
        let answer = Answer {
            status: parts.status.as_u16(),
            version: "HTTP/2",
            reason: Vec::new(),
            fields: parts.headers.iter().map(bytes).collect(),
        };
        Ok((answer, RecvBody { stream }))
    }
}

/// The body of an answer.
pub struct RecvBody {
    stream: RecvStream,
}

impl RecvBody {
    /// The next piece, or nothing after the last; trailers are ignored. May be dropped and called again.
    ///
    /// Taking a piece does not make room for more: [`Window::release`] does, and a server that has filled the window
    /// waits. Pieces must be taken as they come all the same, as small ones cost more than their bytes while they lie
    /// here. A piece keeps the block alive that it was read into: copy what is kept for long.
    pub async fn data(&mut self) -> Option<Result<Bytes, Failure>> {
        let piece = self.stream.data().await?;
        Some(piece.map_err(|error| explain(&error, Kind::ReadError).failure))
    }

    /// A handle to make room with, for whoever takes the bytes in the end, on any thread. The stream lasts as long.
    pub fn window(&mut self) -> Window {
        Window { flow: self.stream.flow_control().clone() }
    }
}

/// The room for bytes of one answer.
#[derive(Clone)]
pub struct Window {
    flow: FlowControl,
}

impl Window {
    /// Let the server send as many bytes more.
    pub fn release(&mut self, bytes: usize) {
        // Fails only for more than was received: there is nothing to tell the server then.
        let _ = self.flow.release_capacity(bytes);
    }
}

/// Whether a field belongs to one HTTP/1.1 connection (RFC 9113, section 8.2.2).
fn is_connection_specific(name: &HeaderName, value: &[u8]) -> bool {
    match *name {
        header::HOST | header::CONNECTION | header::TRANSFER_ENCODING | header::UPGRADE => true,
        header::TE => value != b"trailers",
        _ => matches!(name.as_str(), "keep-alive" | "proxy-connection"),
    }
}

/// The request as h2 takes it. Errors name fields and never quote values.
fn build(route: &Route, request: &RequestHead) -> Result<http::Request<()>, String> {
    let mut head = http::Request::new(());
    *head.version_mut() = Version::HTTP_2;
    *head.method_mut() = Method::from_bytes(&request.method).map_err(|_| "the method is not valid")?;
    let mut host = authority(&route.host, route.port).into_bytes();
    for (name, value) in &request.fields {
        let name = HeaderName::from_bytes(name).map_err(|_| "a header name is not valid")?;
        if name == header::HOST {
            host.clone_from(value);
        }
        if is_connection_specific(&name, value) {
            continue;
        }
        let mut checked = HeaderValue::from_bytes(value).map_err(|_| format!("the value of {name} is not valid"))?;
        // Not kept in compression tables, here or on the way (RFC 7541, section 7.1.3).
        checked.set_sensitive(name == header::AUTHORIZATION || name == header::PROXY_AUTHORIZATION);
        head.headers_mut().append(name, checked);
    }
    let mut parts = uri::Parts::default();
    parts.scheme = Some(if route.https { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = Some(host.try_into().map_err(|_| "the host is not valid")?);
    parts.path_and_query = Some(request.target[..].try_into().map_err(|_| "the target is not valid")?);
    *head.uri_mut() = Uri::from_parts(parts).map_err(|error| error.to_string())?;
    Ok(head)
}

fn was_reset(reason: Reason) -> StreamFailure {
    StreamFailure {
        failure: Kind::RemoteProtocolError.because(format_args!("the server reset the stream: {reason}")),
        retryable: reason == Reason::REFUSED_STREAM,
    }
}

/// What an error of h2 means; `io` is what a failing socket means here.
fn explain(error: &h2::Error, io: Kind) -> StreamFailure {
    let failure = match (error.get_io(), error.reason()) {
        (None, Some(reason)) if error.is_reset() && error.is_remote() => return was_reset(reason),
        (None, Some(reason)) if error.is_remote() => {
            Kind::RemoteProtocolError.because(format_args!("the server is ending the connection: {reason}"))
        }
        (None, Some(reason)) => Kind::RemoteProtocolError.because(format_args!("the server broke HTTP/2: {reason}")),
        (None, None) => Kind::LocalProtocolError.because(error),
        // How h2 and rustls tell that the other side is gone.
        (Some(cause), _) if matches!(cause.kind(), ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof) => {
            Kind::RemoteProtocolError.because("the server closed the connection before the answer was complete")
        }
        (Some(cause), _) => io.because(format_args!("the connection failed: {cause}")),
    };
    // A stream is told of the end that the server announces only if the server says that it did not get to it.
    StreamFailure { failure, retryable: error.is_go_away() && error.is_remote() }
}

#[cfg(test)]
mod tests {
    use super::{RequestHead, Route, build};

    #[test]
    fn credentials_are_kept_out_of_tables() {
        let route = Route { https: true, host: "::1".into(), port: 8443, sni: None, proxy: None };
        let fields = ["authorization", "Proxy-Authorization", "x"].map(|name| (name.into(), b"secret".to_vec())).into();
        let head = build(&route, &RequestHead { method: b"GET".into(), target: b"/".into(), fields }).unwrap();
        let sensitive: Vec<_> = head.headers().values().map(|value| value.is_sensitive()).collect();
        assert_eq!(sensitive, [true, true, false]);
        assert_eq!(head.uri(), "https://[::1]:8443/");
    }
}
