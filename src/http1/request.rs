//! The request, as it goes out.

use super::{Field, Violation, content_length, lists, values};

/// What of a request stands before its body.
#[derive(Clone)]
pub struct Head {
    /// The method, in the case given.
    pub method: Vec<u8>,
    /// The target: path and query, or the absolute URL for a proxy.
    pub target: Vec<u8>,
    /// The fields, in order.
    pub fields: Vec<Field>,
}

impl Head {
    /// Refuses what would not arrive as it was meant.
    pub fn check(&self) -> Result<(), Violation> {
        if self.method.is_empty() || !self.method.iter().all(|&byte| is_token(byte)) {
            return Err(Violation::new("the method is no token"));
        }
        if self.target.is_empty() || !self.target.iter().all(|byte| byte.is_ascii_graphic() || *byte >= 0x80) {
            return Err(Violation::new("the target holds characters that no URL may hold"));
        }
        for (name, value) in &self.fields {
            if name.is_empty() || !name.iter().all(|&byte| is_token(byte)) {
                return Err(Violation::new("a header name is no token"));
            }
            if value.iter().any(|byte| matches!(byte, b'\0' | b'\r' | b'\n')) {
                let name = String::from_utf8_lossy(name);
                return Err(Violation::new(format!("the value of the header {name} holds a line end or NUL")));
            }
        }
        Ok(())
    }

    /// The bytes on the wire. `Host` comes first, as RFC 9110, section 7.2 asks; the rest as given.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        for part in [&self.method[..], b" ", &self.target, b" HTTP/1.1\r\n"] {
            out.extend_from_slice(part);
        }
        let is_host = |field: &&Field| field.0.eq_ignore_ascii_case(b"host");
        let (hosts, others): (Vec<_>, Vec<_>) = self.fields.iter().partition(is_host);
        for (name, value) in hosts.into_iter().chain(others) {
            for part in [&name[..], b": ", value, b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
        out.extend_from_slice(b"\r\n");
        out
    }

    /// Whether the connection may be used again behind this request.
    pub fn keeps_alive(&self) -> bool {
        !lists(&self.fields, "connection", "close")
    }
}

/// How the body of a request is framed, and what of it is still to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// So many bytes are announced and not sent yet.
    Length(u64),
    /// In chunks.
    Chunked,
}

impl Sending {
    /// As the header fields announce it.
    pub fn announced(fields: &[Field]) -> Result<Self, Violation> {
        if values(fields, "transfer-encoding").next().is_some() {
            return if lists(fields, "transfer-encoding", "chunked") {
                Ok(Self::Chunked)
            } else {
                Err(Violation::new("the only transfer coding for requests is chunked"))
            };
        }
        Ok(Self::Length(content_length(fields)?.unwrap_or(0)))
    }

    /// The next piece of the body, framed, behind what `out` holds.
    pub fn encode(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Violation> {
        match self {
            Self::Length(left) => {
                *left = left
                    .checked_sub(piece.len() as u64)
                    .ok_or_else(|| Violation::new("the request's body is longer than its Content-Length"))?;
                out.extend_from_slice(piece);
            }
            Self::Chunked if piece.is_empty() => {} // an empty chunk would end the body
            Self::Chunked => {
                out.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                out.extend_from_slice(piece);
                out.extend_from_slice(b"\r\n");
            }
        }
        Ok(())
    }

    /// What ends the body.
    pub fn finish(self) -> Result<&'static [u8], Violation> {
        match self {
            Self::Length(0) => Ok(b""),
            Self::Length(_) => Err(Violation::new("the request's body is shorter than its Content-Length")),
            Self::Chunked => Ok(b"0\r\n\r\n"),
        }
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
