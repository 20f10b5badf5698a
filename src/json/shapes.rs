//! The shapes of one stream: which of them the next document has, and how they are learned.

use std::collections::VecDeque;

use memchr::{memchr, memchr2, memmem};

use super::Surprise;
use super::lexer::Lexer;
use super::shape::{Filling, Scalar, Shape};
use crate::scan::fingerprint;

/// Shapes kept per stream. A Responses stream alternates between two or three.
const SHAPES: usize = 8;
/// Longer documents are not learned, in bytes: deltas are shorter, and what is longer seldom comes twice.
const MAX_LEN: usize = 1024;
/// Documents of more strings and numbers are not learned.
const MAX_SCALARS: usize = 64;
/// Containers in learned documents are nested at most this deep.
const MAX_DEPTH: usize = 8;
/// The most documents passed over after one that was like none before, though of a known type.
const MAX_PAUSE: u32 = 15;
/// The events that open a stream come once: created, in progress, the first item.
const OPENERS: u32 = 3;
/// Kinds of documents watched until they have come often enough.
const CANDIDATES: usize = 4;
/// How often that is. A shape costs as much as ten events read the plain way, so what comes less often is not worth one.
const OFTEN: u32 = 8;

/// A document that may come again, and how often its like has come.
#[derive(Debug)]
struct Candidate {
    sign: u32,
    seen: u32,
    text: Vec<u8>,
}

/// A shape and the sign of its documents.
#[derive(Debug)]
struct Known {
    sign: u32,
    shape: Shape,
}

/// The shapes of one stream: bounded, the oldest gives way.
#[derive(Debug)]
pub struct Shapes {
    shapes: Vec<Known>,
    last: usize,
    versions: u32,
    /// How many documents to pass over before the next attempt to learn, and how many the last time.
    pause: u32,
    patience: u32,
    candidates: VecDeque<Candidate>,
}

impl Default for Shapes {
    fn default() -> Self {
        Self { shapes: Vec::new(), last: 0, versions: 0, pause: OPENERS, patience: 0, candidates: VecDeque::new() }
    }
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
        if text.len() > MAX_LEN {
            return;
        }
        if self.pause > 0 {
            self.pause -= 1;
            return;
        }
        match self.compare(text) {
            Some(true) => self.patience = 0,
            // Where nothing is alike, looking for it must not cost more than it ever gives.
            Some(false) => {
                self.patience = (2 * self.patience + 1).min(MAX_PAUSE);
                self.pause = self.patience;
            }
            None => {}
        }
    }

    /// Whether `text` is like one that came before; None if it was only counted.
    fn compare(&mut self, text: &[u8]) -> Option<bool> {
        let sign = sign(text);
        if self.shapes.iter().any(|known| known.sign == sign) && self.improve(text) {
            return Some(true);
        }
        let Some(at) = self.candidates.iter().position(|candidate| candidate.sign == sign) else {
            self.candidates.truncate(CANDIDATES - 1);
            self.candidates.push_front(Candidate { sign, seen: 1, text: Vec::new() });
            return None;
        };
        let candidate = &mut self.candidates[at];
        candidate.seen += 1;
        if candidate.seen < OFTEN {
            return None;
        }
        if candidate.text.is_empty() {
            candidate.text.extend_from_slice(text);
            return None;
        }
        let found = self.discover(at, text);
        if found {
            self.candidates.remove(at);
        } else {
            self.candidates[at].text = text.to_vec();
        }
        Some(found)
    }

    /// Adapts the shape that `text` has but for values that were thought to be fixed.
    fn improve(&mut self, text: &[u8]) -> bool {
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
fn sign(text: &[u8]) -> u32 {
    const TYPE: &[u8] = b"\"type\":";
    let at = if text.get(1..).is_some_and(|rest| rest.starts_with(TYPE)) {
        1
    } else {
        memmem::find(text, TYPE).unwrap_or(text.len())
    };
    let name = text.get(at + TYPE.len()..).unwrap_or_default();
    let name = name.strip_prefix(b" ").unwrap_or(name);
    let end = memchr(b'"', name.get(1..).unwrap_or_default()).unwrap_or_default();
    fingerprint(&name[..end])
}

/// All strings (keys are none) and numbers of a document in order.
fn outline(text: &[u8]) -> Result<Vec<Scalar>, Surprise> {
    // A shape must not match across a line end: whoever looks ahead takes what it matches for one `data` line.
    if memchr2(b'\n', b'\r', text).is_some() {
        return Err(Surprise);
    }
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
