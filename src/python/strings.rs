//! Python strings: plain ones without a second look at their bytes, and keys remembered from one document to the next.

use std::cell::Cell;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::json::lexer::Str;
use crate::scan::{fingerprint, starts_with};

/// Keys remembered per thread, over all its streams. A Responses stream has about 60.
const KEYS: usize = 512;
/// A power of two.
const SLOTS: usize = 1024;
/// Longer keys are not worth remembering, in bytes.
const MAX_KEY: usize = 40;

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

/// The keys of the documents read last, in the order of their first appearance.
pub struct Keys {
    known: Vec<Key>,
    /// By fingerprint: the number of a key, plus one.
    slots: Box<[u16; SLOTS]>,
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
        SPARE.take().unwrap_or_else(|| Self { known: Vec::new(), slots: Box::new([0; SLOTS]) })
    }

    /// Leaves them to the thread's next parser.
    pub fn give_back(self) {
        SPARE.set(Some(self));
    }

    /// The string of a plain key.
    pub fn get<'py>(&mut self, py: Python<'py>, key: Str<'_>) -> PyResult<Bound<'py, PyString>> {
        debug_assert!(key.ascii && !key.escaped);
        if key.raw.len() > MAX_KEY {
            return ascii(py, key.raw);
        }
        // The slot is only a guess; the bytes decide.
        let mut slot = fingerprint(key.raw) as usize % SLOTS;
        let at = loop {
            let found = usize::from(self.slots[slot]).wrapping_sub(1);
            match self.known.get(found) {
                Some(known) if known.is(key.raw) => break found,
                Some(_) => slot = (slot + 1) % SLOTS, // half of the slots are free at least
                None => break self.put(py, slot, key.raw)?,
            }
        };
        Ok(self.known[at].text.bind(py).clone())
    }

    #[cold]
    fn put(&mut self, py: Python<'_>, slot: usize, key: &[u8]) -> PyResult<usize> {
        if self.known.len() == KEYS {
            self.known.clear();
            self.slots.fill(0);
        }
        let mut bytes = [0; MAX_KEY];
        bytes[..key.len()].copy_from_slice(key);
        let at = self.known.len();
        self.known.push(Key { bytes, len: key.len() as u8, text: ascii(py, key)?.unbind() });
        self.slots[slot] = at as u16 + 1;
        Ok(at)
    }
}
