//! Prediction: a stream repeats itself, so the next document is nearly known.
//!
//! A [`Shape`] is a document seen before, split into bytes that are expected again and holes for the strings and
//! numbers that changed. A match is proved byte by byte; at the first difference the caller reads the document the
//! plain way and shows it to [`Shapes::learn`].

use std::collections::VecDeque;

use memchr::memmem;

use super::lexer::{Lexer, Number, Str};
use super::scan::next_special;
use super::{MAX_DIGITS, Surprise};

/// Shapes kept per stream. A Responses stream alternates between two or three.
const SHAPES: usize = 8;
/// Longer documents are not learned, in bytes: deltas are shorter, and what is longer seldom comes twice.
const MAX_LEN: usize = 1024;
/// Documents of more strings and numbers are not learned.
const MAX_SCALARS: usize = 64;
/// Containers in learned documents are nested at most this deep.
const MAX_DEPTH: usize = 8;
/// A value that held for this many documents is expected to hold again after one change.
const STEADY: u32 = 16;
/// Documents learned in vain before learning becomes rare.
const PATIENCE: u32 = 32;
/// Kinds of documents watched until they have come often enough.
const CANDIDATES: usize = 4;
/// How often that is: what comes two or three times in a stream is not worth a shape.
const OFTEN: u32 = 4;

/// A string (between its quotes) or a number in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Scalar {
    start: usize,
    end: usize,
    string: bool,
    /// Its value changes from document to document.
    hole: bool,
}

/// What stands in a hole of a matching document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filling {
    start: usize,
    end: usize,
    kind: Kind,
}

/// What a scalar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string of ASCII without escapes.
    Ascii,
    /// A string without escapes.
    Plain,
    /// A string with escapes.
    Escaped,
    /// An integer.
    Integer,
    /// A number with fraction or exponent.
    Float,
}

impl Filling {
    /// What stands there, in the document that matched.
    #[inline]
    pub fn token<'a>(&self, text: &'a [u8]) -> Token<'a> {
        Token { raw: &text[self.start..self.end], kind: self.kind }
    }
}

/// A string or number, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// The bytes of the number, or those between the quotes.
    pub raw: &'a [u8],
    /// What it is.
    pub kind: Kind,
}

impl<'a> Token<'a> {
    /// The string that it is, if it is one.
    pub fn string(self) -> Option<Str<'a>> {
        match self.kind {
            Kind::Ascii | Kind::Plain | Kind::Escaped => {
                Some(Str { raw: self.raw, escaped: self.kind == Kind::Escaped, ascii: self.kind == Kind::Ascii })
            }
            Kind::Integer | Kind::Float => None,
        }
    }

    /// The digits of the integer that it is, if it is one.
    pub fn integer(self) -> Option<&'a [u8]> {
        (self.kind == Kind::Integer).then_some(self.raw)
    }
}

/// Where a value is to be found in a document that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is always the same: in the sample.
    Sample(Filling),
    /// In the hole of this number.
    Hole(usize),
}

/// A document seen before and what is expected of the next one like it.
#[derive(Debug)]
pub struct Shape {
    sample: Vec<u8>,
    scalars: Vec<Scalar>,
    /// Indices of the scalars that are holes.
    holes: Vec<usize>,
    sign: u64,
    matches: u32,
    version: u32,
}

/// A document that may come again, and how often its like has come.
#[derive(Debug)]
struct Candidate {
    sign: u64,
    seen: u32,
    text: Vec<u8>,
}

impl Shape {
    /// The document as it was learned.
    pub fn sample(&self) -> &[u8] {
        &self.sample
    }

    /// Changes whenever the shape does; unique within its [`Shapes`].
    pub fn version(&self) -> u32 {
        self.version
    }

    /// For every string and number of the sample in order: the number of its hole, if it is one.
    pub fn scalars(&self) -> impl Iterator<Item = Option<usize>> + '_ {
        let mut holes = 0..;
        self.scalars.iter().map(move |scalar| if scalar.hole { holes.next() } else { None })
    }

    /// Where the string or number is to be found that starts at this offset of the sample (quotes included).
    pub fn place_of(&self, start: usize) -> Option<Place> {
        let at = self.scalars.iter().position(|scalar| scalar.start - usize::from(scalar.string) == start)?;
        match self.holes.iter().position(|&hole| hole == at) {
            Some(hole) => Some(Place::Hole(hole)),
            None => read(&self.sample, self.scalars[at].start, self.scalars[at].string).map(Place::Sample),
        }
    }

    /// The string or number at `place`, in the matching document `text`.
    #[inline]
    pub fn at<'a>(&'a self, place: Place, text: &'a [u8], fillings: &[Filling]) -> Token<'a> {
        match place {
            Place::Sample(filling) => filling.token(&self.sample),
            Place::Hole(hole) => fillings[hole].token(text),
        }
    }

    /// Whether `text` is this document but for its holes; what stands in them goes to `fillings`.
    fn matches(&self, text: &[u8], fillings: &mut Vec<Filling>) -> bool {
        fillings.clear();
        let mut at = 0; // in text
        let mut expected = 0; // in the sample
        for &hole in &self.holes {
            let scalar = &self.scalars[hole];
            let literal = &self.sample[expected..scalar.start];
            if !text[at..].starts_with(literal) {
                return false;
            }
            let Some(filling) = read(text, at + literal.len(), scalar.string) else { return false };
            at = filling.end;
            expected = scalar.end;
            fillings.push(filling);
        }
        text[at..] == self.sample[expected..]
    }

    /// Whether the two documents differ in nothing but strings and numbers.
    fn is_like(&self, text: &[u8], scalars: &[Scalar]) -> bool {
        let (mut ours, mut theirs) = (0, 0);
        self.scalars.len() == scalars.len()
            && self.scalars.iter().zip(scalars).all(|(our, their)| {
                let same = self.sample[ours..our.start] == text[theirs..their.start];
                (ours, theirs) = (our.end, their.end);
                same && our.string == their.string
            })
            && self.sample[ours..] == text[theirs..]
    }

    fn update(&mut self, text: &[u8], scalars: Vec<Scalar>, version: u32) {
        let steady = self.matches >= STEADY;
        let old = std::mem::replace(&mut self.scalars, scalars);
        for (new, old) in self.scalars.iter_mut().zip(old) {
            let changed = self.sample[old.start..old.end] != text[new.start..new.end];
            new.hole = old.hole || (changed && !steady);
        }
        self.sample.clear();
        self.sample.extend_from_slice(text);
        self.holes = (0..self.scalars.len()).filter(|&at| self.scalars[at].hole).collect();
        self.matches = 0;
        self.version = version;
    }
}

