//! Ways through a proxy.

use std::fmt;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;

use super::error::{Failure, Kind};

/// The most that a proxy may say before its answer is over, in bytes.
const MAX_HEAD: usize = 64 * 1024;
/// The most header fields in it.
const MAX_FIELDS: usize = 128;

/// A proxy and what it wants to know of us. `Debug` shows no credentials.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Proxy {
    /// An HTTP proxy: `CONNECT` for https, absolute targets for http.
    Http {
        /// Whether it is spoken to over TLS.
        https: bool,
        /// Its name or address, without brackets.
        host: String,
        /// Its port.
        port: u16,
        /// The value of `Proxy-Authorization`.
        authorization: Option<String>,
    },
    /// A SOCKS 5 proxy. It is given names as they are and looks them up itself.
    Socks5 {
        /// Its name or address, without brackets.
        host: String,
        /// Its port.
        port: u16,
        /// User name and password, 1 to 255 bytes each.
        auth: Option<(String, String)>,
    },
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host, port) = match self {
            Self::Http { https: false, host, port, .. } => ("http", host, port),
            Self::Http { https: true, host, port, .. } => ("https", host, port),
            Self::Socks5 { host, port, .. } => ("socks5", host, port),
        };
        write!(formatter, "Proxy({scheme}://{host}:{port})")
    }
}

/// `host:port` as a URI has it: brackets around an IPv6 address (RFC 3986, section 3.2.2).
pub(super) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Ask an HTTP proxy for a tunnel (RFC 9110, section 9.3.6). `ProxyError` if it does not grant one.
pub(super) async fn tunnel<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    host: &str,
    port: u16,
    authorization: Option<&str>,
) -> Result<(), Failure> {
    let target = authority(host, port);
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(value) = authorization {
        request += &format!("Proxy-Authorization: {value}\r\n");
    }
    request += "\r\n";
    let lost = |error| Kind::ProxyError.because(format_args!("the connection to the proxy failed: {error}"));
    stream.write_all(request.as_bytes()).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;
    let mut answer = Vec::new();
    loop {
        if stream.read_buf(&mut answer).await.map_err(lost)? == 0 {
            return Err(Kind::ProxyError.because("the proxy closed the connection without an answer"));
        }
        if let Some(granted) = read_answer(&answer) {
            return granted;
        }
    }
}

/// What the proxy's answer means; nothing while its head is unfinished.
fn read_answer(answer: &[u8]) -> Option<Result<(), Failure>> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut head = httparse::Response::new(&mut fields);
    let refusal = match head.parse(answer) {
        Ok(httparse::Status::Partial) if answer.len() <= MAX_HEAD => return None,
        Ok(httparse::Status::Partial) => format!("the proxy's answer has more than {MAX_HEAD} bytes of head"),
        Err(error) => format!("the proxy's answer is not HTTP: {error}"),
        Ok(httparse::Status::Complete(length)) => match head.code {
            Some(200..=299) if length == answer.len() => return Some(Ok(())),
            Some(200..=299) => "the proxy sent more than its answer".into(),
            code => format!("{} {}", code.unwrap_or(0), head.reason.unwrap_or("")).trim_end().into(),
        },
    };
    Some(Err(Kind::ProxyError.because(refusal)))
}

/// Ask a SOCKS 5 proxy for a connection (RFC 1928, RFC 1929). `ProxyError` if it does not grant one.
pub(super) async fn socks5(
    stream: TcpStream,
    host: &str,
    port: u16,
    auth: Option<&(String, String)>,
) -> Result<TcpStream, Failure> {
    let granted = match auth {
        None => Socks5Stream::connect_with_socket(stream, (host, port)).await,
        Some((user, password)) => {
            Socks5Stream::connect_with_password_and_socket(stream, (host, port), user, password).await
        }
    };
    granted
        .map(Socks5Stream::into_inner)
        .map_err(|error| Kind::ProxyError.because(format_args!("the SOCKS proxy gave no connection: {error}")))
}
