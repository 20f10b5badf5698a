//! HTTP/2 over real sockets.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use eugpt_fast::http1::RequestHead;
use eugpt_fast::net::answer::Answer;
use eugpt_fast::net::error::Kind;
use eugpt_fast::net::http2::{Http2, StreamFailure};
use eugpt_fast::net::io::Io;
use h2::Reason;
use http::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::http2_peer::*;
use crate::support::run;

#[test]
fn requests_and_answers_arrive_as_they_were_sent() {
    run(async {
        let (client, mut server) = connect(|_| ()).await;
        let serving = tokio::spawn(async move {
            let (request, mut respond) = server.accept().await.unwrap().unwrap();
            respond.send_informational(Response::builder().status(103).body(()).unwrap()).unwrap();
            let mut response = Response::builder().status(299).header("x-b", "1").header("a", "2").header("x-b", "3");
            response = response.header("raw", http::HeaderValue::from_bytes(b"caf\xe9").unwrap());
            let mut stream = respond.send_response(response.body(()).unwrap(), false).unwrap();
            stream.send_data(Bytes::from_static(b"hello"), false).unwrap();
            stream.send_trailers(http::HeaderMap::new()).unwrap();
            assert!(server.accept().await.is_none(), "no further request");
            request
        });
        let field = |name: &str, value: &str| (name.into(), value.into());
        let headers = [
            field("X-Custom", "1"),
            field("Authorization", "Bearer k"),
            field("x-custom", "2"),
            field("Host", "other.example"),
            field("Connection", "keep-alive"),
            field("Keep-Alive", "5"),
            field("Proxy-Connection", "x"),
            field("Transfer-Encoding", "chunked"),
            field("Upgrade", "h2c"),
            field("TE", "gzip"),
            field("TE", "trailers"),
        ];
        let asked = RequestHead { fields: headers.into(), ..request("PUT", "/a?b=c") };
        let (_, answer) = client.send(&route(), &asked, true).await.unwrap();
        let (head, body) = answer.head().await.unwrap();
        assert_eq!(read(body).await, (b"hello".to_vec(), None));
        let pair = |name: &str, value: &[u8]| (name.as_bytes().to_vec(), value.to_vec());
        let fields = vec![pair("x-b", b"1"), pair("x-b", b"3"), pair("a", b"2"), pair("raw", b"caf\xe9")];
        assert_eq!(head, Answer { status: 299, version: "HTTP/2", reason: vec![], fields });
        drop(client);
        let seen = serving.await.unwrap();
        assert_eq!((seen.method().as_str(), seen.uri().to_string()), ("PUT", "http://other.example/a?b=c".to_owned()));
        let fields: Vec<_> = seen.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let expected: [(&str, &[u8]); 4] =
            [("x-custom", b"1"), ("x-custom", b"2"), ("authorization", b"Bearer k"), ("te", b"trailers")];
        assert_eq!(fields, expected);
    });
}

#[test]
fn bodies_pass_through_small_windows() {
    run(async {
        let (client, server) = connect(|builder| {
            builder.initial_window_size(1000);
        })
        .await;
        serve(server);
        static BODY: [u8; 300_000] = {
            let mut body = [0; 300_000];
            let mut at = 0;
            while at < body.len() {
                body[at] = (at / 7) as u8;
                at += 1;
            }
            body
        };
        assert_eq!(echo(&client, &BODY).await, BODY);
        assert_eq!(echo(&client, b"").await, b"");
    });
}

#[test]
fn an_answer_that_is_not_taken_stops_at_its_buffer_and_stops_no_other() {
    run(async {
        let (client, server) = connect(|_| ()).await;
        serve(server);
        let mut stalled = Vec::new();
        for _ in 0..40 {
            let mut body = get(&client, "/endless").await.unwrap().1;
            let mut taken = 0;
            while taken < BUFFER {
                taken += body.data().await.unwrap().unwrap().len();
            }
            assert_eq!(taken, BUFFER);
            stalled.push(body);
        }
        assert_eq!(echo(&client, b"still moving").await, b"still moving");
        for body in &mut stalled {
            assert!(is_waiting(pin!(body.data())), "the server may not send more");
        }
        let body = &mut stalled[7];
        body.window().release(BUFFER);
        assert!(body.data().await.unwrap().is_ok());
    });
}

