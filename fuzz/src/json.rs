//! JSON as Python's `json.loads` reads it: a decoder that knows nothing of ours, and ours as a tree.

use std::collections::BTreeMap;

use eugpt_fast::json::Surprise;
use eugpt_fast::json::escapes::unescape;
use eugpt_fast::json::lexer::{Lexer, Number, Text, small_integer};

/// A document. Strings are UTF-8, with lone surrogates in three bytes; members in order, doubles included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Null,
    Bool(bool),
    Number(String),
    String(Vec<u8>),
    Array(Vec<Value>),
    Object(Vec<(Vec<u8>, Value)>),
}

/// The value of `text`, and whether it has what Python takes and RFC 8259 does not. None if it is not JSON.
pub fn decode(text: &str) -> Option<(Value, bool)> {
    let mut decoder = Decoder { rest: text.as_bytes(), beyond: false };
    let value = decoder.value()?;
    decoder.blanks();
    decoder.rest.is_empty().then_some((value, decoder.beyond))
}

struct Decoder<'a> {
    rest: &'a [u8],
    beyond: bool,
}

impl Decoder<'_> {
    fn blanks(&mut self) {
        while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn eat(&mut self, word: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(word.as_bytes())?;
        Some(())
    }

    fn value(&mut self) -> Option<Value> {
        self.blanks();
        let words = [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))];
        if let Some((_, value)) = words.into_iter().find(|(word, _)| self.eat(word).is_some()) {
            return Some(value);
        }
        for word in ["NaN", "Infinity", "-Infinity"] {
            if self.eat(word).is_some() {
                self.beyond = true;
                return Some(Value::Number(word.into()));
            }
        }
        match self.rest.first()? {
            b'"' => self.string().map(Value::String),
            b'[' => self.array(),
            b'{' => self.object(),
            _ => self.number(),
        }
    }

    fn array(&mut self) -> Option<Value> {
        self.eat("[")?;
        let mut items = Vec::new();
        self.blanks();
        if self.eat("]").is_some() {
            return Some(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            self.blanks();
            if self.eat("]").is_some() {
                return Some(Value::Array(items));
            }
            self.eat(",")?;
        }
    }

    fn object(&mut self) -> Option<Value> {
        self.eat("{")?;
        let mut members = Vec::new();
        self.blanks();
        if self.eat("}").is_some() {
            return Some(Value::Object(members));
        }
        loop {
            self.blanks();
            let key = self.string()?;
            self.blanks();
            self.eat(":")?;
            members.push((key, self.value()?));
            self.blanks();
            if self.eat("}").is_some() {
                return Some(Value::Object(members));
            }
            self.eat(",")?;
        }
    }

    fn number(&mut self) -> Option<Value> {
        let start = self.rest;
        let _ = self.eat("-");
        if self.eat("0").is_none() {
            self.digits()?;
        }
        if self.eat(".").is_some() {
            self.digits()?;
        }
        if self.eat("e").or_else(|| self.eat("E")).is_some() {
            let _ = self.eat("+").or_else(|| self.eat("-"));
            self.digits()?;
        }
        let token = &start[..start.len() - self.rest.len()];
        Some(Value::Number(String::from_utf8(token.to_vec()).expect("ASCII")))
    }

    fn digits(&mut self) -> Option<()> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.rest = &self.rest[count..];
        (count > 0).then_some(())
    }

    fn string(&mut self) -> Option<Vec<u8>> {
        self.eat("\"")?;
        let mut units: Vec<u16> = Vec::new(); // of escapes that follow each other: pairs are joined in the end
        let mut out = Vec::new();
        loop {
            let (&byte, rest) = self.rest.split_first()?;
            if byte == b'\\' && rest.first() == Some(&b'u') {
                let digits = std::str::from_utf8(rest.get(1..5)?).ok()?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                units.push(u16::from_str_radix(digits, 16).ok()?);
                self.rest = &rest[5..];
                continue;
            }
            self.write(&mut units, &mut out);
            self.rest = rest;
            match byte {
                b'"' => return Some(out),
                0..0x20 => return None,
                b'\\' => {
                    let (&kind, rest) = self.rest.split_first()?;
                    let at = b"\"\\/bfnrt".iter().position(|&known| known == kind)?;
                    out.push(b"\"\\/\x08\x0c\n\r\t"[at]);
                    self.rest = rest;
                }
                _ => out.push(byte),
            }
        }
    }

    fn write(&mut self, units: &mut Vec<u16>, out: &mut Vec<u8>) {
        for unit in char::decode_utf16(units.drain(..)) {
            match unit {
                Ok(char) => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
                Err(lone) => {
                    self.beyond = true;
                    let code = lone.unpaired_surrogate();
                    out.extend([0xED, 0x80 | (code >> 6 & 0x3F) as u8, 0x80 | (code & 0x3F) as u8]);
                }
            }
        }
    }
}

/// The same tree from our lexer, as the binding uses it.
pub fn ours(text: &[u8]) -> Result<Value, Surprise> {
    let mut lexer = Lexer::new(text);
    let value = our_value(&mut lexer, &mut Vec::new())?;
    lexer.end()?;
    Ok(value)
}

