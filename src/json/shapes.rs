//! The shapes of one stream: which of them the next document has, and how they are learned.

use std::collections::VecDeque;

use memchr::memmem;

use super::Surprise;
use super::lexer::Lexer;
use super::shape::{Filling, Scalar, Shape};

/// Shapes kept per stream. A Responses stream alternates between two or three.
const SHAPES: usize = 8;
/// Longer documents are not learned, in bytes: deltas are shorter, and what is longer seldom comes twice.
const MAX_LEN: usize = 1024;
/// Documents of more strings and numbers are not learned.
const MAX_SCALARS: usize = 64;
/// Containers in learned documents are nested at most this deep.
const MAX_DEPTH: usize = 8;
/// Documents learned in vain before learning becomes rare.
const PATIENCE: u32 = 32;
/// Kinds of documents watched until they have come often enough.
const CANDIDATES: usize = 4;
/// How often that is: what comes two or three times in a stream is not worth a shape.
const OFTEN: u32 = 4;

/// A document that may come again, and how often its like has come.
#[derive(Debug)]
struct Candidate {
    sign: u64,
    seen: u32,
    text: Vec<u8>,
}

/// A shape and the sign of its documents.
#[derive(Debug)]
struct Known {
    sign: u64,
    shape: Shape,
}

/// The shapes of one stream: bounded, the oldest gives way.
#[derive(Debug, Default)]
pub struct Shapes {
    shapes: Vec<Known>,
    last: usize,
    versions: u32,
    in_vain: u32,
    candidates: VecDeque<Candidate>,
}

impl Shapes {
    /// The length of the document that starts `text` and has a known shape, which is then the `last`; what stands in
    /// its holes goes to `fillings`.
    #[inline]
    pub fn find(&mut self, text: &[u8], fillings: &mut Vec<Filling>) -> Option<usize> {
        let count = self.shapes.len();
        let mut at = self.last;
        for _ in 0..count {
            if let Some(len) = self.shapes[at].shape.matches(text, fillings) {
                self.last = at;
                self.in_vain = 0;
                return Some(len);
            }
            at = if at + 1 == count { 0 } else { at + 1 };
        }
        None
    }

    /// The shape that was found last, and its number.
    #[inline]
    pub fn last(&self) -> (usize, &Shape) {
        (self.last, &self.shapes[self.last].shape)
    }

    /// Remembers a document that matched nothing and is JSON.
    pub fn learn(&mut self, text: &[u8]) {
        self.in_vain = self.in_vain.saturating_add(1);
        let rarely = self.in_vain > PATIENCE && self.in_vain % 16 != 0;
        if rarely || text.len() > MAX_LEN {
            return;
        }
        let sign = sign(text);
        if self.improve(sign, text) {
            return;
        }
        let Some(at) = self.candidates.iter().position(|candidate| candidate.sign == sign) else {
            self.candidates.truncate(CANDIDATES - 1);
            self.candidates.push_front(Candidate { sign, seen: 1, text: Vec::new() });
            return;
        };
        let candidate = &mut self.candidates[at];
        candidate.seen += 1;
        if candidate.seen >= OFTEN {
            if self.discover(at, text) {
                self.candidates.remove(at);
            } else {
                self.candidates[at].text = text.to_vec();
            }
        }
    }

    /// Adapts the shape that `text` has but for values that were thought to be fixed.
    fn improve(&mut self, sign: u64, text: &[u8]) -> bool {
        if !self.shapes.iter().any(|known| known.sign == sign) {
            return false;
        }
        let Ok(scalars) = outline(text) else { return false };
        let Some(known) = self.shapes.iter_mut().find(|known| known.shape.is_like(text, &scalars)) else {
            return false;
        };
        self.versions += 1;
        known.shape.update(text, scalars, self.versions);
        true
    }

    /// Makes a shape of `text` and a candidate that differ in nothing but strings and numbers.
    fn discover(&mut self, at: usize, text: &[u8]) -> bool {
        let Candidate { sign, text: sample, .. } = &self.candidates[at];
        let (Ok(first), Ok(second)) = (outline(sample), outline(text)) else { return false };
        let mut shape = Shape::new(sample.clone(), first);
        if !shape.is_like(text, &second) {
            return false;
        }
        self.versions += 1;
        shape.update(text, second, self.versions);
        let known = Known { sign: *sign, shape };
        if self.shapes.len() < SHAPES {
            self.shapes.push(known);
        } else {
            let oldest = (0..SHAPES).min_by_key(|&at| self.shapes[at].shape.version()).unwrap_or_default();
            self.shapes[oldest] = known;
        }
        true
    }
}

/// Tells kinds of documents apart, well enough to guess which may be alike: by the first type that they name.
fn sign(text: &[u8]) -> u64 {
    let Some(at) = memmem::find(text, b"\"type\":") else { return 0 };
    let name = &text[at + b"\"type\":".len()..];
    let name = name.strip_prefix(b" ").unwrap_or(name);
    let end = name.iter().skip(1).position(|&byte| byte == b'"').unwrap_or_default();
    name[..end].iter().fold(1, |sign, &byte| (sign ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// All strings (keys are none) and numbers of a document in order.
fn outline(text: &[u8]) -> Result<Vec<Scalar>, Surprise> {
    let mut scalars = Vec::new();
    let mut lexer = Lexer::new(text);
    outline_value(&mut lexer, &mut scalars, 0)?;
    lexer.end()?;
    Ok(scalars)
}

fn outline_value(lexer: &mut Lexer<'_>, scalars: &mut Vec<Scalar>, depth: usize) -> Result<(), Surprise> {
    if depth > MAX_DEPTH || scalars.len() > MAX_SCALARS {
        return Err(Surprise);
    }
    match lexer.peek() {
        b'"' => {
            let start = lexer.at() + 1;
            lexer.string()?;
            scalars.push(Scalar { start, end: lexer.at() - 1, string: true, hole: false });
        }
        b'-' | b'0'..=b'9' => {
            let start = lexer.at();
            lexer.number()?;
            scalars.push(Scalar { start, end: lexer.at(), string: false, hole: false });
        }
        b'n' => lexer.literal(b"null")?,
        b't' => lexer.literal(b"true")?,
        b'f' => lexer.literal(b"false")?,
        open @ (b'{' | b'[') => {
            let close = open + 2; // '{' and '}', '[' and ']' are two apart in ASCII
            lexer.bump();
            if lexer.peek() == close {
                lexer.bump();
                return Ok(());
            }
            loop {
                if open == b'{' {
                    lexer.key()?;
                }
                outline_value(lexer, scalars, depth + 1)?;
                match lexer.peek() {
                    b',' => lexer.bump(),
                    byte if byte == close => {
                        lexer.bump();
                        return Ok(());
                    }
                    _ => return Err(Surprise),
                }
            }
        }
        _ => return Err(Surprise),
    }
    Ok(())
}
