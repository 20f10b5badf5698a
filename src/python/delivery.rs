//! What becomes of events where the interpreter is at hand: objects, and entries in the account.

use pyo3::prelude::*;

use super::errors;
use super::feed::Step;
use super::predict::Predictor;
use super::sink::{Only, Sink, wants};
use super::values::{Failure, Values};
use crate::responses::{Account, Head, is_done};
use crate::sse::TooLarge;

/// Where a `ResponseParser` keeps its account, and the terminal event.
pub type Ledger<'a> = Option<(&'a mut Account, &'a mut Option<Py<PyAny>>)>;

/// What one call does with its events.
pub struct Delivery<'a, 'py> {
    py: Python<'py>,
    values: Values,
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

impl<'a, 'py> Delivery<'a, 'py> {
    /// The events go behind what `events`, which is empty, has room for.
    pub fn new(py: Python<'py>, build: bool, events: &'a mut Vec<Py<PyAny>>, ledger: Ledger<'a>) -> Self {
        Self { py, values: Values::new(), build, result: Outcome { events, ledger } }
    }
}

impl Sink for Delivery<'_, '_> {
    #[inline]
    fn take(&mut self, predictor: &mut Predictor, only: Option<&Only>, payload: &[u8], foreseen: bool) -> Step {
        let builds_all = self.build && only.is_none();
        let Some(mut predicted) = predictor.find(payload, foreseen) else {
            return self.read(predictor, only, payload);
        };
        if self.result.ledger.is_none() {
            match if builds_all { Some(true) } else { predicted.wanted() } {
                Some(true) => {
                    let value = predicted.load(self.py, &mut self.values)?;
                    self.result.events.push(value.unbind());
                    return Ok(true);
                }
                Some(false) => return Ok(true),
                None => {}
            }
        }
        let Some(head) = predicted.head() else { return self.read(predictor, only, payload) };
        let wanted = wants(self.build, only, &head);
        predicted.remember(wanted);
        if wanted {
            let value = predicted.load(self.py, &mut self.values)?;
            self.result.hand_over(value, &head);
        }
        self.result.enter(&head);
        Ok(true)
    }

    fn refuse(&mut self, error: TooLarge) -> Step {
        Err(errors::too_large(self.py, error).into())
    }
}

impl Delivery<'_, '_> {
    /// A payload that was not foreseen.
    #[inline(never)]
    fn read(&mut self, predictor: &mut Predictor, only: Option<&Only>, payload: &[u8]) -> Step {
        if is_done(payload) {
            return Ok(true);
        }
        if self.build && only.is_none() {
            self.build(payload)?
        } else {
            self.choose(only, payload)?
        }
        predictor.learn(payload);
        Ok(true)
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
    fn choose(&mut self, only: Option<&Only>, payload: &[u8]) -> Result<(), Box<PyErr>> {
        let py = self.py;
        let Ok(head) = Head::read(payload) else {
            errors::loads(py, payload)?;
            return Ok(());
        };
        if wants(self.build, only, &head) {
            let value = self.values.load(py, payload)?;
            self.result.hand_over(value, &head);
        } else if head.doubtful {
            errors::loads(py, payload)?;
        }
        self.result.enter(&head);
        Ok(())
    }
}
