//! Python strings: plain ones without a second look at their bytes, and keys remembered from one document to the next.

use std::cell::Cell;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::json::lexer::Str;
use crate::scan::{fingerprint, starts_with};

/// Places for keys remembered per thread, over all its streams: a power of two, half of them used at most. A Responses
/// stream has about 60 keys.
const SLOTS: usize = 512;
/// How many places are looked at for a key.
const PROBES: usize = 8;
/// Longer keys are not worth remembering, in bytes.
const MAX_KEY: usize = 39;

/// A `str` of bytes that are known to be ASCII.
///
/// `PyUnicode_DecodeUTF8` would look at each byte again: see docs/PERFORMANCE.md for what that costs.
#[allow(unsafe_code)]
pub fn ascii<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    debug_assert!(bytes.is_ascii());
    if bytes.len() < 2 {
        return PyString::from_bytes(py, bytes); // the interpreter shares these
    }
    // SAFETY: PyUnicode_New with a maximal character of 127 gives a new compact ASCII string of `len` bytes behind its
    // header, which nobody else can see yet; all of them are written, with ASCII, before it is handed out.
    unsafe {
        let text = pyo3::ffi::PyUnicode_New(bytes.len() as pyo3::ffi::Py_ssize_t, 127);
        let text = Bound::from_owned_ptr_or_err(py, text)?;
        let data = pyo3::ffi::PyUnicode_1BYTE_DATA(text.as_ptr());
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len());
        Ok(text.cast_into_unchecked())
    }
}

/// A `str` from UTF-8 in which lone surrogates may stand.
pub fn text<'py>(py: Python<'py>, utf8: &[u8]) -> PyResult<Bound<'py, PyString>> {
    match std::str::from_utf8(utf8) {
        Ok(text) => Ok(PyString::new(py, text)),
        Err(_) => Ok(PyBytes::new(py, utf8).call_method1("decode", ("utf-8", "surrogatepass"))?.cast_into()?),
    }
}

/// The keys of the documents read last, at the place of their fingerprint or soon behind it.
pub struct Keys {
    slots: Box<[Option<Key>]>,
    count: usize,
}

struct Key {
    bytes: [u8; MAX_KEY],
    len: u8,
    text: Py<PyString>,
}

impl Key {
    #[inline(always)]
    fn is(&self, key: &[u8]) -> bool {
        usize::from(self.len) == key.len() && starts_with(&self.bytes, key)
    }
}

thread_local! {
    // Of the thread, not of the process: free-threaded interpreters need no lock. Taken while in use, so that a parser
    // that runs inside another one (from a finaliser, say) finds none and makes its own.
    static SPARE: Cell<Option<Keys>> = const { Cell::new(None) };
}

impl Keys {
    /// The thread's keys; give them back with [`Keys::give_back`].
    pub fn take() -> Self {
        SPARE.take().unwrap_or_else(|| Self { slots: (0..SLOTS).map(|_| None).collect(), count: 0 })
    }

    /// Leaves them to the thread's next parser.
    pub fn give_back(self) {
        SPARE.set(Some(self));
    }

    /// The string of a plain key.
    #[inline]
    pub fn get<'py>(&mut self, py: Python<'py>, key: Str<'_>) -> PyResult<Bound<'py, PyString>> {
        debug_assert!(key.ascii && !key.escaped);
        if key.raw.len() > MAX_KEY {
            return ascii(py, key.raw);
        }
        // The slot is only a guess; the bytes decide.
        let slot = fingerprint(key.raw) as usize;
        for slot in slot..slot + PROBES {
            match &self.slots[slot % SLOTS] {
                Some(known) if known.is(key.raw) => return Ok(known.text.bind(py).clone()),
                Some(_) => {}
                None => return self.put(py, slot % SLOTS, key.raw),
            }
        }
        ascii(py, key.raw)
    }

    #[cold]
    fn put<'py>(&mut self, py: Python<'py>, slot: usize, key: &[u8]) -> PyResult<Bound<'py, PyString>> {
        if self.count == SLOTS / 2 {
            self.count = 0;
            self.slots.fill_with(|| None);
        }
        let text = ascii(py, key)?;
        let mut bytes = [0; MAX_KEY];
        bytes[..key.len()].copy_from_slice(key);
        self.slots[slot] = Some(Key { bytes, len: key.len() as u8, text: text.clone().unbind() });
        self.count += 1;
        Ok(text)
    }
}
