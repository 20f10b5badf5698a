//! The escape sequences of strings.

use super::Surprise;
use crate::scan::{BLOCK, Marks};

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

/// A lone surrogate is written in three bytes, as UTF-8 would if it could (Python's `surrogatepass`). Returns the lengths
/// of the escape sequence and of its value.
fn resolve_unicode(text: &[u8], room: &mut [u8; MAX_VALUE]) -> Result<(usize, usize), Surprise> {
    if text.get(1) != Some(&b'u') {
        return Err(Surprise);
    }
    let mut code = hex4(text.get(2..6).ok_or(Surprise)?)?;
    let mut len = 6;
    if let (0xD800..0xDC00, Some(low)) = (code, low_surrogate(&text[6..])) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        len = 12;
    }
    let value = match char::from_u32(code) {
        Some(c) => c.encode_utf8(room).len(),
        None => {
            room[..3].copy_from_slice(&[
                0xE0 | (code >> 12) as u8,
                0x80 | (code >> 6 & 0x3F) as u8,
                0x80 | (code & 0x3F) as u8,
            ]);
            3
        }
    };
    Ok((len, value))
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

/// The longest value of one escape sequence, in bytes.
const MAX_VALUE: usize = 4;
/// So many bytes must follow a place for its block to be read without a look at where the text ends.
const SLACK: usize = 2 * BLOCK;

/// The value of a string that has escapes, and what its bytes are.
#[derive(Debug, Clone, Copy)]
pub struct Resolved {
    /// Where it ends in the text: at a quote, a control character or the end.
    pub end: usize,
    /// Where its value ends in the buffer.
    pub len: usize,
    /// Whether all bytes sent are ASCII, escapes included.
    pub sent_ascii: bool,
    /// Whether the value is ASCII.
    pub ascii: bool,
}

/// Writes the value of the string at `at` into `buffer`, from `len` on, in one pass. The buffer grows as needed; what
/// lies behind the value in it means nothing.
pub fn resolve(text: &[u8], at: usize, buffer: &mut Vec<u8>, len: usize) -> Result<Resolved, Surprise> {
    let mut state = Resolved { end: at, len, sent_ascii: true, ascii: true };
    if resolve_blocks(text, buffer, &mut state)? {
        return Ok(state);
    }
    // The last bytes once more, with room behind them. A NUL ends a string as the end of the text does.
    let mut rest = [0; 2 * SLACK];
    let start = state.end;
    let tail = text.get(start..).unwrap_or_default();
    rest[..tail.len()].copy_from_slice(tail);
    state.end = 0;
    resolve_blocks(&rest, buffer, &mut state)?;
    state.end += start;
    Ok(state)
}

/// False if the end of the text is too near to go on.
///
/// Blocks follow each other at a fixed distance, whatever is in them, so that the processor can look at several at a
/// time: to start each one behind the last escape took half as long again.
fn resolve_blocks(text: &[u8], buffer: &mut Vec<u8>, state: &mut Resolved) -> Result<bool, Surprise> {
    let Resolved { end: mut base, mut len, .. } = *state;
    let mut from = 0; // in the block
    loop {
        let Some(window) = text.get(base..).and_then(|rest| rest.first_chunk::<SLACK>()) else {
            (state.end, state.len) = (base + from, len);
            return Ok(false);
        };
        if buffer.len() < len + 2 * SLACK {
            buffer.resize(2 * (len + 2 * SLACK), 0);
        }
        let room = &mut buffer[len..];
        let marks = first_block(window);
        let mut written = 0;
        loop {
            let Some(at) = marks.next_special(from) else {
                copy(window, from, room, written);
                state.sent_ascii &= marks.is_ascii();
                len += written + BLOCK - from;
                base += BLOCK;
                from = 0;
                break;
            };
            copy(window, from, room, written);
            written += at - from;
            let kind = window[at + 1];
            if window[at] == b'\\' && ESCAPES[usize::from(kind)] != 0 {
                room[written] = ESCAPES[usize::from(kind)];
                written += 1;
                from = at + 2;
                if from < BLOCK {
                    continue;
                }
                state.sent_ascii &= marks.is_ascii();
                from -= BLOCK;
                base += BLOCK;
                len += written;
                break;
            }
            state.sent_ascii &= marks.is_ascii_before(at);
            len += written;
            base += at;
            from = 0;
            if window[at] != b'\\' {
                (state.end, state.len, state.ascii) = (base, len, state.ascii && state.sent_ascii);
                return Ok(true);
            }
            let mut value = [0; MAX_VALUE];
            let (escape, size) = resolve_unicode(&text[base..], &mut value)?;
            state.ascii &= value[0] < 0x80;
            room[written..written + size].copy_from_slice(&value[..size]);
            len += size;
            base += escape;
            break;
        }
    }
}

#[inline(always)]
fn first_block(window: &[u8; SLACK]) -> Marks {
    let mut block = [0; BLOCK];
    block.copy_from_slice(&window[..BLOCK]);
    Marks::of(&block)
}

/// Copies a whole block: what is too much will be overwritten.
#[inline(always)]
fn copy(window: &[u8; SLACK], from: usize, room: &mut [u8], to: usize) {
    room[to..to + BLOCK].copy_from_slice(&window[from..from + BLOCK]);
}

/// Appends the value of a checked string to `out`. True if it is ASCII.
pub fn unescape(raw: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    // No value is longer than what was sent.
    out.resize(start + raw.len() + 2 * SLACK, 0);
    match resolve(raw, 0, out, start) {
        Ok(resolved) => {
            debug_assert_eq!(resolved.end, raw.len());
            out.truncate(resolved.len);
            resolved.ascii
        }
        Err(Surprise) => {
            debug_assert!(false, "the string was checked");
            out.truncate(start);
            true
        }
    }
}
