//! Chunks from Python into the framer, and what is left when an event raises.

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};

use super::errors;
use crate::sse::Framer;

/// The bytes of any object that has them. `bytes` is borrowed; everything else is copied once, for its owner could
/// change it while Python code runs.
pub fn bytes<'py>(chunk: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    match chunk.cast::<PyBytes>() {
        Ok(bytes) => Ok(bytes.clone()),
        Err(_) => Ok(PyMemoryView::from(chunk)?.call_method0("tobytes")?.cast_into()?),
    }
}

/// Whether there was an event. The error is boxed: it goes up in registers, where a `PyErr` would go through memory.
pub type Step = Result<bool, Box<PyErr>>;

pub struct Feed {
    framer: Framer,
    /// What followed an event that raised, from `start` on.
    backlog: Vec<u8>,
    start: usize,
}

impl Feed {
    pub fn new(max_event_size: i64) -> PyResult<Self> {
        let limit = usize::try_from(max_event_size).ok().filter(|&limit| limit > 0);
        let limit = limit.ok_or_else(|| PyValueError::new_err("max_event_size must be a positive number of bytes"))?;
        Ok(Self { framer: Framer::new(limit), backlog: Vec::new(), start: 0 })
    }

    /// Calls `step` until it says that `chunk` completes no more events. After an error the rest waits for the next call.
    #[inline]
    pub fn run(&mut self, chunk: &[u8], step: impl FnMut(&mut Framer, &mut &[u8]) -> Step) -> Result<(), Box<PyErr>> {
        if self.backlog.is_empty() {
            let mut rest = chunk;
            let result = dispatch(&mut self.framer, &mut rest, step);
            if !rest.is_empty() {
                self.backlog = rest.to_vec();
                self.start = 0;
            }
            return result;
        }
        let mut backlog = std::mem::take(&mut self.backlog);
        backlog.extend_from_slice(chunk);
        let mut rest = &backlog[self.start..];
        let result = dispatch(&mut self.framer, &mut rest, step);
        if !rest.is_empty() {
            self.start = backlog.len() - rest.len();
            if self.start > backlog.len() / 2 {
                backlog.drain(..self.start); // each byte moves once at most for every byte consumed
                self.start = 0;
            }
            self.backlog = backlog;
        }
        result
    }

    /// Keeps a chunk for the next call.
    pub fn hold(&mut self, chunk: &[u8]) {
        if self.backlog.is_empty() {
            self.start = 0;
        }
        self.backlog.extend_from_slice(chunk);
    }

    pub fn finish(&self, py: Python<'_>) -> PyResult<()> {
        if !self.backlog.is_empty() {
            return Err(PyRuntimeError::new_err("events are waiting behind one that raised: call feed(b\"\") first"));
        }
        match self.framer.open_data() {
            Some(data) => Err(errors::truncated(py, &data)),
            None => Ok(()),
        }
    }

    pub fn framer(&self) -> &Framer {
        &self.framer
    }
}

#[inline(always)]
fn dispatch(
    framer: &mut Framer,
    rest: &mut &[u8],
    mut step: impl FnMut(&mut Framer, &mut &[u8]) -> Step,
) -> Result<(), Box<PyErr>> {
    while step(framer, rest)? {}
    Ok(())
}
