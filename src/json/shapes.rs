//! The shapes of the streams of one thread: which of them the next document has, and how they are learned.

use memchr::{memchr, memchr2, memmem};

use super::Surprise;
use super::lexer::Lexer;
use super::shape::{Filling, Scalar, Shape};
use crate::scan::fingerprint;

/// Shapes kept. A Responses stream has about ten kinds of events, most of which come once in each stream.
pub const SHAPES: usize = 16;
/// Longer documents are not learned, in bytes: deltas are shorter, and what is longer seldom comes twice.
const MAX_LEN: usize = 2048;
/// Documents of more strings and numbers are not learned.
const MAX_SCALARS: usize = 64;
/// Containers in learned documents are nested at most this deep.
const MAX_DEPTH: usize = 8;
/// The most documents passed over after one that was like none before.
const MAX_PAUSE: u32 = 15;
/// Kinds of documents watched until they have come often enough.
const CANDIDATES: usize = 16;
/// How often that is. A shape costs as much as ten events read the plain way, so what comes less often is not worth one.
const OFTEN: u32 = 8;

/// A kind of document, and how often it has come since the last try to make a shape of it.
#[derive(Debug)]
struct Candidate {
    sign: u32,
    seen: u32,
    /// That of one of them, once they have come often enough: proved by the next that is like it.
    shape: Option<Box<Shape>>,
}

/// A shape and the sign of its documents.
#[derive(Debug)]
struct Known {
    sign: u32,
    shape: Box<Shape>,
    /// When it was found after another one.
    used: u64,
}

/// The shapes of streams that are alike: bounded, those not used for long give way.
#[derive(Debug, Default)]
pub struct Shapes {
    shapes: Vec<Known>,
    last: usize,
    /// Counts finds and changes.
    clock: u64,
    /// That of the document looked for last, unless it had the shape of the one before.
    sign: u32,
    /// How many documents to pass over before the next attempt to learn, and how many the last time.
    pause: u32,
    patience: u32,
    candidates: Vec<Candidate>,
}

impl Shapes {
    /// The length of the document that starts `text` and has a known shape, which is then the `last`; what stands in
    /// its holes goes to `fillings`.
    #[inline]
    pub fn find(&mut self, text: &[u8], fillings: &mut Vec<Filling>) -> Option<usize> {
        match self.shapes.get_mut(self.last).and_then(|known| known.shape.matches(text, fillings)) {
            Some(len) => Some(len),
            None => self.find_other(text, fillings),
        }
    }

    /// Only shapes of the same sign are compared, so that events that are never foreseen cost little.
    #[inline(never)]
    fn find_other(&mut self, text: &[u8], fillings: &mut Vec<Filling>) -> Option<usize> {
        let sign = sign(&text[..text.len().min(MAX_LEN)]);
        self.sign = sign;
        for (at, known) in self.shapes.iter_mut().enumerate() {
            if known.sign == sign && at != self.last {
                if let Some(len) = known.shape.matches(text, fillings) {
                    self.clock += 1;
                    known.used = self.clock;
                    self.last = at;
                    return Some(len);
                }
            }
        }
        None
    }

    /// The shape that was found last, and its number.
    #[inline]
    pub fn last(&self) -> (usize, &Shape) {
        (self.last, &self.shapes[self.last].shape)
    }

    /// Remembers a document that is JSON and was just looked for in vain.
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
            // Where nothing is alike, looking for it must not cost more than it ever gives. The pauses differ, so that
            // it is not always the same document of every stream that is looked at.
            Some(false) => {
                self.patience = if self.patience < MAX_PAUSE { 2 * self.patience + 1 } else { 1 };
                self.pause = self.patience;
            }
            None => {}
        }
    }

    /// Whether `text` is like one that came before; None if it was only counted.
    fn compare(&mut self, text: &[u8]) -> Option<bool> {
        let sign = self.sign;
        if self.improve(sign, text) {
            return Some(true);
        }
        let (mut counted, mut outlined) = (None, false);
        for (at, candidate) in self.candidates.iter_mut().enumerate().filter(|(_, candidate)| candidate.sign == sign) {
            let Some(shape) = &candidate.shape else {
                counted = Some(candidate);
                continue;
            };
            if let Some(scalars) = shape.align(text) {
                if let Some(shape) = self.candidates.remove(at).shape {
                    self.keep(sign, shape, text, scalars);
                }
                return Some(true);
            }
            outlined = true;
        }
        let Some(candidate) = counted else {
            let is_full = self.candidates.len() == CANDIDATES;
            self.candidates.truncate(CANDIDATES - 1);
            self.candidates.insert(0, Candidate { sign, seen: 1, shape: None });
            return is_full.then_some(false);
        };
        candidate.seen += 1;
        if candidate.seen < OFTEN {
            return None;
        }
        candidate.seen = 0;
        candidate.shape = outline(text).ok();
        (outlined || candidate.shape.is_none()).then_some(false)
    }

    /// Adapts the shape that `text` has but for values that were thought to be fixed.
    fn improve(&mut self, sign: u32, text: &[u8]) -> bool {
        for known in self.shapes.iter_mut().filter(|known| known.sign == sign) {
            if let Some(scalars) = known.shape.align(text) {
                self.clock += 1;
                known.shape.update(text, scalars, self.clock);
                return true;
            }
        }
        false
    }

    /// Adds the shape that `text` and another document have; the one found longest ago gives way.
    fn keep(&mut self, sign: u32, mut shape: Box<Shape>, text: &[u8], scalars: Vec<Scalar>) {
        self.clock += 1;
        shape.update(text, scalars, self.clock);
        let known = Known { sign, shape, used: self.clock };
        if self.shapes.len() < SHAPES {
            self.shapes.push(known);
        } else if let Some(oldest) = self.shapes.iter_mut().min_by_key(|known| known.used) {
            *oldest = known;
        }
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

/// The shape of one document: all its strings (keys are none) and numbers in order.
fn outline(text: &[u8]) -> Result<Box<Shape>, Surprise> {
    // A shape must not match across a line end: whoever looks ahead takes what it matches for one `data` line.
    if memchr2(b'\n', b'\r', text).is_some() {
        return Err(Surprise);
    }
    let mut scalars = Vec::new();
    let mut lexer = Lexer::new(text);
    outline_value(&mut lexer, &mut scalars, 0)?;
    lexer.end()?;
    Ok(Box::new(Shape::new(text.to_vec(), scalars)))
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