fn our_value(lexer: &mut Lexer<'_>, scratch: &mut Vec<u8>) -> Result<Value, Surprise> {
    Ok(match lexer.peek() {
        b'"' => Value::String(our_text(lexer, scratch)?),
        b'n' => lexer.literal(b"null").map(|()| Value::Null)?,
        b't' => lexer.literal(b"true").map(|()| Value::Bool(true))?,
        b'f' => lexer.literal(b"false").map(|()| Value::Bool(false))?,
        b'-' | b'0'..=b'9' | b'N' | b'I' => Value::Number(our_number(lexer)?),
        open @ (b'{' | b'[') => {
            let close = if open == b'{' { b'}' } else { b']' };
            let (mut items, mut members) = (Vec::new(), Vec::new());
            lexer.bump();
            while lexer.peek() != close {
                if !(items.is_empty() && members.is_empty()) {
                    lexer.expect(b',')?;
                }
                if open == b'{' {
                    let key = lexer.key()?;
                    let mut resolved = Vec::new();
                    unescape(key.raw, &mut resolved);
                    members.push((resolved, our_value(lexer, scratch)?));
                } else {
                    items.push(our_value(lexer, scratch)?);
                }
            }
            lexer.bump();
            if open == b'{' { Value::Object(members) } else { Value::Array(items) }
        }
        _ => return Err(Surprise),
    })
}

fn our_text(lexer: &mut Lexer<'_>, scratch: &mut Vec<u8>) -> Result<Vec<u8>, Surprise> {
    let mut again = lexer.clone();
    let (text, token) = (lexer.text(scratch), again.string());
    assert_eq!(text.is_ok(), token.is_ok(), "two ways to read a string");
    let (text, token) = (text?, token?);
    assert_eq!(lexer.at(), again.at());
    let mut value = Vec::new();
    assert_eq!(unescape(token.raw, &mut value), value.is_ascii());
    match text {
        Text::Plain(raw, ascii) => {
            assert!(!token.escaped && raw == token.raw && raw == value);
            assert_eq!((ascii, token.ascii), (raw.is_ascii(), raw.is_ascii()));
        }
        Text::Resolved { raw, len, sent_ascii, ascii } => {
            assert!(token.escaped && raw == token.raw);
            assert_eq!(&scratch[..len], value);
            assert_eq!((sent_ascii, ascii), (raw.is_ascii(), value.is_ascii()));
        }
    }
    Ok(value)
}

fn our_number(lexer: &mut Lexer<'_>) -> Result<String, Surprise> {
    let mut again = lexer.clone();
    let (start, small) = (again.at(), again.small_integer());
    let number = lexer.number();
    let token = String::from_utf8_lossy(lexer.since(start)).into_owned();
    if let Some(small) = small {
        assert_eq!(number, Ok(Number::Integer(token.as_bytes())));
        assert_eq!((again.at(), Ok(small)), (lexer.at(), token.parse()));
    }
    match number? {
        Number::Integer(raw) => {
            assert_eq!(raw, token.as_bytes());
            assert!(small_integer(raw).is_none_or(|small| token.parse() == Ok(small)));
        }
        Number::Float(raw) => assert!(raw == token.as_bytes() && token.contains(['.', 'e', 'E'])),
        Number::Constant(value) => assert!(!value.is_finite()),
    }
    Ok(token)
}

/// Whether the two are the same document: of doubles the last counts, and order does not.
pub fn same(value: &Value, other: &serde_json::Value) -> bool {
    match (value, other) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(ours), serde_json::Value::Bool(theirs)) => ours == theirs,
        (Value::Number(ours), serde_json::Value::Number(theirs)) => {
            let float = |text: &str| text.parse::<f64>().expect("a number").to_bits();
            let theirs = theirs.to_string();
            float(ours) == float(&theirs) && (ours.contains(['.', 'e', 'E']) || *ours == theirs)
        }
        (Value::String(ours), serde_json::Value::String(theirs)) => ours == theirs.as_bytes(),
        (Value::Array(ours), serde_json::Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Object(ours), serde_json::Value::Object(theirs)) => {
            let last: BTreeMap<_, _> = ours.iter().map(|(key, value)| (&key[..], value)).collect();
            let known = |(key, value): (&String, _)| last.get(key.as_bytes()).is_some_and(|ours| same(ours, value));
            last.len() == theirs.len() && theirs.iter().all(known)
        }
        _ => false,
    }
}

/// The deepest nesting, and the digits (and sign) of the longest integer.
pub fn extent(value: &Value) -> (usize, usize) {
    let inside = |values: &mut dyn Iterator<Item = &Value>| {
        values.map(extent).fold((0, 0), |(depth, digits), (inner, more)| (depth.max(inner), digits.max(more)))
    };
    let (depth, digits) = match value {
        Value::Number(token) if !token.contains(['.', 'e', 'E', 'N', 'I']) => return (0, token.len()),
        Value::Array(items) => inside(&mut items.iter()),
        Value::Object(members) => inside(&mut members.iter().map(|(_, value)| value)),
        _ => return (0, 0),
    };
    (depth + 1, digits)
}
