//! The exceptions, which are Python classes: `eugpt_fast.errors`.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyString};

use crate::sse::{TooLarge, decode};

/// Decodes with `json.loads` and raises our errors: the twin's own function, so the two cannot differ.
pub fn loads<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    loads_text(py, &PyString::new(py, &decode(text)))
}

/// The same for a `str`, which may be no UTF-8.
pub fn loads_text<'py>(py: Python<'py>, text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    LOADS.import(py, "eugpt_fast._pure", "loads")?.call1((text,))
}

pub fn too_large(py: Python<'_>, error: TooLarge) -> PyErr {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    raise(CLASS.import(py, "eugpt_fast.errors", "EventTooLarge").and_then(|class| class.call1((error.limit,))))
}

pub fn truncated(py: Python<'_>, data: &[u8]) -> PyErr {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let data = decode(data);
    raise(CLASS.import(py, "eugpt_fast.errors", "EventTruncated").and_then(|class| class.call1((data,))))
}

fn raise(instance: PyResult<Bound<'_, PyAny>>) -> PyErr {
    instance.map_or_else(|error| error, PyErr::from_value)
}

/// Hands over the events of this call that came before the error.
pub fn with_events(py: Python<'_>, error: PyErr, events: &Bound<'_, PyList>) -> PyErr {
    let value = error.value(py);
    if value.hasattr("events").unwrap_or(false) {
        let _ = value.setattr("events", events);
    }
    error
}

pub fn in_use() -> PyErr {
    PyRuntimeError::new_err("this parser is in use: one parser serves one stream, from one thread at a time")
}
