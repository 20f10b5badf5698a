//! Connecting: over TCP and Unix sockets, with what is spoken there, and through proxies, all over real sockets.

mod net;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use eugpt_fast::net::connect::{Connection, Connector, Route};
use eugpt_fast::net::dial::first_of;
use eugpt_fast::net::error::{Failure, Kind};
use eugpt_fast::net::io::Io;
use eugpt_fast::net::proxy::Proxy;
use eugpt_fast::net::tls::{TlsOptions, client_config};
use net::{Ca, acceptor, listen, run};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;

fn connector(ca: &Ca) -> Connector {
    let options = TlsOptions { roots: ca.pem().into(), verify: true, check_hostname: true, identity: None };
    let tls = client_config(&options).unwrap();
    Connector {
        proxy_tls: Arc::clone(&tls),
        tls,
        #[cfg(unix)]
        uds: None,
        local_address: None,
        http1: true,
        http2: false,
    }
}

fn route(https: bool, host: &str, port: u16, proxy: Option<Proxy>) -> Route {
    Route { https, host: host.into(), port, sni: None, proxy }
}

fn http_proxy(https: bool, port: u16) -> Proxy {
    Proxy::Http { https, host: "127.0.0.1".into(), port, authorization: Some("Basic c2VjcmV0".into()) }
}

async fn refusal(connector: &Connector, route: &Route) -> Failure {
    let failure = connector.connect(route).await.expect_err("there is no connection");
    assert!(!failure.message.contains("c2VjcmV0") && !failure.message.contains("pass word"), "{failure}");
    failure
}

/// Write four bytes and read four.
async fn exchange(connection: &mut Connection) -> [u8; 4] {
    let mut answer = [0; 4];
    connection.io.write_all(b"ping").await.unwrap();
    connection.io.flush().await.unwrap();
    connection.io.read_exact(&mut answer).await.unwrap();
    answer
}

/// Read up to the end of a head.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn answer_ping(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut question = [0; 4];
    stream.read_exact(&mut question).await.unwrap();
    assert_eq!(&question, b"ping");
    stream.write_all(b"pong").await.unwrap();
    stream.flush().await.unwrap();
}

#[test]
fn plain_connections_carry_bytes_both_ways_at_once() {
    run(async {
        let (listener, port) = listen().await;
        let server = tokio::spawn(async move { answer_ping(listener.accept().await.unwrap().0).await });
        let mut connection = connector(&Ca::new()).connect(&route(false, "localhost", port, None)).await.unwrap();
        assert!(!connection.http2);
        assert!(matches!(&connection.io, Io::Tcp(stream) if stream.nodelay().unwrap()));
        assert!(connection.io.is_write_vectored());
        assert_eq!(&exchange(&mut connection).await, b"pong");
        server.await.unwrap();
    });
}

#[test]
fn a_connection_refused_says_so_and_by_whom() {
    run(async {
        let (listener, port) = listen().await;
        drop(listener);
        let failure = refusal(&connector(&Ca::new()), &route(false, "127.0.0.1", port, None)).await;
        assert_eq!(failure.kind, Kind::ConnectError);
        assert!(failure.message.contains(&format!("127.0.0.1:{port}")) && failure.message.contains("refused"));
    });
}

#[test]
fn a_name_that_nobody_has_says_so() {
    run(async {
        let name = "x".repeat(64); // too long for DNS: no server is asked
        let failure = refusal(&connector(&Ca::new()), &route(false, &name, 80, None)).await;
        assert_eq!(failure.kind, Kind::ConnectError);
        assert!(failure.message.contains("lookup"), "{failure}");
    });
}