#[test]
fn many_tiny_frames_are_no_breach() {
    run(async {
        let (client, server) = connect(|_| ()).await;
        serve(server);
        let body = get(&client, "/tiny").await.unwrap().1;
        assert_eq!(read(body).await, (vec![b'x'; 100_000], None));
    });
}

#[test]
fn streams_beyond_the_servers_limit_wait() {
    run(async {
        let (client, server) = connect(|builder| {
            builder.max_concurrent_streams(2);
        })
        .await;
        serve(server);
        echo(&client, b"").await; // the limit is known from here on
        let first = get(&client, "/endless").await.unwrap();
        let _second = get(&client, "/endless").await.unwrap();
        let mut third = pin!(send(&client, "GET", "/endless"));
        assert!(is_waiting(third.as_mut()));
        assert!(client.is_usable());
        drop(first);
        assert!(third.await.unwrap().1.head().await.is_ok());
    });
}

#[test]
fn more_streams_than_fit_at_once_all_come_through() {
    run(async {
        let (client, server) = connect(|builder| {
            builder.max_concurrent_streams(128);
        })
        .await;
        serve(server);
        let each = |_| {
            let client = client.clone();
            tokio::spawn(async move { echo(&client, b"one of many").await })
        };
        for stream in (0..500).map(each).collect::<Vec<_>>() {
            assert_eq!(stream.await.unwrap(), b"one of many");
        }
    });
}

#[test]
fn what_the_server_did_not_touch_may_be_sent_again() {
    run(async {
        let (client, server) = connect(|_| ()).await;
        serve(server);
        let refused = get(&client, "/refused").await.map(drop).unwrap_err();
        assert!(refused.retryable && refused.failure.kind == Kind::RemoteProtocolError, "{refused:?}");
        let (upload, answer) = send(&client, "POST", "/broken").await.unwrap();
        let (_, mut body) = answer.head().await.unwrap();
        assert_eq!(body.data().await, Some(Ok(Bytes::from_static(b"begun"))));
        upload.finish();
        assert_eq!(read(body).await, (vec![], Some(Kind::RemoteProtocolError)));
        let large = get(&client, "/large-head").await.map(drop).unwrap_err();
        assert!(!large.retryable && large.failure.kind == Kind::RemoteProtocolError, "{large:?}");
        assert!(client.is_usable(), "one stream's trouble is not the connection's");
    });
}

#[test]
fn an_announced_end_lets_streams_finish_and_takes_no_new_ones() {
    run(async {
        let (client, mut server) = connect(|_| ()).await;
        let (answered, go_on) = tokio::sync::oneshot::channel();
        let serving = tokio::spawn(async move {
            let (_, mut respond) = server.accept().await.unwrap().unwrap();
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            server.graceful_shutdown();
            tokio::spawn(async move {
                go_on.await.unwrap();
                stream.send_data(Bytes::from_static(b"rest"), true).unwrap();
            });
            assert!(server.accept().await.is_none(), "no further request");
        });
        let (_, body) = get(&client, "/").await.unwrap();
        while client.is_usable() {
            tokio::task::yield_now().await;
        }
        let late = get(&client, "/").await.map(drop).unwrap_err();
        assert!(late.retryable && late.failure.kind == Kind::RemoteProtocolError, "{late:?}");
        answered.send(()).unwrap();
        assert_eq!(read(body).await, (b"rest".to_vec(), None));
        serving.await.unwrap();
    });
}

/// A client, its request that has no answer, and what the server does next.
async fn unanswered(then: &[u8], reset: bool) -> (Http2, StreamFailure) {
    let (client, mut server) = sockets().await;
    let client = Http2::handshake(Io::Tcp(client), BUFFER).await.unwrap();
    server.write_all(&frame(SETTINGS, &[])).await.unwrap();
    let (_, answer) = send(&client, "GET", "/").await.unwrap();
    read_until(&mut server, &[&ACKNOWLEDGED, REQUESTED]).await;
    server.write_all(then).await.unwrap();
    if reset {
        server.set_zero_linger().unwrap();
        drop(server);
    } else {
        server.shutdown().await.unwrap();
        while server.read(&mut [0; 1000]).await.is_ok_and(|count| count > 0) {}
    }
    let failed = answer.head().await.map(drop).unwrap_err();
    (client, failed)
}

