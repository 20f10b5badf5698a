//! Whole exchanges over HTTP/2 connections that requests share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use eugpt_fast::http1::RequestHead;
use eugpt_fast::net::Patience;
use eugpt_fast::net::answer::Answer;
use eugpt_fast::net::client::{Client, Request, Timeouts};
use eugpt_fast::net::error::{Failure, Kind};
use eugpt_fast::net::exchange::{Exchange, Wanted};
use eugpt_fast::net::pool::Limits;
use h2::Reason;
use h2::server::Builder;
use http::Response;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use crate::http2_peer::{GOAWAY, REQUESTED_WITH_BODY, SETTINGS, frame, read_until, serve};
use crate::ping::{connector, route};
use crate::support::{Ca, listen, run};

/// A client that speaks HTTP/2 only, over so many connections.
fn client(connections: usize) -> Client {
    let mut connector = connector(&Ca::new());
    (connector.http1, connector.http2) = (false, true);
    Client::new(connector, Limits { connections, idle: connections, expiry: None }, 0, 128 * 1024)
}

fn send(client: &Client, port: u16, path: &str, body: &str, pool: Option<Duration>) -> Arc<Exchange> {
    let method = if body.is_empty() { "GET" } else { "POST" };
    let head = RequestHead { method: method.into(), target: path.into(), fields: vec![] };
    let patience = Patience { read: None, write: None };
    let timeouts = Timeouts { pool, connect: None, patience };
    let exchange = client.exchange(body.into(), false);
    client.send(Request { route: route(false, "127.0.0.1", port, None), head, timeouts }, &exchange);
    exchange
}

async fn head(exchange: &Arc<Exchange>) -> Result<Answer, Failure> {
    let waiting = exchange.clone();
    tokio::task::spawn_blocking(move || assert!(waiting.wait(Wanted::Head, Duration::from_secs(30)))).await.unwrap();
    exchange.take_answer().map(|answer| answer.expect("it was waited for"))
}

async fn body(exchange: &Arc<Exchange>) -> Result<Vec<u8>, Failure> {
    let mut all = Vec::new();
    while !exchange.is_over() {
        let waiting = exchange.clone();
        tokio::task::spawn_blocking(move || waiting.wait(Wanted::Body, Duration::from_secs(30))).await.unwrap();
        all.extend(exchange.take()?.unwrap_or_default());
    }
    exchange.take().map(|_| all)
}

/// Serves every connection that comes, and counts them.
async fn listening(streams: u32) -> (u16, Arc<AtomicUsize>) {
    let (listener, port) = listen().await;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            serve(Builder::new().max_concurrent_streams(streams).handshake(socket).await.unwrap());
        }
    });
    (port, count)
}

#[test]
fn a_closed_exchange_frees_its_stream_though_somebody_holds_it() {
    run(async {
        let (listener, port) = listen().await;
        let (tell, mut told) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut server = h2::server::handshake(listener.accept().await.unwrap().0).await.unwrap();
            while let Some(Ok((_, mut respond))) = server.accept().await {
                let mut stream = respond.send_response(Response::new(()), false).unwrap();
                let tell = tell.clone();
                tokio::spawn(async move {
                    tell.send(std::future::poll_fn(|context| stream.poll_reset(context)).await.unwrap()).unwrap();
                });
            }
        });
        let exchange = send(&client(1), port, "/", "", None);
        head(&exchange).await.unwrap();
        exchange.close();
        assert_eq!(told.recv().await, Some(Reason::CANCEL));
        assert_eq!(body(&exchange).await.unwrap_err().kind, Kind::ReadError);
    });
}

#[test]
fn streams_that_one_connection_does_not_take_go_to_another() {
    run(async {
        let (port, connections) = listening(2).await;
        let client = client(3);
        let mut endless = Vec::new();
        for _ in 0..6 {
            let exchange = send(&client, port, "/endless", "", None);
            head(&exchange).await.unwrap();
            endless.push(exchange);
        }
        assert_eq!(connections.load(Ordering::Relaxed), 3);
        let none_left = send(&client, port, "/endless", "", Some(Duration::from_millis(50)));
        assert_eq!(head(&none_left).await.unwrap_err().kind, Kind::PoolTimeout);
        let waiting = send(&client, port, "/echo", "", None);
        endless[3].close();
        head(&waiting).await.unwrap();
        assert_eq!(body(&waiting).await.unwrap(), b"");
        assert_eq!(connections.load(Ordering::Relaxed), 3);
    });
}

#[test]
fn what_a_server_did_not_look_at_is_sent_again() {
    run(async {
        let (listener, port) = listen().await;
        tokio::spawn(async move {
            // The first connection ends before the request is looked at, the second refuses it once.
            let (mut ending, _) = listener.accept().await.unwrap();
            ending.write_all(&frame(SETTINGS, &[])).await.unwrap();
            read_until(&mut ending, &[REQUESTED_WITH_BODY]).await;
            ending.write_all(&frame(GOAWAY, &[0; 8])).await.unwrap();
            let mut refusing = h2::server::handshake(listener.accept().await.unwrap().0).await.unwrap();
            refusing.accept().await.unwrap().unwrap().1.send_reset(Reason::REFUSED_STREAM);
            serve(refusing).await.unwrap();
        });
        let client = client(2);
        let exchange = send(&client, port, "/echo", "all of it", None);
        head(&exchange).await.unwrap();
        assert_eq!(body(&exchange).await.unwrap(), b"all of it");
        let hopeless = send(&client, port, "/refused", "", None);
        assert_eq!(head(&hopeless).await.unwrap_err().kind, Kind::RemoteProtocolError);
    });
}
