//! `SSEParser` and `ServerSentEvent`: the WHATWG layer by itself.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple, PyType};

use super::errors;
use super::feed::{self, Feed};
use super::values::Values;
use crate::sse::decode;

/// One dispatched event.
#[pyclass(module = "eugpt_fast", frozen)]
pub struct ServerSentEvent {
    #[pyo3(get)]
    event: Py<PyString>,
    #[pyo3(get)]
    data: Py<PyString>,
    #[pyo3(get)]
    id: Py<PyString>,
    #[pyo3(get)]
    retry: Option<u64>,
}

#[pymethods]
impl ServerSentEvent {
    #[new]
    #[pyo3(
        signature = (event = None, data = None, id = None, retry = None),
        text_signature = "(event='message', data='', id='', retry=None)"
    )]
    fn new(
        py: Python<'_>,
        event: Option<Py<PyString>>,
        data: Option<Py<PyString>>,
        id: Option<Py<PyString>>,
        retry: Option<u64>,
    ) -> Self {
        let or = |given: Option<_>, default| given.unwrap_or_else(|| PyString::new(py, default).unbind());
        Self { event: or(event, "message"), data: or(data, ""), id: or(id, ""), retry }
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        Ok((slf.get_type(), slf.get().fields(slf.py())?))
    }

    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let text = self.data.bind(py).to_str()?;
        Values::new().load(py, text.as_bytes())
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, Self>) -> PyResult<bool> {
        self.fields(py)?.eq(other.get().fields(py)?)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.fields(py)?.hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let fields = self.fields(py)?;
        let repr = |at| fields.get_item(at)?.repr().map(|repr| repr.to_string());
        let (event, data, id, retry) = (repr(0)?, repr(1)?, repr(2)?, repr(3)?);
        Ok(format!("ServerSentEvent(event={event}, data={data}, id={id}, retry={retry})"))
    }
}

impl ServerSentEvent {
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (&self.event, &self.data, &self.id, self.retry).into_pyobject(py)
    }
}

/// One stream of bytes to its server-sent events.
#[pyclass(module = "eugpt_fast")]
pub struct SSEParser(Feed);

#[pymethods]
impl SSEParser {
    #[new]
    #[pyo3(signature = (*, max_event_size = 64 << 20))]
    fn new(max_event_size: i64) -> PyResult<Self> {
        Feed::new(max_event_size).map(Self)
    }

    fn feed<'py>(slf: &Bound<'py, Self>, chunk: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let py = slf.py();
        let bytes = feed::bytes(chunk)?;
        let events = PyList::empty(py);
        let mut parser = slf.try_borrow_mut().map_err(|_| errors::in_use())?;
        let result = parser.0.run(bytes.as_bytes(), |framer, rest| {
            let Some(event) = framer.next(rest).map_err(|error| errors::too_large(py, error))? else {
                return Ok(false);
            };
            let text = |bytes| PyString::new(py, &decode(bytes)).unbind();
            let name = if event.name.is_empty() { b"message" } else { event.name };
            events.append(ServerSentEvent {
                event: text(name),
                data: text(event.data),
                id: text(event.id),
                retry: event.retry,
            })?;
            Ok(true)
        });
        match result {
            Ok(()) => Ok(events),
            Err(error) => Err(errors::with_events(py, *error, &events)),
        }
    }

    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.0.finish(py)
    }

    #[getter]
    fn last_event_id(&self) -> String {
        decode(self.0.framer().last_event_id()).into_owned()
    }

    #[getter]
    fn retry(&self) -> Option<u64> {
        self.0.framer().retry()
    }
}