#[test]
fn addresses_that_refuse_or_stay_silent_are_passed_over() {
    run(async {
        let (closed, closed_port) = listen().await;
        drop(closed);
        // A listener that takes no more: its queue is full, so that further handshakes go unanswered.
        let full = TcpSocket::new_v4().unwrap();
        full.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let full = full.listen(0).unwrap();
        let silent = full.local_addr().unwrap();
        let filling: Vec<JoinHandle<_>> =
            (0..4).map(|_| tokio::spawn(tokio::net::TcpStream::connect(silent))).collect();
        let (open, open_port) = listen().await;
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let stream = first_of(vec![local(closed_port), silent, local(open_port)], None).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap().port(), open_port);
        assert!(filling.iter().any(|handshake| !handshake.is_finished()), "the full one was silent");
        drop(open);
        let error = first_of(vec![local(closed_port), local(open_port)], None).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
        let other_family = Some(IpAddr::from([0; 16]));
        assert!(first_of(vec![silent], other_family).await.is_err(), "IPv6 reaches no IPv4 address");
    });
}

#[cfg(target_os = "linux")] // elsewhere the loopback has one address
#[test]
fn a_local_address_is_connected_from() {
    run(async {
        let (listener, port) = listen().await;
        let mut connector = connector(&Ca::new());
        connector.local_address = Some(IpAddr::from([127, 0, 0, 2]));
        let _connection = connector.connect(&route(false, "127.0.0.1", port, None)).await.unwrap();
        assert_eq!(listener.accept().await.unwrap().1.ip(), IpAddr::from([127, 0, 0, 2]));
    });
}

#[test]
fn http_2_is_spoken_where_both_sides_can_or_nothing_else_may_be() {
    run(async {
        let ca = Ca::new();
        let identity = ca.issue(&["localhost"], |_| ());
        let mut connector = connector(&ca);
        for (http1, http2, server, spoken) in [
            (true, true, &["h2", "http/1.1"][..], true),
            (true, true, &["http/1.1"], false),
            (true, true, &[], false),
            (true, false, &["h2", "http/1.1"], false),
            (false, true, &["h2"], true),
            (false, true, &[], true),
        ] {
            (connector.http1, connector.http2) = (http1, http2);
            let (listener, port) = listen().await;
            let acceptor = acceptor(&identity, server, None);
            let server = tokio::spawn(async move { acceptor.accept(listener.accept().await.unwrap().0).await });
            let connection = connector.connect(&route(true, "localhost", port, None)).await.unwrap();
            assert_eq!(connection.http2, spoken, "{http1} {http2}");
            server.await.unwrap().unwrap();
        }
        let (_listener, port) = listen().await;
        assert!(connector.connect(&route(false, "localhost", port, None)).await.unwrap().http2, "prior knowledge");
        connector.http1 = true;
        assert!(!connector.connect(&route(false, "localhost", port, None)).await.unwrap().http2);
    });
}

#[cfg(unix)]
#[test]
fn a_unix_socket_stands_for_every_route() {
    run(async {
        let ca = Ca::new();
        let acceptor = acceptor(&ca.issue(&["example.com"], |_| ()), &[], None);
        let path = std::env::temp_dir().join(format!("eugpt-fast-{}.sock", std::process::id()));
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let mut connector = connector(&ca);
        connector.uds = Some(path.clone());
        let server = tokio::spawn(async move {
            answer_ping(listener.accept().await.unwrap().0).await;
            answer_ping(acceptor.accept(listener.accept().await.unwrap().0).await.unwrap()).await;
        });
        let mut plain = connector.connect(&route(false, "example.com", 80, Some(http_proxy(false, 1)))).await.unwrap();
        assert_eq!(&exchange(&mut plain).await, b"pong");
        let mut tls = connector.connect(&route(true, "example.com", 443, None)).await.unwrap();
        assert_eq!(&exchange(&mut tls).await, b"pong");
        server.await.unwrap();
        std::fs::remove_file(&path).unwrap();
        let failure = refusal(&connector, &route(false, "example.com", 80, None)).await;
        assert_eq!(failure.kind, Kind::ConnectError);
        assert!(failure.message.contains(path.to_str().unwrap()));
    });
}

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
