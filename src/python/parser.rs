//! `Parser` and `ResponseParser`: events as the values of their JSON.

use std::collections::HashSet;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::errors;
use super::feed::{self, Feed};
use super::predict::{Predicted, Predictor};
use super::values::{Failure, Values, text};
use crate::responses::{Account, Head, is_done};
use crate::sse::decode;

/// What both classes are made of.
struct Engine {
    feed: Feed,
    values: Values,
    predictor: Predictor,
    only: Option<HashSet<Vec<u8>>>,
}

impl Engine {
    fn new(only: Option<&Bound<'_, PyAny>>, max_event_size: i64) -> PyResult<Self> {
        let only = only.map(event_types).transpose()?;
        let feed = Feed::new(max_event_size)?;
        Ok(Self { feed, values: Values::default(), predictor: Predictor::default(), only })
    }

    /// The events that `chunk` completes. With an `account` every event is entered there; without `build` none but
    /// terminal events becomes an object.
    fn run<'py>(
        &mut self,
        chunk: &Bound<'py, PyAny>,
        build: bool,
        account: Option<(&mut Account, &mut Option<Py<PyAny>>)>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = chunk.py();
        let bytes = feed::bytes(chunk)?;
        let events = PyList::empty(py);
        let Self { feed, values, predictor, only } = self;
        let needs_head = !build || only.is_some() || account.is_some();
        let mut delivery = Delivery { events: &events, values, only: only.as_ref(), build, account };
        let result = feed.run(py, bytes.as_bytes(), |event| {
            let payload = event.data;
            if is_done(payload) {
                return Ok(());
            }
            if let Some(predicted) = predictor.find(payload) {
                if !needs_head {
                    return delivery.deliver(None, payload, Some(predicted));
                }
                if let Some(head) = predicted.head() {
                    return delivery.deliver(Some(&head), payload, Some(predicted));
                }
            }
            if needs_head {
                let Ok(head) = Head::read(payload) else {
                    return errors::loads(py, payload).map(drop);
                };
                delivery.deliver(Some(&head), payload, None)?;
            } else {
                delivery.deliver(None, payload, None)?;
            }
            predictor.learn(payload);
            Ok(())
        });
        match result {
            Ok(()) => Ok(events),
            Err(error) => Err(errors::with_events(py, error, &events)),
        }
    }
}

/// What one call does with its events.
struct Delivery<'a, 'py> {
    events: &'a Bound<'py, PyList>,
    values: &'a mut Values,
    only: Option<&'a HashSet<Vec<u8>>>,
    build: bool,
    account: Option<(&'a mut Account, &'a mut Option<Py<PyAny>>)>,
}

impl<'py> Delivery<'_, 'py> {
    fn deliver(&mut self, head: Option<&Head<'_>>, payload: &[u8], predicted: Option<Predicted<'_>>) -> PyResult<()> {
        let Some(head) = head else {
            let value = self.value(payload, predicted)?;
            return self.events.append(value);
        };
        let wanted =
            self.build && self.only.is_none_or(|only| head.kind.as_deref().is_some_and(|kind| only.contains(kind)));
        if wanted || head.is_terminal() {
            let value = self.value(payload, predicted)?;
            if let (true, Some((_, terminal))) = (head.is_terminal(), &mut self.account) {
                **terminal = Some(value.clone().unbind());
            }
            self.events.append(value)?;
        } else if head.doubtful {
            errors::loads(self.events.py(), payload)?;
        }
        if let Some((account, _)) = &mut self.account {
            account.enter(head);
        }
        Ok(())
    }

    fn value(&mut self, payload: &[u8], predicted: Option<Predicted<'_>>) -> PyResult<Bound<'py, PyAny>> {
        let py = self.events.py();
        match predicted.map(|predicted| predicted.build(py, self.values)) {
            Some(Ok(value)) => Ok(value),
            Some(Err(Failure::Python(error))) => Err(error),
            Some(Err(Failure::Surprise)) | None => self.values.load(py, payload),
        }
    }
}

