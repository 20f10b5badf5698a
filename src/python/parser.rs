//! `Parser` and `ResponseParser`: events as the values of their JSON.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::core::Core;
use super::engine::Engine;
use super::errors;
use super::feed;
use super::strings::text;
use crate::responses::Account;
use crate::sse::decode;

/// One stream of bytes to the JSON of its events.
#[pyclass(module = "eugpt_fast")]
pub struct Parser(Engine);

#[pymethods]
impl Parser {
    #[new]
    #[pyo3(signature = (*, only = None, max_event_size = 64 << 20))]
    fn new(only: Option<&Bound<'_, PyAny>>, max_event_size: i64) -> PyResult<Self> {
        Engine::new(only, max_event_size).map(Self)
    }

    fn feed<'py>(slf: &Bound<'py, Self>, chunk: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let bytes = feed::bytes(chunk)?;
        slf.try_borrow_mut().map_err(|_| errors::in_use())?.0.deliver(&bytes, true, None, None)
    }

    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.0.way.feed.finish(py)
    }

    #[getter]
    fn last_event_id(&self) -> String {
        decode(self.0.way.feed.framer().last_event_id()).into_owned()
    }

    #[getter]
    fn retry(&self) -> Option<u64> {
        self.0.way.feed.framer().retry()
    }
}

/// A parser that also keeps the account of a Responses stream.
#[pyclass(module = "eugpt_fast")]
pub struct ResponseParser {
    core: Arc<Mutex<Core>>,
    terminal: Option<Py<PyAny>>,
}

impl ResponseParser {
    fn run<'py>(slf: &Bound<'py, Self>, chunk: &Bound<'py, PyAny>, build: bool) -> PyResult<Bound<'py, PyList>> {
        let bytes = feed::bytes(chunk)?;
        let mut guard = slf.try_borrow_mut().map_err(|_| errors::in_use())?;
        let Self { core, terminal } = &mut *guard;
        let Core { engine, account, held } = &mut *core.lock().unwrap_or_else(PoisonError::into_inner);
        engine.deliver(&bytes, build, Some((account, terminal)), held.take())
    }

    /// Who reads ahead for it.
    #[cfg(feature = "transport")]
    pub fn skimmer(&self, build: bool) -> PyResult<Arc<dyn crate::net::exchange::Ahead>> {
        Ok(Arc::new(super::ahead::Skimmer { core: self.core.clone(), build }))
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl ResponseParser {
    #[new]
    #[pyo3(signature = (*, only = None, max_event_size = 64 << 20))]
    fn new(only: Option<&Bound<'_, PyAny>>, max_event_size: i64) -> PyResult<Self> {
        let core = Core { engine: Engine::new(only, max_event_size)?, account: Account::default(), held: None };
        Ok(Self { core: Arc::new(Mutex::new(core)), terminal: None })
    }

    fn feed<'py>(slf: &Bound<'py, Self>, chunk: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        Self::run(slf, chunk, true)
    }

    fn skim<'py>(slf: &Bound<'py, Self>, chunk: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        Self::run(slf, chunk, false)
    }

    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.core().engine.way.feed.finish(py)
    }

    #[getter]
    fn last_event_id(&self) -> String {
        decode(self.core().engine.way.feed.framer().last_event_id()).into_owned()
    }

    #[getter]
    fn retry(&self) -> Option<u64> {
        self.core().engine.way.feed.framer().retry()
    }

    #[getter]
    fn terminal(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.terminal.as_ref().map(|event| event.clone_ref(py))
    }

    #[getter]
    fn events(&self) -> u64 {
        self.core().account.events
    }

    #[getter]
    fn progress(&self) -> u64 {
        self.core().account.progress
    }

    #[getter]
    fn has_text(&self) -> bool {
        !self.core().account.text.is_empty()
    }

    #[getter]
    fn text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        text(py, &self.core().account.text)
    }

    #[getter]
    fn refusal<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        text(py, &self.core().account.refusal)
    }

    #[getter]
    fn reasoning<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        text(py, &self.core().account.reasoning)
    }

    #[getter]
    fn reasoning_summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        text(py, &self.core().account.reasoning_summary)
    }

    #[getter]
    fn arguments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let arguments = PyDict::new(py);
        for (item_id, joined) in &self.core().account.arguments {
            arguments.set_item(text(py, item_id)?, text(py, joined)?)?;
        }
        Ok(arguments)
    }

    #[getter]
    fn response_id<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyString>>> {
        self.core().account.response_id.as_deref().map(|id| text(py, id)).transpose()
    }

    #[getter]
    fn last_sequence_number(&self) -> Option<i64> {
        self.core().account.last_sequence_number
    }

    #[getter]
    fn gaps(&self) -> u64 {
        self.core().account.gaps
    }

    #[getter]
    fn repeats(&self) -> u64 {
        self.core().account.repeats
    }

    #[getter]
    fn reorders(&self) -> u64 {
        self.core().account.reorders
    }
}
