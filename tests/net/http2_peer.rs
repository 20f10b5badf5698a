//! A server for the tests of HTTP/2 that shares only the frame layer with the client, and the client's plainer uses.

use std::future::{Future, poll_fn};
use std::task::{Context, Waker};

use bytes::Bytes;
use eugpt_fast::http1::RequestHead;
use eugpt_fast::net::answer::Answer;
use eugpt_fast::net::connect::Route;
use eugpt_fast::net::error::Kind;
use eugpt_fast::net::http2::{Awaited, Http2, RecvBody, SendBody, StreamFailure};
use eugpt_fast::net::io::Io;
use h2::server::{Builder, Connection, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use http::Response;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::support::listen;

pub const BUFFER: usize = 128 * 1024;

pub type Served = Connection<TcpStream, Bytes>;

pub fn route() -> Route {
    Route { https: false, host: "example.com".into(), port: 8080, sni: None, proxy: None }
}

pub fn request(method: &str, target: &str) -> RequestHead {
    RequestHead { method: method.into(), target: target.into(), fields: Vec::new() }
}

pub async fn send(client: &Http2, method: &str, target: &str) -> Result<(SendBody, Awaited), StreamFailure> {
    client.send(&route(), &request(method, target), method == "GET").await
}

pub async fn sockets() -> (TcpStream, TcpStream) {
    let (listener, port) = listen().await;
    let client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    (client, listener.accept().await.unwrap().0)
}

/// A client, and its server before the first request.
pub async fn connect(configure: impl FnOnce(&mut Builder)) -> (Http2, Served) {
    let (client, server) = sockets().await;
    let mut builder = Builder::new();
    configure(&mut builder);
    let client = Http2::handshake(Io::Tcp(client), BUFFER).await.unwrap();
    (client, builder.handshake(server).await.unwrap())
}

/// Answer requests until the connection ends.
pub fn serve(mut server: Served) -> JoinHandle<()> {
    tokio::spawn(async move {
        while let Some(Ok((request, respond))) = server.accept().await {
            tokio::spawn(answer(request, respond));
        }
    })
}

pub async fn push(stream: &mut SendStream<Bytes>, mut bytes: Bytes) -> Option<()> {
    while !bytes.is_empty() {
        stream.reserve_capacity(bytes.len());
        let capacity = match stream.capacity() {
            0 => poll_fn(|context| stream.poll_capacity(context)).await?.ok()?,
            capacity => capacity,
        };
        stream.send_data(bytes.split_to(capacity.min(bytes.len())), false).ok()?;
    }
    Some(())
}

pub async fn take_all(body: &mut RecvStream) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(Ok(piece)) = body.data().await {
        body.flow_control().release_capacity(piece.len()).unwrap();
        all.extend_from_slice(&piece);
    }
    all
}

/// What the server does with a request, by its path.
pub async fn answer(mut request: http::Request<RecvStream>, mut respond: SendResponse<Bytes>) -> Option<()> {
    match request.uri().path() {
        "/echo" => {
            let body = take_all(request.body_mut()).await;
            let mut stream = respond.send_response(Response::new(()), false).ok()?;
            push(&mut stream, body.into()).await?;
            stream.send_data(Bytes::new(), true).ok()
        }
        "/endless" => {
            let mut stream = respond.send_response(Response::new(()), false).ok()?;
            loop {
                push(&mut stream, Bytes::from_static(&[b'x'; 1000])).await?;
            }
        }
        "/tiny" => {
            let mut stream = respond.send_response(Response::new(()), false).ok()?;
            for _ in 0..100_000 {
                push(&mut stream, Bytes::from_static(b"x")).await?;
            }
            stream.send_data(Bytes::new(), true).ok()
        }
        "/refused" => {
            respond.send_reset(Reason::REFUSED_STREAM);
            Some(())
        }
        "/broken" => {
            let mut stream = respond.send_response(Response::new(()), false).ok()?;
            push(&mut stream, Bytes::from_static(b"begun")).await?;
            take_all(request.body_mut()).await; // or the reset would overtake what was said
            stream.send_reset(Reason::INTERNAL_ERROR);
            Some(())
        }
        "/early" => {
            let response = Response::builder().status(413).body(()).unwrap();
            respond.send_response(response, true).map(drop).ok() // and reset, for the body is not read
        }
        "/large-head" => {
            let response = Response::builder().header("x-large", "x".repeat(110 * 1024)).body(()).unwrap();
            respond.send_response(response, true).map(drop).ok()
        }
        path => panic!("nobody asks for {path}"),
    }
}

pub async fn get(client: &Http2, path: &str) -> Result<(Answer, RecvBody), StreamFailure> {
    send(client, "GET", path).await?.1.head().await
}

/// Read a body to its end or failure, making room for more.
pub async fn read(mut body: RecvBody) -> (Vec<u8>, Option<Kind>) {
    let (mut all, mut window) = (Vec::new(), body.window());
    while let Some(piece) = body.data().await {
        match piece {
            Ok(piece) => {
                window.release(piece.len());
                all.extend_from_slice(&piece);
            }
            Err(failure) => return (all, Some(failure.kind)),
        }
        window.release(BUFFER); // more than there was: no harm
    }
    (all, None)
}

pub async fn echo(client: &Http2, body: &'static [u8]) -> Vec<u8> {
    let (mut upload, answer) = send(client, "POST", "/echo").await.unwrap();
    upload.send(Bytes::from_static(body)).await.unwrap();
    upload.finish();
    let (all, failed) = read(answer.head().await.unwrap().1).await;
    assert_eq!(failed, None);
    all
}

pub fn is_waiting(future: std::pin::Pin<&mut impl Future>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

/// A frame, RFC 9113, section 4.1.
pub fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[0, 0, payload.len() as u8, kind, 0, 0, 0, 0, 0], payload].concat()
}

pub const SETTINGS: u8 = 4;
pub const GOAWAY: u8 = 7;
/// Settings without a payload have been received.
pub const ACKNOWLEDGED: [u8; 9] = [0, 0, 0, SETTINGS, 1, 0, 0, 0, 0];
/// The head of the first stream, that of a request without a body.
pub const REQUESTED: &[u8] = &[1, 5, 0, 0, 0, 1];
/// That of a request with one.
pub const REQUESTED_WITH_BODY: &[u8] = &[1, 4, 0, 0, 0, 1];

/// Read until all of these have come.
pub async fn read_until(socket: &mut TcpStream, wanted: &[&[u8]]) {
    let mut said = Vec::new();
    while !wanted.iter().all(|wanted| said.windows(wanted.len()).any(|window| window == *wanted)) {
        assert_ne!(socket.read_buf(&mut said).await.unwrap(), 0, "the client is there");
    }
}
