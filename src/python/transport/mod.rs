//! The HTTP transport's face: `python/eugpt_fast/_transport` makes transports of httpx of it.

mod client;
mod exchange;
mod leaving;
mod notifier;

pub use client::HttpClient;
pub use exchange::{Exchange, TransportFailure};
pub use leaving::{forked, leave};
pub use notifier::Notifier;
