//! Connections and the smallest talk over them.

use std::sync::Arc;

use eugpt_fast::net::connect::{Connection, Connector, Route};
use eugpt_fast::net::error::Failure;
use eugpt_fast::net::proxy::Proxy;
use eugpt_fast::net::tls::{TlsOptions, client_config};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::support::Ca;

pub fn connector(ca: &Ca) -> Connector {
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

pub fn route(https: bool, host: &str, port: u16, proxy: Option<Proxy>) -> Route {
    Route { https, host: host.into(), port, sni: None, proxy }
}

pub fn http_proxy(https: bool, port: u16) -> Proxy {
    Proxy::Http { https, host: "127.0.0.1".into(), port, authorization: Some("Basic c2VjcmV0".into()) }
}

pub async fn refusal(connector: &Connector, route: &Route) -> Failure {
    let failure = connector.connect(route).await.expect_err("there is no connection");
    assert!(!failure.message.contains("c2VjcmV0") && !failure.message.contains("pass word"), "{failure}");
    failure
}

/// Write four bytes and read four.
pub async fn exchange(connection: &mut Connection) -> [u8; 4] {
    let mut answer = [0; 4];
    connection.io.write_all(b"ping").await.unwrap();
    connection.io.flush().await.unwrap();
    connection.io.read_exact(&mut answer).await.unwrap();
    answer
}

/// Read up to the end of a head.
pub async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

pub async fn answer_ping(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut question = [0; 4];
    stream.read_exact(&mut question).await.unwrap();
    assert_eq!(&question, b"ping");
    stream.write_all(b"pong").await.unwrap();
    stream.flush().await.unwrap();
}