#[test]
fn ends_of_the_connection_are_told_apart() {
    run(async {
        for (then, reset, retryable, kind, told) in [
            (frame(GOAWAY, &[0; 8]), false, true, Kind::RemoteProtocolError, "ending the connection"),
            (frame(GOAWAY, &[0, 0, 0, 1, 0, 0, 0, 2]), false, false, Kind::RemoteProtocolError, ""),
            (vec![], false, false, Kind::RemoteProtocolError, "closed the connection"),
            (vec![], true, false, Kind::ReadError, "reset"),
            (frame(SETTINGS, &[0]), false, false, Kind::RemoteProtocolError, "broke HTTP/2"),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), false, false, Kind::RemoteProtocolError, "broke HTTP/2"),
        ] {
            let (client, failed) = unanswered(&then, reset).await;
            assert_eq!((failed.failure.kind, failed.retryable), (kind, retryable), "{failed:?}");
            assert!(failed.failure.message.contains(told), "{failed:?}");
            assert!(!client.is_usable());
        }
    });
}

#[test]
fn a_server_that_vanishes_amid_an_answer_is_a_failure() {
    run(async {
        let (client, mut server) = connect(|_| ()).await;
        let serving = tokio::spawn(async move {
            let (_, mut respond) = server.accept().await.unwrap().unwrap();
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            stream.send_data(Bytes::from_static(b"half"), false).unwrap();
            // One turn, to write it out.
            poll_fn(|context| Poll::Ready(server.poll_closed(context).is_ready())).await;
        });
        let (_, body) = get(&client, "/").await.unwrap();
        serving.await.unwrap();
        assert_eq!(read(body).await, (b"half".to_vec(), Some(Kind::RemoteProtocolError)));
        assert!(!client.is_usable());
    });
}

#[test]
fn dropping_an_answer_cancels_it_at_once_and_the_last_handle_closes() {
    run(async {
        let (client, mut server) = connect(|_| ()).await;
        let serving = tokio::spawn(async move {
            let (_, mut respond) = server.accept().await.unwrap().unwrap();
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            let cancelled = tokio::spawn(async move { poll_fn(|context| stream.poll_reset(context)).await.unwrap() });
            assert!(server.accept().await.is_none(), "the connection ends");
            cancelled.await.unwrap()
        });
        let answer = get(&client, "/").await.unwrap();
        let other = client.clone();
        drop(client);
        drop(answer);
        assert!(other.is_usable());
        drop(other);
        assert_eq!(serving.await.unwrap(), Reason::CANCEL);
    });
}

#[test]
fn many_cancelled_answers_leave_the_connection_usable() {
    run(async {
        let (client, server) = connect(|_| ()).await;
        serve(server);
        for _ in 0..30 {
            let mut answers = Vec::new();
            for _ in 0..100 {
                answers.push(send(&client, "GET", "/endless").await.unwrap().1);
            }
            // The last one is there, so frames of all are under way; most arrive when their streams are gone.
            answers.pop().unwrap().head().await.unwrap();
        }
        assert_eq!(echo(&client, b"alive").await, b"alive");
    });
}

#[test]
fn a_server_that_answers_early_is_heard() {
    run(async {
        let (client, server) = connect(|_| ()).await;
        serve(server);
        let (mut upload, answer) = send(&client, "POST", "/early").await.unwrap();
        for _ in 0..100 {
            upload.send(Bytes::from_static(&[0; 50_000])).await.unwrap();
        }
        upload.finish();
        assert_eq!(answer.head().await.unwrap().0.status, 413);
    });
}

#[test]
fn a_request_that_cannot_be_said_in_http_2_is_refused_here_without_quoting_values() {
    run(async {
        let (client, server) = connect(|_| ()).await;
        serve(server);
        let with =
            |name: &str, value: &str| RequestHead { fields: vec![(name.into(), value.into())], ..request("GET", "/") };
        for bad in [
            with("x-key", "secret\n"),
            with("bad name", "secret"),
            with("host", "sec ret"),
            request("G E T", "/"),
            request("GET", "/a b"),
            request("GET", ""),
        ] {
            let failed = client.send(&route(), &bad, true).await.map(drop).unwrap_err();
            assert_eq!((failed.failure.kind, failed.retryable), (Kind::LocalProtocolError, false));
            assert!(!failed.failure.message.contains("secret"), "{failed:?}");
        }
        assert!(client.is_usable());
    });
}
