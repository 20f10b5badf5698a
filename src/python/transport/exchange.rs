//! One request and its answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use super::super::errors;
use super::super::parser::ResponseParser;
use super::leaving::detached;
use super::notifier::Notifier;
use crate::net::error::Failure;
use crate::net::exchange::{self, Wanted};

create_exception!(_core, TransportFailure, PyException);

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        TransportFailure::new_err((failure.kind.name(), failure.message))
    }
}

/// Between two looks at the signals that came for the interpreter.
const SLICE: Duration = Duration::from_millis(100);

#[pyclass(module = "eugpt_fast._core", frozen)]
pub struct Exchange(pub Arc<exchange::Exchange>);

type Answer<'py> = (u16, &'static str, Bound<'py, PyBytes>, Bound<'py, PyList>);

#[pymethods]
impl Exchange {
    fn take_answer<'py>(&self, py: Python<'py>) -> PyResult<Option<Answer<'py>>> {
        let Some(answer) = self.0.take_answer()? else { return Ok(None) };
        let fields = answer.fields.iter().map(|(name, value)| (PyBytes::new(py, name), PyBytes::new(py, value)));
        let fields = PyList::new(py, fields.collect::<Vec<_>>())?;
        Ok(Some((answer.status, answer.version, PyBytes::new(py, &answer.reason), fields)))
    }

    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        Ok(self.0.take()?.map(|bytes| PyBytes::new(py, &bytes)))
    }

    fn is_over(&self) -> bool {
        self.0.is_over()
    }

    /// Lets `parser` read what arrives: all but wanted events, or without `build` all but terminal ones. None ends that.
    #[pyo3(signature = (parser, build))]
    fn read_ahead(&self, parser: Option<&Bound<'_, ResponseParser>>, build: bool) -> PyResult<()> {
        let skimmer = parser.map(|parser| parser.try_borrow().map_err(|_| errors::in_use())?.skimmer(build));
        self.0.read_ahead(skimmer.transpose()?);
        Ok(())
    }

    /// Bytes and pieces so far; seconds since the last of them, and since the last content; the longest pause of that.
    fn pace(&self) -> (u64, u64, f64, f64, f64) {
        let pace = self.0.pace();
        let age = |since: Instant| since.elapsed().as_secs_f64();
        (pace.bytes, pace.pieces, age(pace.latest), age(pace.progress), pace.longest_pause.as_secs_f64())
    }

    fn wait(&self, py: Python<'_>, wanted: &str, patience: Option<f64>) -> PyResult<bool> {
        let wanted = what(wanted)?;
        if self.0.has(wanted) {
            return Ok(true);
        }
        let deadline = patience.map(seconds).transpose()?.and_then(|patience| Instant::now().checked_add(patience));
        loop {
            let left = deadline.map_or(SLICE, |deadline| deadline.saturating_duration_since(Instant::now()));
            if detached(py, || self.0.wait(wanted, left.min(SLICE))) {
                return Ok(true);
            }
            py.check_signals()?;
            if left.is_zero() {
                return Ok(false);
            }
        }
    }

    fn call_when(&self, wanted: &str, notifier: &Bound<'_, Notifier>, ticket: u64) -> PyResult<bool> {
        Ok(self.0.call_when(what(wanted)?, &notifier.get().0, ticket))
    }

    fn push(&self, piece: Vec<u8>) -> bool {
        self.0.push(piece)
    }

    fn finish(&self) {
        self.0.finish();
    }

    fn close(&self) {
        self.0.close();
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn what(wanted: &str) -> PyResult<Wanted> {
    match wanted {
        "head" => Ok(Wanted::Head),
        "body" => Ok(Wanted::Body),
        "room" => Ok(Wanted::Room),
        _ => Err(PyValueError::new_err("one can wait for head, body and room")),
    }
}

pub fn seconds(number: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(number).map_err(|_| PyValueError::new_err("not a positive number of seconds"))
}
