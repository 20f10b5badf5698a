//! HTTP for streams: requests out, bytes in, delivered as they come.

pub mod error;
