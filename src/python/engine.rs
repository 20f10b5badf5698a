//! The way of every payload: framed, foreseen or not, and shown to whoever takes it.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

use super::delivery::{Delivery, Ledger};
use super::errors;
use super::feed::Feed;
use super::predict::Predictor;
use super::sink::{Held, Only, Sink};

/// So many places for the events of a call are kept for the next one.
const KEPT_EVENTS: usize = 1024;

/// The number of the next parser that has an `only`.
static PARSERS: AtomicU64 = AtomicU64::new(1);

/// What both parsers are made of.
pub struct Engine {
    pub way: Way,
    /// The events of a call while it runs: kept for its capacity.
    ready: Vec<Py<PyAny>>,
}

/// From the bytes to whoever takes the payloads.
pub struct Way {
    pub feed: Feed,
    only: Option<Only>,
    /// Tells it from those that have another `only`; 0 if there is none.
    number: u64,
}

impl Engine {
    pub fn new(only: Option<&Bound<'_, PyAny>>, max_event_size: i64) -> PyResult<Self> {
        let only = only.map(event_types).transpose()?;
        let number = if only.is_some() { PARSERS.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let way = Way { feed: Feed::new(max_event_size)?, only, number };
        Ok(Self { way, ready: Vec::new() })
    }

    /// The events that `chunk` completes. With a `ledger` every event is entered there; without `build` none but
    /// terminal events becomes an object. `held` was taken out of the stream before.
    pub fn deliver<'py>(
        &mut self,
        chunk: &Bound<'py, PyBytes>,
        build: bool,
        ledger: Ledger<'_>,
        held: Option<Held>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = chunk.py();
        let Self { way, ready } = self;
        let mut delivery = Delivery::new(py, build, ready, ledger);
        let before = match held {
            None => Ok(true),
            Some(Held::Payload(payload)) => {
                let mut predictor = Predictor::take(way.number);
                let result = delivery.take(&mut predictor, way.only.as_ref(), &payload, false);
                predictor.give_back();
                result
            }
            Some(Held::TooLarge(error)) => delivery.refuse(error),
        };
        let result = match before {
            Ok(_) => way.run(chunk.as_bytes(), &mut delivery),
            Err(error) => {
                way.feed.hold(chunk.as_bytes());
                Err(error)
            }
        };
        let events = PyList::new(py, ready.drain(..))?;
        ready.shrink_to(KEPT_EVENTS);
        match result {
            Ok(()) => Ok(events),
            Err(error) => Err(errors::with_events(py, *error, &events)),
        }
    }
}

impl Way {
    /// Shows every event that `bytes` complete to `sink`, while it wants more.
    #[inline(always)]
    pub fn run(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Result<(), Box<PyErr>> {
        let Self { feed, only, number, .. } = self;
        let mut predictor = Predictor::take(*number);
        let result = feed.run(bytes, |framer, rest| {
            if let Some(payload) = framer.expected(rest, |ahead| predictor.foresee(ahead)) {
                return sink.take(&mut predictor, only.as_ref(), payload, true);
            }
            match framer.next(rest) {
                Ok(Some(event)) => sink.take(&mut predictor, only.as_ref(), event.data, false),
                Ok(None) => Ok(false),
                Err(error) => sink.refuse(error),
            }
        });
        predictor.give_back();
        result
    }
}

fn event_types(only: &Bound<'_, PyAny>) -> PyResult<Only> {
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
