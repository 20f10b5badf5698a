//! JSON text to Python objects.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};

use super::errors;
use super::strings::{Keys, ascii, text as with_surrogates};
use crate::json::escapes::unescape;
use crate::json::lexer::{Lexer, Number, Str, Text, small_integer};
use crate::json::shape::{Kind, Token};
use crate::json::{MAX_DEPTH, MAX_DIGITS, Surprise};

/// Why a value could not be built.
pub enum Failure {
    /// `json.loads` has to look at it.
    Surprise,
    /// Python raised.
    Python(Box<PyErr>),
}

impl From<Surprise> for Failure {
    fn from(_: Surprise) -> Self {
        Self::Surprise
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(Box::new(error))
    }
}

/// What is done with each member of the top-level object: its key, and its value as sent.
pub type Note<'n, 'a> = &'n mut dyn FnMut(Str<'a>, &'a [u8]);

/// Builds the values that `json.loads` would.
pub struct Values {
    /// Those of this thread, once they are needed.
    keys: Option<Keys>,
    scratch: Vec<u8>,
    /// Those of the arrays that are open.
    items: Vec<Py<PyAny>>,
}

impl Values {
    /// For one call.
    pub fn new() -> Self {
        Self { keys: None, scratch: Vec::new(), items: Vec::new() }
    }

    /// The value of `text`; whatever is not plain JSON in UTF-8 is left to `json.loads`, its errors included.
    pub fn load<'py>(&mut self, py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        match self.build(py, text, None) {
            Ok(value) => Ok(value),
            Err(Failure::Surprise) => errors::loads(py, text),
            Err(Failure::Python(error)) => Err(*error),
        }
    }

    /// The value of `text`, and the members of the top-level object to `note`.
    pub fn build<'py, 'a>(
        &mut self,
        py: Python<'py>,
        text: &'a [u8],
        note: Option<Note<'_, 'a>>,
    ) -> Result<Bound<'py, PyAny>, Failure> {
        self.items.clear();
        let mut lexer = Lexer::new(text);
        let value = match lexer.peek() {
            b'{' => self.object(py, &mut lexer, 1, note)?.into_any(),
            _ => self.value(py, &mut lexer, 0)?,
        };
        lexer.end()?;
        Ok(value)
    }

    /// The next value of the document.
    #[inline(always)]
    pub fn value<'py>(
        &mut self,
        py: Python<'py>,
        lexer: &mut Lexer<'_>,
        depth: usize,
    ) -> Result<Bound<'py, PyAny>, Failure> {
        Ok(match lexer.peek() {
            b'"' => match lexer.text(&mut self.scratch)? {
                Text::Plain(raw, true) => ascii(py, raw)?.into_any(),
                other => self.text(py, other)?.into_any(),
            },
            b'{' => self.object(py, lexer, depth + 1, None)?.into_any(),
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
            b'-' | b'0'..=b'9' | b'N' | b'I' => match lexer.small_integer() {
                Some(value) => PyInt::new(py, value).into_any(),
                None => number(py, lexer.number()?)?,
            },
            _ => return Err(Failure::Surprise),
        })
    }

    #[inline(never)]
    fn object<'py, 'a>(
        &mut self,
        py: Python<'py>,
        lexer: &mut Lexer<'a>,
        depth: usize,
        mut note: Option<Note<'_, 'a>>,
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
            lexer.peek();
            let start = lexer.at();
            dict.set_item(key, self.value(py, lexer, depth)?)?;
            if let Some(note) = &mut note {
                note(token, lexer.since(start));
            }
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

    #[inline(never)]
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
        if lexer.peek() == b']' {
            lexer.bump();
            return Ok(PyList::empty(py));
        }
        let start = self.items.len();
        loop {
            let item = self.value(py, lexer, depth)?;
            self.items.push(item.unbind());
            match lexer.peek() {
                b',' => lexer.bump(),
                b']' => {
                    lexer.bump();
                    return Ok(PyList::new(py, self.items.drain(start..))?);
                }
                _ => return Err(Failure::Surprise),
            }
        }
    }

    /// The value of a string or number.
    pub fn scalar<'py>(&mut self, py: Python<'py>, token: Token<'_>) -> Result<Bound<'py, PyAny>, Failure> {
        if let Some(token) = token.string() {
            return Ok(self.string(py, token)?.into_any());
        }
        match token.kind {
            Kind::Small(value) => Ok(PyInt::new(py, value).into_any()),
            Kind::Integer => number(py, Number::Integer(token.raw)),
            _ => number(py, Number::Float(token.raw)),
        }
    }

    fn string<'py>(&mut self, py: Python<'py>, token: Str<'_>) -> Result<Bound<'py, PyString>, Failure> {
        if !token.escaped {
            return self.text(py, Text::Plain(token.raw, token.ascii));
        }
        self.scratch.clear();
        let ascii = unescape(token.raw, &mut self.scratch);
        self.text(py, Text::Resolved { raw: token.raw, len: self.scratch.len(), sent_ascii: token.ascii, ascii })
    }

    fn text<'py>(&mut self, py: Python<'py>, text: Text<'_>) -> Result<Bound<'py, PyString>, Failure> {
        Ok(match text {
            Text::Plain(raw, true) => ascii(py, raw)?,
            Text::Plain(raw, false) => PyString::from_bytes(py, raw).map_err(|_| Failure::Surprise)?,
            Text::Resolved { ascii: true, len, .. } => ascii(py, &self.scratch[..len])?,
            Text::Resolved { raw, len, sent_ascii, .. } => {
                // A lone surrogate is no UTF-8 either, but welcome: what is sent must be told from what is escaped.
                if !sent_ascii {
                    std::str::from_utf8(raw).map_err(|_| Failure::Surprise)?;
                }
                with_surrogates(py, &self.scratch[..len])?
            }
        })
    }

    /// The string of a key.
    #[inline]
    pub fn key<'py>(&mut self, py: Python<'py>, token: Str<'_>) -> Result<Bound<'py, PyString>, Failure> {
        if token.ascii && !token.escaped {
            Ok(self.keys.get_or_insert_with(Keys::take).get(py, token)?)
        } else {
            self.string(py, token)
        }
    }
}

impl Drop for Values {
    fn drop(&mut self) {
        if let Some(keys) = self.keys.take() {
            keys.give_back();
        }
    }
}

fn number<'py>(py: Python<'py>, number: Number<'_>) -> Result<Bound<'py, PyAny>, Failure> {
    Ok(match number {
        Number::Integer(token) if token.len() > MAX_DIGITS => return Err(Failure::Surprise),
        Number::Integer(token) => match small_integer(token) {
            Some(value) => PyInt::new(py, value).into_any(),
            None => py.get_type::<PyInt>().call1((ascii(py, token)?,))?,
        },
        Number::Float(token) => {
            let token = std::str::from_utf8(token).map_err(|_| Surprise)?;
            PyFloat::new(py, token.parse().map_err(|_| Surprise)?).into_any()
        }
        Number::Constant(value) => PyFloat::new(py, value).into_any(),
    })
}
