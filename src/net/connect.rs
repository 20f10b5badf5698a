//! stub
#![allow(missing_docs)]
use super::error::{Failure, Kind};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Route {
    pub https: bool,
    pub host: String,
    pub port: u16,
    pub sni: Option<String>,
}
#[derive(Clone)]
pub struct Connector;
pub struct Made {
    pub io: Io,
    pub http2: bool,
}
pub enum Io {
    Tcp(TcpStream),
}
impl Connector {
    pub async fn connect(&self, route: &Route) -> Result<Made, Failure> {
        let tcp = TcpStream::connect((&*route.host, route.port)).await.map_err(|e| Kind::ConnectError.because(e))?;
        let _ = tcp.set_nodelay(true);
        Ok(Made { io: Io::Tcp(tcp), http2: false })
    }
}
impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let Self::Tcp(t) = self.get_mut();
        Pin::new(t).poll_read(cx, buf)
    }
}
impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        let Self::Tcp(t) = self.get_mut();
        Pin::new(t).poll_write(cx, buf)
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let Self::Tcp(t) = self.get_mut();
        Pin::new(t).poll_flush(cx)
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let Self::Tcp(t) = self.get_mut();
        Pin::new(t).poll_shutdown(cx)
    }
}
