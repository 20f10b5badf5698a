//! The transport's connections over real sockets. One crate, as linking takes longer than testing.

mod client;
mod connect;
mod http2;
mod http2_peer;
mod inbox;
mod ping;
mod pool;
mod proxy;
mod rush;
mod support;
mod tls;
