//! The chunked transfer coding (RFC 9112, section 7.1).

use super::Violation;

/// Bytes of chunk extensions of one chunk, and of all trailers, that are read over.
const MAX_OVERHEAD: usize = 100 * 1024;
const MAX_SIZE_DIGITS: u32 = 16;

/// Where in the coding the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In the digits of a chunk's size.
    Size {
        size: u64,
        digits: u32,
    },
    /// Behind them: white space or extensions.
    Extension {
        size: u64,
    },
    /// At the LF that ends this line.
    SizeEnd {
        size: u64,
    },
    /// In a chunk, with so many bytes to come.
    Data(u64),
    /// At the CR, then the LF, behind a chunk.
    DataCr,
    DataLf,
    /// At the start of a trailer line, or of the empty line behind the last.
    Trailer,
    /// In a trailer line, whose colon may have come.
    InTrailer {
        named: bool,
    },
    /// At the LF of the empty line.
    End,
    Done,
}

/// Takes the chunks out of their coding, wherever the bytes are cut.
#[derive(Debug)]
pub struct Chunks {
    at: At,
    overhead: usize,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { at: START, overhead: 0 }
    }
}

const START: At = At::Size { size: 0, digits: 0 };

impl Chunks {
    /// Moves what `bytes` hold of the body to `out`. Returns how many bytes belong to the coding: all, but for those
    /// behind its end.
    pub fn decode(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, Violation> {
        let mut rest = bytes;
        loop {
            if self.at == START {
                rest = whole_chunks(rest, out);
            }
            if let At::Data(left) = self.at {
                let taken = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                out.extend_from_slice(&rest[..taken]);
                rest = &rest[taken..];
                let left = left - taken as u64;
                self.at = if left == 0 { At::DataCr } else { At::Data(left) };
            }
            if self.is_done() {
                break;
            }
            let Some((&byte, behind)) = rest.split_first() else { break };
            self.step(byte)?;
            rest = behind;
        }
        Ok(bytes.len() - rest.len())
    }

    /// Whether the last chunk and the trailers have passed.
    pub fn is_done(&self) -> bool {
        self.at == At::Done
    }

    fn step(&mut self, byte: u8) -> Result<(), Violation> {
        self.at = match (self.at, byte) {
            (At::Size { size, digits }, _) if byte.is_ascii_hexdigit() => {
                if digits == MAX_SIZE_DIGITS {
                    return Err(Violation::new("a chunk of more than 2**64 bytes"));
                }
                At::Size { size: size << 4 | u64::from(hex(byte)), digits: digits + 1 }
            }
            (At::Size { digits: 0, .. }, _) => return Err(Violation::new("a chunk without its size")),
            (At::Size { size, .. } | At::Extension { size }, b'\r') => At::SizeEnd { size },
            (At::Size { size, .. }, b';' | b' ' | b'\t') => At::Extension { size },
            (At::Size { .. }, _) => return Err(Violation::new("a chunk size that is no number")),
            (At::Extension { .. }, b'\n') => return Err(Violation::new("a bare line feed behind a chunk size")),
            (At::Extension { size }, _) => {
                self.count()?;
                At::Extension { size }
            }
            (At::SizeEnd { size: 0 }, b'\n') => {
                self.overhead = 0;
                At::Trailer
            }
            (At::SizeEnd { size }, b'\n') => {
                self.overhead = 0;
                At::Data(size)
            }
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => START,
            (At::DataCr | At::DataLf, _) => return Err(Violation::new("a chunk that is longer than its size")),
            (At::Trailer, b'\r') => At::End,
            (At::Trailer | At::End, b'\n') => At::Done,
            (At::InTrailer { named: true }, b'\n') => At::Trailer,
            (At::InTrailer { named: false }, b'\n') => return Err(Violation::new("a trailer without its name")),
            (At::Trailer, _) => {
                self.count()?;
                At::InTrailer { named: false } // a colon here would be a name of no characters
            }
            (At::InTrailer { named }, _) => {
                self.count()?;
                At::InTrailer { named: named || byte == b':' }
            }
            (At::SizeEnd { .. } | At::End, _) => return Err(Violation::new("a carriage return without line feed")),
            (At::Data(_) | At::Done, _) => unreachable!("these are not read byte by byte"),
        };
        Ok(())
    }

    fn count(&mut self) -> Result<(), Violation> {
        self.overhead += 1;
        if self.overhead > MAX_OVERHEAD {
            return Err(Violation::new("chunk extensions or trailers of more than 100 KiB"));
        }
        Ok(())
    }
}

/// Takes the chunks off that are plain and all there: what nearly every chunk of an event stream is.
fn whole_chunks<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    while let Some((data, behind)) = whole_chunk(rest) {
        out.extend_from_slice(data);
        rest = behind;
    }
    rest
}

#[inline]
fn whole_chunk(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let digits = bytes.iter().take(7).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let size = bytes[..digits].iter().fold(0, |size, &digit| size << 4 | usize::from(hex(digit)));
    let behind = bytes[digits..].strip_prefix(b"\r\n")?;
    let (data, behind) = behind.split_at_checked(size)?;
    let behind = behind.strip_prefix(b"\r\n")?;
    (size > 0).then_some((data, behind))
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}
