//! The head of an answer.

use super::{Field, Violation, lists};

/// So many bytes may a head have (what httpx allows).
pub const MAX_HEAD: usize = 100 * 1024;
const MAX_FIELDS: usize = 1024;
const USUAL_FIELDS: usize = 64;

/// The head of an answer, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// The minor version of HTTP/1: 0 or 1.
    pub minor: u8,
    /// The reason phrase.
    pub reason: Vec<u8>,
    /// The fields in order, as received.
    pub fields: Vec<Field>,
}

impl Head {
    /// Whether the server keeps the connection open behind this answer (RFC 9112, section 9.3).
    pub fn keeps_alive(&self) -> bool {
        let says = |token| lists(&self.fields, "connection", token);
        !says("close") && (self.minor == 1 || says("keep-alive"))
    }

    /// Whether another answer follows to the same request.
    pub fn is_interim(&self) -> bool {
        (100..200).contains(&self.status) && self.status != 101
    }
}

/// Gathers bytes until a head is there.
#[derive(Debug, Default)]
pub struct HeadReader {
    bytes: Vec<u8>,
    /// No head ends before this.
    looked: usize,
}

impl HeadReader {
    /// Takes bytes in. All of them: what is not the head's is in [`HeadReader::rest`] once it has come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether nothing has come.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next final head, once it is there; interim ones (1xx) are passed over.
    pub fn take(&mut self) -> Result<Option<Head>, Violation> {
        loop {
            let Some(end) = self.end() else {
                if self.bytes.len() > MAX_HEAD {
                    return Err(too_large());
                }
                return Ok(None);
            };
            if end > MAX_HEAD {
                return Err(too_large());
            }
            let head = parse(&self.bytes[..end])?;
            self.bytes.drain(..end);
            self.looked = 0;
            if !head.is_interim() {
                return Ok(Some(head));
            }
        }
    }

    /// What followed the head.
    pub fn rest(self) -> Vec<u8> {
        self.bytes
    }

    /// Where the empty line ends that ends the head. Each byte is looked at once, however they come.
    fn end(&mut self) -> Option<usize> {
        // Empty lines before the head are none (RFC 9112, section 2.2).
        let start = self.bytes.iter().take_while(|&&byte| byte == b'\r' || byte == b'\n').count();
        for at in memchr::memchr_iter(b'\n', &self.bytes[self.looked..]).map(|at| at + self.looked) {
            let behind = &self.bytes[at + 1..];
            if at < start {
                continue;
            }
            if behind.starts_with(b"\n") {
                return Some(at + 2);
            }
            if behind.starts_with(b"\r\n") {
                return Some(at + 3);
            }
        }
        self.looked = self.bytes.len().saturating_sub(2);
        None
    }
}

fn too_large() -> Violation {
    Violation::new("a response head of more than 100 KiB")
}

fn parse(bytes: &[u8]) -> Result<Head, Violation> {
    match parse_into(bytes, &mut [httparse::EMPTY_HEADER; USUAL_FIELDS]) {
        Err(httparse::Error::TooManyHeaders) => parse_into(bytes, &mut vec![httparse::EMPTY_HEADER; MAX_FIELDS]),
        parsed => parsed,
    }
    .map_err(|error| Violation::new(format!("no HTTP response: {error}")))
    .and_then(|head| match head.status {
        100.. => Ok(head),
        status => Err(Violation::new(format!("{status} is no status code"))),
    })
}

/// What follows the status code in the first line; the parser keeps it only if it is ASCII.
fn reason(bytes: &[u8]) -> Vec<u8> {
    let line = bytes.trim_ascii_start().split(|&byte| byte == b'\n').next().unwrap_or_default();
    line.trim_ascii_end().splitn(3, |&byte| byte == b' ').nth(2).unwrap_or_default().to_vec()
}

/// A value on one line: a fold becomes a space (RFC 9112, section 5.2).
fn unfolded(value: &[u8]) -> Vec<u8> {
    value.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).collect::<Vec<_>>().join(&b' ')
}

fn parse_into<'a>(bytes: &'a [u8], fields: &mut [httparse::Header<'a>]) -> Result<Head, httparse::Error> {
    let mut response = httparse::Response::new(fields);
    let mut rules = httparse::ParserConfig::default();
    rules.allow_obsolete_multiline_headers_in_responses(true);
    match rules.parse_response(&mut response, bytes)? {
        httparse::Status::Complete(_) => Ok(Head {
            status: response.code.unwrap_or_default(),
            minor: response.version.unwrap_or_default(),
            reason: reason(bytes),
            fields: response.headers.iter().map(|field| (field.name.into(), unfolded(field.value))).collect(),
        }),
        httparse::Status::Partial => Err(httparse::Error::Status),
    }
}
