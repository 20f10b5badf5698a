//! Making connections: where to, through what, and which HTTP is spoken there.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::ClientConfig;

use super::dial::dial;
use super::error::Failure;
#[cfg(unix)]
use super::error::Kind;
use super::io::Io;
use super::proxy::{Proxy, socks5, tunnel};
use super::tls::handshake;

/// The names of the protocols in a TLS handshake (ALPN, RFC 7301).
const HTTP1: &[u8] = b"http/1.1";
const HTTP2: &[u8] = b"h2";

/// Where a request goes. Requests of one route may share a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Route {
    /// Whether the server is spoken to over TLS.
    pub https: bool,
    /// Its name or address, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The name that its certificate must have, if not that of the host.
    pub sni: Option<String>,
    /// The proxy on the way.
    pub proxy: Option<Proxy>,
}

impl Route {
    /// Whether the request goes to an HTTP proxy itself, which wants an absolute target and its credentials with it.
    pub fn is_forwarded(&self) -> bool {
        !self.https && matches!(self.proxy, Some(Proxy::Http { .. }))
    }
}

/// How connections are made.
pub struct Connector {
    /// For servers.
    pub tls: Arc<ClientConfig>,
    /// For https proxies.
    pub proxy_tls: Arc<ClientConfig>,
    /// A Unix socket that stands for every route: no name is looked up and no proxy is used.
    #[cfg(unix)]
    pub uds: Option<PathBuf>,
    /// The address to connect from.
    pub local_address: Option<IpAddr>,
    /// Whether HTTP/1.1 may be spoken.
    pub http1: bool,
    /// Whether HTTP/2 may be spoken; if only that, without asking the server.
    pub http2: bool,
}

/// A connection, ready for the first request.
#[derive(Debug)]
pub struct Connection {
    /// The bytes.
    pub io: Io,
    /// Whether they are HTTP/2.
    pub http2: bool,
}

impl Connector {
    /// Connect, without a limit of time. `ConnectError` up to the proxy or the server, `ProxyError` for what a proxy says.
    pub async fn connect(&self, route: &Route) -> Result<Connection, Failure> {
        #[cfg(unix)]
        if let Some(path) = &self.uds {
            let stream = UnixStream::connect(path).await.map_err(|error| {
                Kind::ConnectError.because(format_args!("connection to {} failed: {error}", path.display()))
            })?;
            return self.finish(route, stream, Io::Unix, Io::TlsUnix).await;
        }
        match &route.proxy {
            None => {
                let stream = dial(&route.host, route.port, self.local_address).await?;
                self.finish(route, stream, Io::Tcp, Io::Tls).await
            }
            Some(Proxy::Socks5 { host, port, auth }) => {
                let stream = dial(host, *port, self.local_address).await?;
                let stream = socks5(stream, &route.host, route.port, auth.as_ref()).await?;
                self.finish(route, stream, Io::Tcp, Io::Tls).await
            }
            Some(Proxy::Http { https: false, host, port, authorization }) => {
                let stream = dial(host, *port, self.local_address).await?;
                self.through(route, stream, authorization.as_deref(), Io::Tcp, Io::Tls).await
            }
            Some(Proxy::Http { https: true, host, port, authorization }) => {
                let stream = dial(host, *port, self.local_address).await?;
                let stream = handshake(&self.proxy_tls, host, stream, &[HTTP1]).await?;
                let plain = |stream| Io::Tls(Box::new(stream));
                self.through(route, stream, authorization.as_deref(), plain, Io::TlsInTls).await
            }
        }
    }

    /// Go on from an HTTP proxy.
    async fn through<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        route: &Route,
        mut stream: S,
        authorization: Option<&str>,
        plain: impl FnOnce(S) -> Io,
        tls: impl FnOnce(Box<TlsStream<S>>) -> Io,
    ) -> Result<Connection, Failure> {
        if route.is_forwarded() {
            return Ok(Connection { io: plain(stream), http2: false });
        }
        tunnel(&mut stream, &route.host, route.port, authorization).await?;
        self.finish(route, stream, plain, tls).await
    }

    /// Go on from a stream that reaches the server: TLS if asked for, and what is spoken inside.
    async fn finish<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        route: &Route,
        stream: S,
        plain: impl FnOnce(S) -> Io,
        tls: impl FnOnce(Box<TlsStream<S>>) -> Io,
    ) -> Result<Connection, Failure> {
        if !route.https {
            return Ok(Connection { io: plain(stream), http2: !self.http1 });
        }
        let alpn: &[&[u8]] = match (self.http1, self.http2) {
            (true, true) => &[HTTP2, HTTP1],
            (false, true) => &[HTTP2],
            _ => &[HTTP1],
        };
        let name = route.sni.as_deref().unwrap_or(&route.host);
        let stream = handshake(&self.tls, name, stream, alpn).await?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2) || !self.http1;
        Ok(Connection { io: tls(Box::new(stream)), http2 })
    }
}
