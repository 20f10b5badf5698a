//! JSON text to Python objects.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};

use super::errors;
use crate::json::lexer::{Lexer, Number, Str, unescape};
use crate::json::shape::{Kind, Token};
use crate::json::{MAX_DEPTH, MAX_DIGITS, Surprise};

/// Keys remembered per parser. A Responses stream has about 60; a power of two.
const KEYS: usize = 256;
/// Longer keys are not worth remembering.
const MAX_KEY: usize = 40;

/// Why a value could not be built.
pub enum Failure {
    /// `json.loads` has to look at it.
    Surprise,
    /// Python raised.
    Python(PyErr),
}

impl From<Surprise> for Failure {
    fn from(_: Surprise) -> Self {
        Self::Surprise
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

/// Builds the values that `json.loads` would, and remembers keys between documents.
#[derive(Default)]
pub struct Values {
    keys: Vec<Option<Py<PyString>>>,
    scratch: Vec<u8>,
}

impl Values {
    /// The value of `text`; whatever is not plain JSON in UTF-8 is left to `json.loads`, its errors included.
    pub fn load<'py>(&mut self, py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        let mut lexer = Lexer::new(text);
        let value = self.value(py, &mut lexer, 0).and_then(|value| Ok(lexer.end().map(|()| value)?));
        match value {
            Ok(value) => Ok(value),
            Err(Failure::Surprise) => errors::loads(py, text),
            Err(Failure::Python(error)) => Err(error),
        }
    }

    /// The next value of the document.
    pub fn value<'py>(
        &mut self,
        py: Python<'py>,
        lexer: &mut Lexer<'_>,
        depth: usize,
    ) -> Result<Bound<'py, PyAny>, Failure> {
        Ok(match lexer.peek() {
            b'"' => {
                let token = lexer.string()?;
                self.string(py, token)?.into_any()
            }
            b'{' => self.object(py, lexer, depth + 1)?.into_any(),
            b'[' => self.array(py, lexer, depth + 1)?.into_any(),
            b'n' => {
                lexer.literal(b"null")?;
                py.None().into_bound(py)
            }
            b't' => {
                lexer.literal(b"true")?;
                PyBool::new(py, true).to_owned().into_any()
            }
            b'f' => {
                lexer.literal(b"false")?;
                PyBool::new(py, false).to_owned().into_any()
            }
            b'-' | b'0'..=b'9' | b'N' | b'I' => number(py, lexer.number()?)?,
            _ => return Err(Failure::Surprise),
        })
    }

    fn object<'py>(
        &mut self,
        py: Python<'py>,
        lexer: &mut Lexer<'_>,
        depth: usize,
    ) -> Result<Bound<'py, PyDict>, Failure> {
        if depth >= MAX_DEPTH {
            return Err(Failure::Surprise);
        }
        lexer.bump();
        let dict = PyDict::new(py);
        if lexer.peek() == b'}' {
            lexer.bump();
            return Ok(dict);
        }
        loop {
            let token = lexer.key()?;
            let key = self.key(py, token)?;
            dict.set_item(key, self.value(py, lexer, depth)?)?;
            match lexer.peek() {
                b',' => lexer.bump(),
                b'}' => {
                    lexer.bump();
                    return Ok(dict);
                }
                _ => return Err(Failure::Surprise),
            }
        }
    }

    fn array<'py>(
        &mut self,
        py: Python<'py>,
        lexer: &mut Lexer<'_>,
        depth: usize,
    ) -> Result<Bound<'py, PyList>, Failure> {
        if depth >= MAX_DEPTH {
            return Err(Failure::Surprise);
        }
        lexer.bump();
        let list = PyList::empty(py);
        if lexer.peek() == b']' {
            lexer.bump();
            return Ok(list);
        }
        loop {
            list.append(self.value(py, lexer, depth)?)?;
            match lexer.peek() {
                b',' => lexer.bump(),
                b']' => {
                    lexer.bump();
                    return Ok(list);
                }
                _ => return Err(Failure::Surprise),
            }
        }
    }

    /// The value of a string or number.
    pub fn scalar<'py>(&mut self, py: Python<'py>, token: Token<'_>) -> Result<Bound<'py, PyAny>, Failure> {
        let digits = || std::str::from_utf8(token.raw).map_err(|_| Failure::Surprise);
        match token.kind {
            Kind::Plain => Ok(self.string(py, Str { raw: token.raw, escaped: false })?.into_any()),
            Kind::Escaped => Ok(self.string(py, Str { raw: token.raw, escaped: true })?.into_any()),
            Kind::Integer => number(py, Number::Integer(digits()?)),
            Kind::Float => number(py, Number::Float(digits()?)),
        }
    }

    fn string<'py>(&mut self, py: Python<'py>, token: Str<'_>) -> Result<Bound<'py, PyString>, Failure> {
        if !token.escaped {
            return PyString::from_bytes(py, token.raw).map_err(|_| Failure::Surprise);
        }
        // A lone surrogate is no UTF-8 either, but welcome: what is sent must be told from what is escaped.
        std::str::from_utf8(token.raw).map_err(|_| Failure::Surprise)?;
        self.scratch.clear();
        unescape(token.raw, &mut self.scratch);
        Ok(text(py, &self.scratch)?)
    }

    /// The string of a key, remembered.
    pub fn key<'py>(&mut self, py: Python<'py>, token: Str<'_>) -> Result<Bound<'py, PyString>, Failure> {
        let raw = token.raw;
        let (Some(&first), Some(&last), false) = (raw.first(), raw.last(), token.escaped || raw.len() > MAX_KEY) else {
            return self.string(py, token);
        };
        if self.keys.is_empty() {
            self.keys.resize_with(KEYS, || None);
        }
        // The slot is only a guess; the bytes decide.
        let middle = raw[raw.len() / 2];
        let hash = raw.len() ^ usize::from(first) << 3 ^ usize::from(middle) << 5 ^ usize::from(last) << 1;
        if let Some(known) = &self.keys[hash % KEYS] {
            let known = known.bind(py);
            if known.to_str()?.as_bytes() == raw {
                return Ok(known.clone());
            }
        }
        let key = self.string(py, token)?;
        self.keys[hash % KEYS] = Some(key.clone().unbind());
        Ok(key)
    }
}

fn number<'py>(py: Python<'py>, number: Number<'_>) -> Result<Bound<'py, PyAny>, Failure> {
    Ok(match number {
        Number::Integer(token) if token.len() > MAX_DIGITS => return Err(Failure::Surprise),
        Number::Integer(token) => match token.parse::<i64>() {
            Ok(value) => PyInt::new(py, value).into_any(),
            Err(_) => py.get_type::<PyInt>().call1((token,))?,
        },
        Number::Float(token) => PyFloat::new(py, token.parse().map_err(|_| Surprise)?).into_any(),
        Number::Constant(value) => PyFloat::new(py, value).into_any(),
    })
}

/// A `str` from UTF-8 in which lone surrogates may stand.
pub fn text<'py>(py: Python<'py>, utf8: &[u8]) -> PyResult<Bound<'py, PyString>> {
    match std::str::from_utf8(utf8) {
        Ok(text) => Ok(PyString::new(py, text)),
        Err(_) => Ok(PyBytes::new(py, utf8).call_method1("decode", ("utf-8", "surrogatepass"))?.cast_into()?),
    }
}
