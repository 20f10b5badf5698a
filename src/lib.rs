//! The core of `eugpt_fast`: bytes of an LLM response stream in, events and a truthful account out.
//!
//! The layers know only what lies below them:
//!
//! - [`sse`]: framing after the WHATWG event stream rules. Bytes only.
//! - [`json`]: JSON text, read without building anything.
//! - [`responses`]: what Responses events mean: types, terminal events, accumulated text.
//! - `http1`: HTTP/1.1 messages, present with the `transport` feature. Bytes only.
//! - `net`: the HTTP transport, present with the `transport` feature. Knows no interpreter.
//! - `python`: the binding, present with the `python` feature. The only code that knows an interpreter.

#[cfg(feature = "transport")]
pub mod http1;
pub mod json;
#[cfg(feature = "transport")]
pub mod net;
pub mod responses;
mod scan;
pub mod sse;

#[cfg(feature = "python")]
mod python;
