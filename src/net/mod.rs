//! HTTP for streams: requests out, bytes in, delivered as they come.

pub mod connect;
pub mod dial;
pub mod error;
pub mod io;
pub mod proxy;
pub mod tls;
mod verify;
