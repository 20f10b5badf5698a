//! `SSEParser` and `ServerSentEvent`: the WHATWG layer by itself.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple, PyType};

use super::errors;
use super::feed::{self, Feed};
use super::predict::Predictor;
use super::strings::ascii;
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
    #[pyo3(signature = (event = None, data = None, id = None, retry = None))]
    fn new(
        py: Python<'_>,
        event: Option<Bound<'_, PyString>>,
        data: Option<Bound<'_, PyString>>,
        id: Option<Bound<'_, PyString>>,
        retry: Option<u64>,
    ) -> PyResult<Self> {
        let or = |given: Option<Bound<'_, PyString>>, default| match given {
            Some(given) if !given.is_empty()? => Ok(given.unbind()),
            _ => PyResult::Ok(PyString::new(py, default).unbind()),
        };
        Ok(Self { event: or(event, "message")?, data: or(data, "")?, id: or(id, "")?, retry })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        Ok((slf.get_type(), slf.get().fields(slf.py())?))
    }

    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let data = self.data.bind(py);
        let Ok(text) = data.to_str() else { return errors::loads_text(py, data) };
        // The thread's, for an event outlives its parser. Streams that take turns teach it what changes.
        let mut predictor = Predictor::take(0);
        let value = predictor.load(py, &mut Values::new(), text.as_bytes());
        predictor.give_back();
        value
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, Self>) -> PyResult<bool> {
        self.fields(py)?.eq(other.get().fields(py)?)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.fields(py)?.hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut repr = format!("ServerSentEvent(event={}", self.event.bind(py).repr()?);
        for (name, value) in [("data", &self.data), ("id", &self.id)] {
            let value = value.bind(py);
            if !value.is_empty()? {
                repr += &format!(", {name}={}", value.repr()?);
            }
        }
        if let Some(retry) = self.retry {
            repr += &format!(", retry={retry}");
        }
        Ok(repr + ")")
    }
}

impl ServerSentEvent {
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (&self.event, &self.data, &self.id, self.retry).into_pyobject(py)
    }
}

/// One stream of bytes to its server-sent events.
#[pyclass(module = "eugpt_fast")]
pub struct SSEParser {
    feed: Feed,
    name: Shared,
    id: Shared,
}

/// A text that many events have in common.
#[derive(Default)]
struct Shared {
    bytes: Vec<u8>,
    text: Option<Py<PyString>>,
}

impl Shared {
    fn get(&mut self, py: Python<'_>, bytes: &[u8]) -> PyResult<Py<PyString>> {
        if let Some(text) = &self.text {
            if self.bytes == bytes {
                return Ok(text.clone_ref(py));
            }
        }
        let text = decoded(py, bytes)?;
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        self.text = Some(text.clone_ref(py));
        Ok(text)
    }
}

fn decoded(py: Python<'_>, bytes: &[u8]) -> PyResult<Py<PyString>> {
    let text = if bytes.is_ascii() { ascii(py, bytes)? } else { PyString::new(py, &decode(bytes)) };
    Ok(text.unbind())
}

#[pymethods]
impl SSEParser {
    #[new]
    #[pyo3(signature = (*, max_event_size = 64 << 20))]
    fn new(max_event_size: i64) -> PyResult<Self> {
        Ok(Self { feed: Feed::new(max_event_size)?, name: Shared::default(), id: Shared::default() })
    }

    fn feed<'py>(slf: &Bound<'py, Self>, chunk: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let py = slf.py();
        let bytes = feed::bytes(chunk)?;
        let events = PyList::empty(py);
        let mut parser = slf.try_borrow_mut().map_err(|_| errors::in_use())?;
        let Self { feed, name, id } = &mut *parser;
        let result = feed.run(bytes.as_bytes(), |framer, rest| {
            let Some(event) = framer.next(rest).map_err(|error| errors::too_large(py, error))? else {
                return Ok(false);
            };
            events.append(ServerSentEvent {
                event: name.get(py, if event.name.is_empty() { b"message" } else { event.name })?,
                data: decoded(py, event.data)?,
                id: id.get(py, event.id)?,
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
        self.feed.finish(py)
    }

    #[getter]
    fn last_event_id(&self) -> String {
        decode(self.feed.framer().last_event_id()).into_owned()
    }

    #[getter]
    fn retry(&self) -> Option<u64> {
        self.feed.framer().retry()
    }
}
