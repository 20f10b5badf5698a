//! Connecting: over TCP and Unix sockets, and what is spoken there.

use std::net::{IpAddr, SocketAddr};

use eugpt_fast::net::dial::first_of;
use eugpt_fast::net::error::Kind;
use eugpt_fast::net::io::Io;
use tokio::io::AsyncWrite;
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;

use crate::ping::*;
use crate::support::{Ca, acceptor, listen, run};

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
