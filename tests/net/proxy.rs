//! Ways through proxies, each played by a socket that checks what it is told.

use eugpt_fast::net::error::Kind;
use eugpt_fast::net::proxy::Proxy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::ping::*;
use crate::support::{Ca, acceptor, listen, run};

#[test]
fn plain_http_goes_to_the_proxy_itself() {
    run(async {
        let (listener, port) = listen().await;
        let route = route(false, "example.com", 80, Some(http_proxy(false, port)));
        assert!(route.is_forwarded());
        let mut connector = connector(&Ca::new());
        connector.http2 = true;
        let server = tokio::spawn(async move { answer_ping(listener.accept().await.unwrap().0).await });
        let mut connection = connector.connect(&route).await.unwrap();
        assert!(!connection.http2);
        assert_eq!(&exchange(&mut connection).await, b"pong");
        server.await.unwrap();
    });
}

#[test]
fn https_goes_through_a_tunnel_in_an_http_or_https_proxy() {
    run(async {
        let ca = Ca::new();
        for https_proxy in [false, true] {
            let (listener, port) = listen().await;
            let outer = acceptor(&ca.issue(&["127.0.0.1"], |_| ()), &[], None);
            let inner = acceptor(&ca.issue(&["::1"], |_| ()), &["h2"], None);
            let server = tokio::spawn(async move {
                let mut stream = listener.accept().await.unwrap().0;
                if https_proxy {
                    let mut stream = outer.accept(stream).await.unwrap();
                    let head = read_head(&mut stream).await;
                    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                    answer_ping(inner.accept(stream).await.unwrap()).await;
                    return head;
                }
                let head = read_head(&mut stream).await;
                for byte in b"HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n" {
                    stream.write_u8(*byte).await.unwrap(); // in pieces, as networks do
                    tokio::task::yield_now().await;
                }
                answer_ping(inner.accept(stream).await.unwrap()).await;
                head
            });
            let route = route(true, "::1", 8443, Some(http_proxy(https_proxy, port)));
            assert!(!route.is_forwarded());
            let mut connector = connector(&ca);
            connector.http2 = true;
            let mut connection = connector.connect(&route).await.unwrap();
            assert!(connection.http2);
            assert_eq!(&exchange(&mut connection).await, b"pong");
            let head = server.await.unwrap();
            let expected =
                "CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\nProxy-Authorization: Basic c2VjcmV0\r\n\r\n";
            assert_eq!(head, expected);
        }
    });
}

#[test]
fn a_proxy_that_grants_no_tunnel_is_quoted() {
    run(async {
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(65 * 1024));
        for (answer, told) in [
            ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407 Proxy Authentication Required"),
            ("HTTP/1.1 502\r\n\r\n", "502"),
            ("SSH-2.0-OpenSSH\r\n\r\n", "not HTTP"),
            ("", "without an answer"),
            ("HTTP/1.1 200 OK\r\n", "without an answer"),
            ("HTTP/1.1 200 OK\r\n\r\nmore", "more than its answer"),
            (&endless, "bytes of head"),
        ] {
            let (listener, port) = listen().await;
            let answer = answer.to_owned();
            let server = tokio::spawn(async move {
                let mut stream = listener.accept().await.unwrap().0;
                read_head(&mut stream).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
                stream.read_to_end(&mut Vec::new()).await.ok();
            });
            let route = route(true, "example.com", 443, Some(http_proxy(false, port)));
            let failure = refusal(&connector(&Ca::new()), &route).await;
            assert_eq!(failure.kind, Kind::ProxyError);
            assert!(failure.message.contains(told), "{failure}");
            server.await.unwrap();
        }
    });
}

#[test]
fn a_proxy_that_is_not_there_is_a_failure_to_connect() {
    run(async {
        let (listener, port) = listen().await;
        drop(listener);
        let socks = Proxy::Socks5 { host: "127.0.0.1".into(), port, auth: None };
        for proxy in [http_proxy(false, port), http_proxy(true, port), socks] {
            let failure = refusal(&connector(&Ca::new()), &route(true, "example.com", 443, Some(proxy))).await;
            assert_eq!(failure.kind, Kind::ConnectError);
        }
    });
}

#[test]
fn a_socks_proxy_is_given_names_and_credentials() {
    run(async {
        for auth in [None, Some(("user".to_owned(), "pass word".to_owned()))] {
            let (listener, port) = listen().await;
            let asked = auth.is_some();
            let server = tokio::spawn(async move {
                let mut stream = listener.accept().await.unwrap().0;
                let mut methods = vec![0; if asked { 4 } else { 3 }];
                stream.read_exact(&mut methods).await.unwrap();
                stream.write_all(if asked { &[5, 2] } else { &[5, 0] }).await.unwrap();
                let mut login = vec![0; if asked { 16 } else { 0 }];
                stream.read_exact(&mut login).await.unwrap();
                if asked {
                    stream.write_all(&[1, 0]).await.unwrap();
                }
                let mut request = [0; 18];
                stream.read_exact(&mut request).await.unwrap();
                stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]).await.unwrap();
                answer_ping(stream).await;
                (login, request)
            });
            let socks = Proxy::Socks5 { host: "127.0.0.1".into(), port, auth };
            let route = route(false, "example.com", 0x5051, Some(socks));
            assert!(!route.is_forwarded());
            let mut connection = connector(&Ca::new()).connect(&route).await.unwrap();
            assert_eq!(&exchange(&mut connection).await, b"pong");
            let (login, request) = server.await.unwrap();
            assert_eq!(login, if asked { &b"\x01\x04user\x09pass word"[..] } else { b"" });
            assert_eq!(&request, b"\x05\x01\x00\x03\x0bexample.com\x50\x51");
        }
    });
}

#[test]
fn a_socks_proxy_that_refuses_is_quoted() {
    run(async {
        let (listener, port) = listen().await;
        let server = tokio::spawn(async move {
            let mut stream = listener.accept().await.unwrap().0;
            stream.read_exact(&mut [0; 3]).await.unwrap();
            stream.write_all(&[5, 0xff]).await.unwrap();
        });
        let socks = Proxy::Socks5 { host: "127.0.0.1".into(), port, auth: None };
        let failure = refusal(&connector(&Ca::new()), &route(true, "example.com", 443, Some(socks))).await;
        assert_eq!(failure.kind, Kind::ProxyError);
        assert!(failure.message.contains("auth"), "{failure}");
        server.await.unwrap();
    });
}

#[test]
fn credentials_of_a_proxy_are_not_shown() {
    let auth = Some(("user".to_owned(), "pass word".to_owned()));
    let socks = Proxy::Socks5 { host: "127.0.0.1".into(), port: 1080, auth };
    for proxy in [http_proxy(true, 3128), socks] {
        let shown = format!("{:?}", route(true, "example.com", 443, Some(proxy)));
        assert!(shown.contains("127.0.0.1:"), "{shown}");
        assert!(!["c2VjcmV0", "user", "pass"].iter().any(|secret| shown.contains(secret)), "{shown}");
    }
}