/// Reads the string or number that starts at `start`; of a string, behind its opening quote.
#[inline(always)]
fn read(text: &[u8], start: usize, string: bool) -> Option<Filling> {
    if string { read_string(text, start) } else { read_number(text, start) }
}

#[inline(always)]
fn read_string(text: &[u8], start: usize) -> Option<Filling> {
    let mut ascii = true;
    let end = next_special(text, start, &mut ascii);
    if text.get(end) == Some(&b'"') {
        return Some(Filling { start, end, kind: if ascii { Kind::Ascii } else { Kind::Plain } });
    }
    let mut lexer = Lexer::starting_at(text, start - 1);
    lexer.string().ok()?;
    Some(Filling { start, end: lexer.at() - 1, kind: Kind::Escaped })
}

#[inline(always)]
fn read_number(text: &[u8], start: usize) -> Option<Filling> {
    let digits = text.get(start..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let end = start + digits;
    if (1..=MAX_DIGITS).contains(&digits)
        && (text[start] != b'0' || digits == 1)
        && !matches!(text.get(end), Some(b'.' | b'e' | b'E'))
    {
        return Some(Filling { start, end, kind: Kind::Integer });
    }
    if !matches!(text.get(start), Some(b'-' | b'0'..=b'9')) {
        return None;
    }
    let mut lexer = Lexer::starting_at(text, start);
    let kind = match lexer.number().ok()? {
        Number::Integer(token) if token.len() <= MAX_DIGITS => Kind::Integer,
        Number::Float(_) => Kind::Float,
        Number::Integer(_) | Number::Constant(_) => return None,
    };
    Some(Filling { start, end: lexer.at(), kind })
}

/// The shapes of one stream: bounded, the oldest gives way.
#[derive(Debug, Default)]
pub struct Shapes {
    shapes: Vec<Shape>,
    last: usize,
    versions: u32,
    in_vain: u32,
    candidates: VecDeque<Candidate>,
}

impl Shapes {
    /// The number of the shape that `text` matches; what stands in its holes goes to `fillings`.
    #[inline]
    pub fn find(&mut self, text: &[u8], fillings: &mut Vec<Filling>) -> Option<usize> {
        let count = self.shapes.len();
        for step in 0..count {
            let at = (self.last + step) % count;
            let shape = &mut self.shapes[at];
            if shape.matches(text, fillings) {
                shape.matches = shape.matches.saturating_add(1);
                self.last = at;
                self.in_vain = 0;
                return Some(at);
            }
        }
        None
    }

    /// The shape of this number.
    pub fn get(&self, at: usize) -> &Shape {
        &self.shapes[at]
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
        if !self.shapes.iter().any(|shape| shape.sign == sign) {
            return false;
        }
        let Ok(scalars) = outline(text) else { return false };
        let Some(shape) = self.shapes.iter_mut().find(|shape| shape.is_like(text, &scalars)) else { return false };
        self.versions += 1;
        shape.update(text, scalars, self.versions);
        true
    }

    /// Makes a shape of `text` and a candidate that differ in nothing but strings and numbers.
    fn discover(&mut self, at: usize, text: &[u8]) -> bool {
        let Candidate { sign, text: sample, .. } = &self.candidates[at];
        let (Ok(first), Ok(second)) = (outline(sample), outline(text)) else { return false };
        let mut shape =
            Shape { sample: sample.clone(), scalars: first, holes: Vec::new(), sign: *sign, matches: 0, version: 0 };
        if !shape.is_like(text, &second) {
            return false;
        }
        self.versions += 1;
        shape.update(text, second, self.versions);
        if self.shapes.len() < SHAPES {
            self.shapes.push(shape);
        } else {
            let oldest = (0..SHAPES).min_by_key(|&at| self.shapes[at].version).unwrap_or_default();
            self.shapes[oldest] = shape;
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