fn event_types(only: &Bound<'_, PyAny>) -> PyResult<HashSet<Vec<u8>>> {
    if only.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err("only takes a collection of event types, not a single str"));
    }
    only.try_iter()?
        .map(|kind| {
            let kind = kind?.cast_into::<PyString>()?;
            kind.call_method1("encode", ("utf-8", "surrogatepass"))?.extract()
        })
        .collect()
}

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
        slf.try_borrow_mut().map_err(|_| errors::in_use())?.0.run(chunk, true, None)
    }

    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.0.feed.finish(py)
    }

    #[getter]
    fn last_event_id(&self) -> String {
        decode(self.0.feed.framer().last_event_id()).into_owned()
    }

    #[getter]
    fn retry(&self) -> Option<u64> {
        self.0.feed.framer().retry()
    }
}

/// A parser that also keeps the account of a Responses stream.
#[pyclass(module = "eugpt_fast")]
pub struct ResponseParser {
    engine: Engine,
    account: Account,
    terminal: Option<Py<PyAny>>,
}

impl ResponseParser {
    fn run<'py>(slf: &Bound<'py, Self>, chunk: &Bound<'py, PyAny>, build: bool) -> PyResult<Bound<'py, PyList>> {
        let mut guard = slf.try_borrow_mut().map_err(|_| errors::in_use())?;
        let Self { engine, account, terminal } = &mut *guard;
        engine.run(chunk, build, Some((account, terminal)))
    }
}

#[pymethods]
impl ResponseParser {
    #[new]
    #[pyo3(signature = (*, only = None, max_event_size = 64 << 20))]
    fn new(only: Option<&Bound<'_, PyAny>>, max_event_size: i64) -> PyResult<Self> {
        Ok(Self { engine: Engine::new(only, max_event_size)?, account: Account::default(), terminal: None })
    }

    fn feed<'py>(slf: &Bound<'py, Self>, chunk: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        Self::run(slf, chunk, true)
    }

    fn skim<'py>(slf: &Bound<'py, Self>, chunk: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        Self::run(slf, chunk, false)
    }

    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.engine.feed.finish(py)
    }

    #[getter]
    fn last_event_id(&self) -> String {
        decode(self.engine.feed.framer().last_event_id()).into_owned()
    }

    #[getter]
    fn retry(&self) -> Option<u64> {
        self.engine.feed.framer().retry()
    }

    #[getter]
    fn terminal(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.terminal.as_ref().map(|event| event.clone_ref(py))
    }

    #[getter]
    fn events(&self) -> u64 {
        self.account.events
    }

    #[getter]
    fn progress(&self) -> u64 {
        self.account.progress
    }

    #[getter]
    fn has_text(&self) -> bool {
        !self.account.text.is_empty()
    }

    #[getter]
    fn text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        text(py, &self.account.text)
    }

    #[getter]
    fn refusal<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        text(py, &self.account.refusal)
    }

    #[getter]
    fn reasoning<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        text(py, &self.account.reasoning)
    }

    #[getter]
    fn reasoning_summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        text(py, &self.account.reasoning_summary)
    }

    #[getter]
    fn arguments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let arguments = PyDict::new(py);
        for (item_id, joined) in &self.account.arguments {
            arguments.set_item(text(py, item_id)?, text(py, joined)?)?;
        }
        Ok(arguments)
    }

    #[getter]
    fn response_id<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyString>>> {
        self.account.response_id.as_deref().map(|id| text(py, id)).transpose()
    }

    #[getter]
    fn last_sequence_number(&self) -> Option<i64> {
        self.account.last_sequence_number
    }

    #[getter]
    fn gaps(&self) -> u64 {
        self.account.gaps
    }

    #[getter]
    fn repeats(&self) -> u64 {
        self.account.repeats
    }

    #[getter]
    fn reorders(&self) -> u64 {
        self.account.reorders
    }
}
