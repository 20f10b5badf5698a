//! The body of an answer: where it ends, and its bytes without their coding.

use super::{Chunks, Head, Violation, content_length, values};

/// How the end of a body is known, and what is still to come (RFC 9112, section 6.3).
#[derive(Debug)]
pub enum Body {
    /// So many bytes are to come.
    Length(u64),
    /// The coding tells.
    Chunked(Chunks),
    /// The body ends with the connection.
    UntilClose,
}

impl Body {
    /// The body behind `head`, in answer to a request of this method.
    pub fn behind(head: &Head, method: &[u8]) -> Result<Self, Violation> {
        if method == b"HEAD" || head.status < 200 || matches!(head.status, 204 | 304) {
            return Ok(Self::Length(0));
        }
        let mut codings = values(&head.fields, "transfer-encoding");
        if let Some(coding) = codings.next() {
            // More than one is how two readers come to different ends.
            return match coding.trim_ascii().eq_ignore_ascii_case(b"chunked") && codings.next().is_none() {
                true => Ok(Self::Chunked(Chunks::default())),
                false => Err(Violation::new("a transfer coding that is not chunked, or chunked twice")),
            };
        }
        Ok(content_length(&head.fields)?.map_or(Self::UntilClose, Self::Length))
    }

    /// Moves what `bytes` hold of the body to `out`. Returns how many bytes were the body's.
    pub fn decode(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, Violation> {
        match self {
            Self::Length(left) => {
                let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                out.extend_from_slice(&bytes[..taken]);
                *left -= taken as u64;
                Ok(taken)
            }
            Self::Chunked(chunks) => chunks.decode(bytes, out),
            Self::UntilClose => {
                out.extend_from_slice(bytes);
                Ok(bytes.len())
            }
        }
    }

    /// Whether all of it has come, though the connection is open.
    pub fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks) => chunks.is_done(),
            Self::UntilClose => false,
        }
    }

    /// The connection has ended: was that the end of the body?
    pub fn close(&self) -> Result<(), Violation> {
        match self {
            Self::Length(0) | Self::UntilClose => Ok(()),
            Self::Length(left) => {
                Err(Violation::new(format!("the server closed the connection {left} bytes before the end of the body")))
            }
            Self::Chunked(chunks) if chunks.is_done() => Ok(()),
            Self::Chunked(_) => {
                Err(Violation::new("the server closed the connection before the end of the chunked body"))
            }
        }
    }
}
