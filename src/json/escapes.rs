//! The escape sequences of strings.

use super::Surprise;
use crate::scan::copy_to_special;

/// What the byte behind a backslash stands for; 0 for `u` and for what is no escape.
const ESCAPES: [u8; 256] = {
    let mut values = [0; 256];
    let pairs = [*b"\"\"", *b"\\\\", *b"//", *b"b\x08", *b"f\x0C", *b"n\n", *b"r\r", *b"t\t"];
    let mut at = 0;
    while at < pairs.len() {
        values[pairs[at][0] as usize] = pairs[at][1];
        at += 1;
    }
    values
};

/// The length of the escape sequence that starts `text`.
#[inline]
pub(super) fn escape_len(text: &[u8]) -> Result<usize, Surprise> {
    match text.get(1) {
        Some(&byte) if ESCAPES[usize::from(byte)] != 0 => Ok(2),
        Some(b'u') => hex4(text.get(2..6).ok_or(Surprise)?).map(|_| 6),
        _ => Err(Surprise),
    }
}

/// Appends the value of the escape sequence that starts `text`, and returns its length.
#[inline]
fn resolve_escape(text: &[u8], out: &mut Vec<u8>, ascii: &mut bool) -> Result<usize, Surprise> {
    match text.get(1) {
        Some(&byte) if ESCAPES[usize::from(byte)] != 0 => {
            out.push(ESCAPES[usize::from(byte)]);
            Ok(2)
        }
        Some(b'u') => resolve_unicode(text, out, ascii),
        _ => Err(Surprise),
    }
}

/// A lone surrogate is written in three bytes, as UTF-8 would if it could (Python's `surrogatepass`).
fn resolve_unicode(text: &[u8], out: &mut Vec<u8>, ascii: &mut bool) -> Result<usize, Surprise> {
    let mut code = hex4(text.get(2..6).ok_or(Surprise)?)?;
    let mut len = 6;
    if let (0xD800..0xDC00, Some(low)) = (code, low_surrogate(&text[6..])) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        len = 12;
    }
    *ascii &= code < 0x80;
    match char::from_u32(code) {
        Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend_from_slice(&[
            0xE0 | (code >> 12) as u8,
            0x80 | (code >> 6 & 0x3F) as u8,
            0x80 | (code & 0x3F) as u8,
        ]),
    }
    Ok(len)
}

fn low_surrogate(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    hex4(digits).ok().filter(|code| (0xDC00..0xE000).contains(code))
}

fn hex4(digits: &[u8]) -> Result<u32, Surprise> {
    digits.iter().try_fold(0, |value, &digit| {
        let digit = char::from(digit).to_digit(16).ok_or(Surprise)?;
        Ok(value << 4 | digit)
    })
}

/// The value of a string that has escapes, and what its bytes are.
#[derive(Debug, Clone, Copy)]
pub struct Resolved {
    /// Where it ends: at a quote, a control character or the end of the text.
    pub end: usize,
    /// Whether all bytes sent are ASCII, escapes included.
    pub sent_ascii: bool,
    /// Whether the value is ASCII.
    pub ascii: bool,
}

/// Appends the value of the string at `at` to `out`, in one pass. Lone surrogates are written as UTF-8 would if it
/// could, in three bytes each.
pub fn resolve(text: &[u8], mut at: usize, out: &mut Vec<u8>) -> Result<Resolved, Surprise> {
    let (mut sent_ascii, mut escapes_ascii) = (true, true);
    loop {
        at = copy_to_special(text, at, out, &mut sent_ascii);
        if text.get(at) != Some(&b'\\') {
            return Ok(Resolved { end: at, sent_ascii, ascii: sent_ascii && escapes_ascii });
        }
        at += resolve_escape(&text[at..], out, &mut escapes_ascii)?;
    }
}

/// Appends the value of a checked string to `out`; see [`resolve`]. True if it is ASCII.
pub fn unescape(raw: &[u8], out: &mut Vec<u8>) -> bool {
    out.reserve(raw.len());
    let resolved = resolve(raw, 0, out);
    debug_assert!(resolved.is_ok_and(|resolved| resolved.end == raw.len()));
    resolved.is_ok_and(|resolved| resolved.ascii)
}
