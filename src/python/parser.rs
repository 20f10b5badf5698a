//! `Parser` and `ResponseParser`: events as the values of their JSON.

use std::collections::HashSet;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::errors;
use super::feed::{self, Feed};
use super::predict::Predictor;
use super::strings::text;
use super::values::{Failure, Values};
use crate::responses::{Account, Head, is_done};
use crate::sse::decode;

/// So many places for the events of a call are kept for the next one.
const KEPT_EVENTS: usize = 1024;

/// What both classes are made of.
struct Engine {
    feed: Feed,
    predictor: Predictor,
    only: Option<HashSet<Vec<u8>>>,
    /// The events of a call while it runs: kept for its capacity.
    ready: Vec<Py<PyAny>>,
}

/// Where a `ResponseParser` keeps its account, and the terminal event.
type Ledger<'a> = Option<(&'a mut Account, &'a mut Option<Py<PyAny>>)>;

impl Engine {
    fn new(only: Option<&Bound<'_, PyAny>>, max_event_size: i64) -> PyResult<Self> {
        let only = only.map(event_types).transpose()?;
        Ok(Self { feed: Feed::new(max_event_size)?, predictor: Predictor::default(), only, ready: Vec::new() })
    }

    /// The events that `chunk` completes. With a `ledger` every event is entered there; without `build` none but
    /// terminal events becomes an object.
    fn run<'py>(&mut self, chunk: &Bound<'py, PyAny>, build: bool, ledger: Ledger<'_>) -> PyResult<Bound<'py, PyList>> {
        let py = chunk.py();
        let bytes = feed::bytes(chunk)?;
        let Self { feed, predictor, only, ready } = self;
        let mut delivery = Delivery {
            py,
            predictor,
            values: Values::new(),
            only: only.as_ref(),
            build,
            result: Outcome { events: ready, ledger },
        };
        let result = feed.run(bytes.as_bytes(), |framer, rest| {
            if let Some(payload) = framer.expected(rest, |ahead| delivery.predictor.foresee(ahead)) {
                return delivery.take(payload, true).map(|()| true);
            }
            match framer.next(rest) {
                Ok(Some(event)) => delivery.take(event.data, false).map(|()| true),
                Ok(None) => Ok(false),
                Err(error) => Err(errors::too_large(py, error).into()),
            }
        });
        let ready = delivery.result.events;
        let events = PyList::new(py, ready.drain(..))?;
        ready.shrink_to(KEPT_EVENTS);
        match result {
            Ok(()) => Ok(events),
            Err(error) => Err(errors::with_events(py, *error, &events)),
        }
    }
}

/// What one call does with its events.
struct Delivery<'a, 'py> {
    py: Python<'py>,
    predictor: &'a mut Predictor,
    values: Values,
    only: Option<&'a HashSet<Vec<u8>>>,
    build: bool,
    result: Outcome<'a>,
}

/// What comes of them.
struct Outcome<'a> {
    events: &'a mut Vec<Py<PyAny>>,
    ledger: Ledger<'a>,
}

impl Outcome<'_> {
    fn hand_over(&mut self, value: Bound<'_, PyAny>, head: &Head<'_>) {
        if let (true, Some((_, terminal))) = (head.is_terminal(), &mut self.ledger) {
            **terminal = Some(value.clone().unbind());
        }
        self.events.push(value.unbind());
    }

    #[inline]
    fn enter(&mut self, head: &Head<'_>) {
        if let Some((account, _)) = &mut self.ledger {
            account.enter(head);
        }
    }
}

impl Delivery<'_, '_> {
    #[inline]
    fn take(&mut self, payload: &[u8], foreseen: bool) -> Result<(), Box<PyErr>> {
        let builds_all = self.build && self.only.is_none();
        let Some(mut predicted) = self.predictor.find(payload, foreseen) else { return self.read(payload) };
        if self.result.ledger.is_none() {
            match if builds_all { Some(true) } else { predicted.wanted() } {
                Some(true) => {
                    let value = predicted.load(self.py, &mut self.values)?;
                    self.result.events.push(value.unbind());
                    return Ok(());
                }
                Some(false) => return Ok(()),
                None => {}
            }
        }
        let Some(head) = predicted.head() else { return self.read(payload) };
        let wanted = wants(self.build, self.only, &head);
        predicted.remember(wanted);
        if wanted {
            let value = predicted.load(self.py, &mut self.values)?;
            self.result.hand_over(value, &head);
        }
        self.result.enter(&head);
        Ok(())
    }
}

fn wants(build: bool, only: Option<&HashSet<Vec<u8>>>, head: &Head<'_>) -> bool {
    let chosen = |only: &HashSet<_>| head.kind.as_deref().is_some_and(|kind| only.contains(kind));
    (build && only.is_none_or(chosen)) || head.is_terminal()
}

impl<'py> Delivery<'_, 'py> {
    /// A payload that was not foreseen.
    #[inline(never)]
    fn read(&mut self, payload: &[u8]) -> Result<(), Box<PyErr>> {
        if is_done(payload) {
            return Ok(());
        }
        if self.build && self.only.is_none() {
            self.build(payload)?
        } else {
            self.choose(payload)?
        }
        self.predictor.learn(payload);
        Ok(())
    }

    /// An event that is certainly wanted: built and, for the ledger, read in one go.
    fn build(&mut self, payload: &[u8]) -> Result<(), Box<PyErr>> {
        let py = self.py;
        if self.result.ledger.is_none() {
            let value = self.values.load(py, payload)?;
            self.result.events.push(value.unbind());
            return Ok(());
        }
        let mut head = Head::default();
        let value = match self.values.build(py, payload, Some(&mut |key, value| head.note(key, value))) {
            Ok(value) => value,
            Err(Failure::Python(error)) => return Err(error),
            Err(Failure::Surprise) => {
                let value = errors::loads(py, payload)?;
                head = Head::read(payload).unwrap_or_default();
                value
            }
        };
        self.result.hand_over(value, &head);
        self.result.enter(&head);
        Ok(())
    }

    /// An event of which only a look tells whether it is wanted.
    fn choose(&mut self, payload: &[u8]) -> Result<(), Box<PyErr>> {
        let py = self.py;
        let Ok(head) = Head::read(payload) else {
            errors::loads(py, payload)?;
            return Ok(());
        };
        if wants(self.build, self.only, &head) {
            let value = self.values.load(py, payload)?;
            self.result.hand_over(value, &head);
        } else if head.doubtful {
            errors::loads(py, payload)?;
        }
        self.result.enter(&head);
        Ok(())
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
