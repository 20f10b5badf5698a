//! Prediction: a stream repeats itself, so the next document is nearly known.
//!
//! A [`Shape`] is a document seen before, split into bytes that are expected again and holes for the strings and
//! numbers that changed. A match is proved byte by byte.

use super::MAX_DIGITS;
use super::lexer::{Lexer, Number, Str, leading_integer, small_integer};
use crate::scan::{next_special, starts_with};

/// A value that held for this many documents is expected to hold again after one change.
const STEADY: u32 = 16;

/// A string (between its quotes) or a number in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scalar {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) string: bool,
    /// Its value changes from document to document.
    pub(super) hole: bool,
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
    /// An integer that surely fits 64 bits: its value.
    Small(i64),
    /// Another integer.
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
            Kind::Small(_) | Kind::Integer | Kind::Float => None,
        }
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
    holes: Vec<Hole>,
    /// Where in the sample the bytes start that follow the last hole.
    tail: usize,
    matches: u32,
    version: u64,
}

/// A place for a value that changes, and the bytes of the sample that come before it.
#[derive(Debug)]
struct Hole {
    from: usize,
    to: usize,
    string: bool,
}

impl Shape {
    /// A shape without holes yet: `update` it with a document that is like `sample`.
    pub(super) fn new(sample: Vec<u8>, scalars: Vec<Scalar>) -> Self {
        Self { sample, scalars, holes: Vec::new(), tail: 0, matches: 0, version: 0 }
    }

    /// The document as it was learned.
    pub fn sample(&self) -> &[u8] {
        &self.sample
    }

    /// Changes whenever the shape does; unique within its [`Shapes`].
    pub fn version(&self) -> u64 {
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
        match self.scalars().nth(at).flatten() {
            Some(hole) => Some(Place::Hole(hole)),
            None => {
                let mut place = None;
                let Scalar { start, string, .. } = self.scalars[at];
                read(&self.sample, start, string, |filling| place = Some(Place::Sample(filling)))?;
                place
            }
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

    /// The length of the document that starts `text` and is this one but for its holes; what stands in them goes to
    /// `fillings`.
    pub(super) fn matches(&mut self, text: &[u8], fillings: &mut Vec<Filling>) -> Option<usize> {
        fillings.clear();
        let mut at = 0;
        for hole in &self.holes {
            let literal = &self.sample[hole.from..hole.to];
            if !starts_with(&text[at..], literal) {
                return None;
            }
            at = read(text, at + literal.len(), hole.string, |filling| fillings.push(filling))?;
        }
        let literal = &self.sample[self.tail..];
        if !starts_with(&text[at..], literal) {
            return None;
        }
        self.matches = self.matches.saturating_add(1);
        Some(at + literal.len())
    }

    /// The strings and numbers of `text`, if it differs from the sample in nothing else.
    pub(super) fn align(&self, text: &[u8]) -> Option<Vec<Scalar>> {
        let head = self.scalars.first().map_or(self.sample.len(), |first| first.start);
        if !starts_with(text, &self.sample[..head]) {
            return None;
        }
        let (mut from, mut at) = (0, 0);
        let mut scalars = Vec::with_capacity(self.scalars.len());
        for our in &self.scalars {
            let literal = &self.sample[from..our.start];
            if !starts_with(&text[at..], literal) {
                return None;
            }
            let start = at + literal.len();
            at = read(text, start, our.string, |_| {})?;
            scalars.push(Scalar { start, end: at, string: our.string, hole: false });
            from = our.end;
        }
        (self.sample[from..] == text[at..]).then_some(scalars)
    }

    /// Takes `text`, aligned to the sample, for the new sample. What changed becomes a hole, unless it had held for
    /// long.
    pub(super) fn update(&mut self, text: &[u8], scalars: Vec<Scalar>, version: u64) {
        let steady = self.matches >= STEADY;
        let old = std::mem::replace(&mut self.scalars, scalars);
        self.holes.clear();
        self.tail = 0;
        for (new, old) in self.scalars.iter_mut().zip(old) {
            let changed = self.sample[old.start..old.end] != text[new.start..new.end];
            new.hole = old.hole || (changed && !steady);
            if new.hole {
                self.holes.push(Hole { from: self.tail, to: new.start, string: new.string });
                self.tail = new.end;
            }
        }
        self.sample.clear();
        self.sample.extend_from_slice(text);
        self.matches = 0;
        self.version = version;
    }
}

/// Reads the string or number that starts at `start`; of a string, behind its opening quote. Returns where it ends.
///
/// `found` is called in every branch, so that its argument is made in registers. Returned as an option it went through
/// memory, in halves, and waiting for that (a failed store forwarding) was 42 % of all matching.
#[inline(always)]
fn read(text: &[u8], start: usize, string: bool, found: impl FnOnce(Filling)) -> Option<usize> {
    if string { read_string(text, start, found) } else { read_number(text, start, found) }
}

#[inline(always)]
fn read_string(text: &[u8], start: usize, found: impl FnOnce(Filling)) -> Option<usize> {
    let mut ascii = true;
    let end = next_special(text, start, &mut ascii);
    if text.get(end) == Some(&b'"') {
        found(Filling { start, end, kind: if ascii { Kind::Ascii } else { Kind::Plain } });
        return Some(end);
    }
    let mut lexer = Lexer::starting_at(text, start - 1);
    lexer.string().ok()?;
    let end = lexer.at() - 1;
    found(Filling { start, end, kind: Kind::Escaped });
    Some(end)
}

#[inline(always)]
fn read_number(text: &[u8], start: usize, found: impl FnOnce(Filling)) -> Option<usize> {
    if let Some((value, len)) = leading_integer(text.get(start..)?) {
        found(Filling { start, end: start + len, kind: Kind::Small(value) });
        return Some(start + len);
    }
    read_rare_number(text, start, found)
}

/// Signs, fractions and exponents, long ones, and what is none.
#[cold]
fn read_rare_number(text: &[u8], start: usize, found: impl FnOnce(Filling)) -> Option<usize> {
    if !matches!(text.get(start), Some(b'-' | b'0'..=b'9')) {
        return None;
    }
    let mut lexer = Lexer::starting_at(text, start);
    let kind = match lexer.number().ok()? {
        Number::Integer(token) if token.len() > MAX_DIGITS => return None,
        Number::Integer(token) => small_integer(token).map_or(Kind::Integer, Kind::Small),
        Number::Float(_) => Kind::Float,
        Number::Constant(_) => return None,
    };
    found(Filling { start, end: lexer.at(), kind });
    Some(lexer.at())
}
