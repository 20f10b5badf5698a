//! What is known of an answer before its body.

use crate::http1::Field;

/// The head of an answer, whatever version it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// `HTTP/1.1` and the like.
    pub version: &'static str,
    /// The reason phrase, which HTTP/2 has not.
    pub reason: Vec<u8>,
    /// The header fields.
    pub fields: Vec<Field>,
}
