//! HTTP/1.1 as a client speaks it, after RFC 9112. Bytes only: no sockets, no clock.

mod body;
mod chunks;
mod head;
mod request;

pub use body::Body;
pub use chunks::Chunks;
pub use head::{Head, HeadReader, MAX_HEAD};
pub use request::{Head as RequestHead, Sending};

/// The peer, or our own caller, breaks the protocol. The text repeats nothing of what was sent or received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation(pub String);

impl Violation {
    fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// Raw name and value of a header field, as on the wire.
pub type Field = (Vec<u8>, Vec<u8>);

/// The values of the fields of this name, in order; names are compared as RFC 9110 has it, without case.
fn values<'a>(fields: &'a [Field], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    fields.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| &value[..])
}

/// Whether one of the comma-separated elements of the fields of this name is `token`.
fn lists(fields: &[Field], name: &str, token: &str) -> bool {
    values(fields, name)
        .flat_map(|value| value.split(|&byte| byte == b','))
        .any(|element| element.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// The length that the `Content-Length` fields agree on (RFC 9110, section 8.6).
fn content_length(fields: &[Field]) -> Result<Option<u64>, Violation> {
    let mut length = None;
    for element in values(fields, "content-length").flat_map(|value| value.split(|&byte| byte == b',')) {
        let digits = element.trim_ascii();
        let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        let number = plain.then(|| std::str::from_utf8(digits).ok()?.parse::<u64>().ok()).flatten();
        match (number, length) {
            (Some(number), None) => length = Some(number),
            (Some(number), Some(known)) if number == known => {}
            (Some(_), Some(_)) => return Err(Violation::new("conflicting Content-Length headers")),
            (None, _) => return Err(Violation::new("bad Content-Length")),
        }
    }
    Ok(length)
}
