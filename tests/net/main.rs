//! The transport's connections over real sockets. One crate, as linking takes longer than testing.

mod client;
mod connect;
mod http2;
mod http2_peer;
mod ping;
mod pool;
mod proxy;
mod support;
mod tls;
