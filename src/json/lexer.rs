//! Tokens of JSON text.

use super::Surprise;
use super::escapes::{Resolved, escape_len, resolve};
use crate::scan::next_special;

/// A string token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Str<'a> {
    /// The bytes between the quotes, escapes not resolved.
    pub raw: &'a [u8],
    /// Whether there is a backslash in it.
    pub escaped: bool,
    /// Whether all bytes are ASCII. False may also mean that nobody looked.
    pub ascii: bool,
}

/// The value of a string.
#[derive(Debug, Clone, Copy)]
pub enum Text<'a> {
    /// The bytes sent, and whether they are ASCII.
    Plain(&'a [u8], bool),
    /// It had escapes, and is at the start of the scratch buffer.
    Resolved {
        /// The bytes sent.
        raw: &'a [u8],
        /// How many bytes the value has.
        len: usize,
        /// Whether these are ASCII.
        sent_ascii: bool,
        /// Whether the value is.
        ascii: bool,
    },
}

/// A number token, or one of the constants that Python counts as numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number<'a> {
    /// An integer: sign and digits.
    Integer(&'a [u8]),
    /// A number with fraction or exponent.
    Float(&'a [u8]),
    /// `NaN`, `Infinity` or `-Infinity`.
    Constant(f64),
}

/// A position in JSON text.
///
/// The text need not be valid UTF-8: outside of strings every other byte than ASCII is a surprise, and what to make of
/// those inside is left to the caller.
#[derive(Debug, Clone)]
pub struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    /// Stands before the first byte of `text`.
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Stands before the byte at `at`.
    pub fn starting_at(text: &'a [u8], at: usize) -> Self {
        Self { text, at }
    }

    /// The offset of the next byte.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The bytes from `start` up to here.
    pub fn since(&self, start: usize) -> &'a [u8] {
        &self.text[start..self.at]
    }

    /// Skips white space and returns the next byte without consuming it; 0 at the end (no token starts with NUL).
    #[inline(always)]
    pub fn peek(&mut self) -> u8 {
        match self.text.get(self.at) {
            Some(&byte) if byte > b' ' => byte,
            _ => self.skip_blanks(),
        }
    }

    #[cold]
    fn skip_blanks(&mut self) -> u8 {
        while let Some(&byte) = self.text.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return byte;
            }
            self.at += 1;
        }
        0
    }

    /// Consumes the byte just peeked.
    #[inline]
    pub fn bump(&mut self) {
        self.at += 1;
    }

    /// Skips white space and consumes `byte`, which must come next.
    #[inline]
    pub fn expect(&mut self, byte: u8) -> Result<(), Surprise> {
        if self.peek() != byte {
            return Err(Surprise);
        }
        self.bump();
        Ok(())
    }

    /// Nothing but white space may follow.
    pub fn end(&mut self) -> Result<(), Surprise> {
        self.peek();
        if self.at == self.text.len() { Ok(()) } else { Err(Surprise) }
    }

    /// `null`, `true` and the like, whole.
    pub fn literal(&mut self, word: &[u8]) -> Result<(), Surprise> {
        if !self.text[self.at..].starts_with(word) {
            return Err(Surprise);
        }
        self.at += word.len();
        Ok(())
    }

    /// A string; the opening quote comes next. Escapes are checked, not resolved.
    #[inline(always)]
    pub fn string(&mut self) -> Result<Str<'a>, Surprise> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        let mut ascii = true;
        loop {
            at = next_special(self.text, at, &mut ascii);
            match self.text.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(Str { raw: &self.text[start..at], escaped, ascii });
                }
                Some(b'\\') => {
                    escaped = true;
                    at += escape_len(&self.text[at..])?;
                }
                // A control character (strict mode), or the end of the text.
                _ => return Err(Surprise),
            }
        }
    }

    /// A string, as [`Lexer::string`] reads it, with its escapes resolved into `scratch` if it has any.
    #[inline(always)]
    pub fn text(&mut self, scratch: &mut Vec<u8>) -> Result<Text<'a>, Surprise> {
        let start = self.at + 1;
        let mut ascii = true;
        let at = next_special(self.text, start, &mut ascii);
        match self.text.get(at) {
            Some(b'"') => {
                self.at = at + 1;
                Ok(Text::Plain(&self.text[start..at], ascii))
            }
            Some(b'\\') => self.escaped_text(start, scratch),
            _ => Err(Surprise),
        }
    }

    fn escaped_text(&mut self, start: usize, scratch: &mut Vec<u8>) -> Result<Text<'a>, Surprise> {
        let Resolved { end, len, sent_ascii, ascii } = resolve(self.text, start, scratch, 0)?;
        if self.text.get(end) != Some(&b'"') {
            return Err(Surprise);
        }
        self.at = end + 1;
        Ok(Text::Resolved { raw: &self.text[start..end], len, sent_ascii, ascii })
    }

    /// The key of a member and the colon behind it.
    #[inline(always)]
    pub fn key(&mut self) -> Result<Str<'a>, Surprise> {
        if self.peek() != b'"' {
            return Err(Surprise);
        }
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// An integer without a sign that surely fits 64 bits, if one comes next. Else nothing is consumed.
    #[inline(always)]
    pub fn small_integer(&mut self) -> Option<i64> {
        let (value, len) = leading_integer(&self.text[self.at..])?;
        self.at += len;
        Some(value)
    }

    /// A number or constant; its first byte comes next.
    #[inline]
    pub fn number(&mut self) -> Result<Number<'a>, Surprise> {
        let start = self.at;
        match self.text[start] {
            b'N' => return self.literal(b"NaN").map(|()| Number::Constant(f64::NAN)),
            b'I' => return self.literal(b"Infinity").map(|()| Number::Constant(f64::INFINITY)),
            b'-' => {
                if self.text.get(start + 1) == Some(&b'I') {
                    return self.literal(b"-Infinity").map(|()| Number::Constant(f64::NEG_INFINITY));
                }
                self.at += 1;
            }
            _ => {}
        }
        match self.digits() {
            0 => return Err(Surprise),
            1 => {}
            // "01" is the number 0 with a surprise behind it.
            _ if self.text[self.at] == b'0' => return Err(Surprise),
            n => self.at += n - 1,
        }
        self.at += 1;
        let mut float = false;
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.some_digits()?;
            float = true;
        }
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.text.get(self.at) {
                self.at += 1;
            }
            self.some_digits()?;
            float = true;
        }
        let token = &self.text[start..self.at];
        Ok(if float { Number::Float(token) } else { Number::Integer(token) })
    }

    fn digits(&self) -> usize {
        self.text[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count()
    }

    fn some_digits(&mut self) -> Result<(), Surprise> {
        match self.digits() {
            0 => Err(Surprise),
            n => {
                self.at += n;
                Ok(())
            }
        }
    }
}

/// Integers of so many digits surely fit 64 bits.
const MAX_SMALL: usize = 18;

/// The integer without a sign that starts `text` and its length, if it surely fits 64 bits and something follows.
#[inline(always)]
pub fn leading_integer(text: &[u8]) -> Option<(i64, usize)> {
    let mut value = 0;
    for (digits, &byte) in text.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 && digits < MAX_SMALL {
            value = value * 10 + i64::from(digit);
            continue;
        }
        let other = digits == 0 || digit <= 9 || matches!(byte, b'.' | b'e' | b'E') || (text[0] == b'0' && digits > 1);
        return if other { None } else { Some((value, digits)) };
    }
    None
}

/// The value of an integer token, if it is one that surely fits 64 bits.
#[inline]
pub fn small_integer(token: &[u8]) -> Option<i64> {
    let digits = token.strip_prefix(b"-").unwrap_or(token);
    if digits.is_empty() || digits.len() > MAX_SMALL {
        return None;
    }
    let mut value = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if digits.len() < token.len() { -value } else { value })
}
