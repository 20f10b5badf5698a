//! Which shape the next event has, and what was prepared for it.

use std::cell::Cell;

use pyo3::prelude::*;

use super::template::Template;
use super::values::{Failure, Values};
use crate::json::shape::{Filling, Shape};
use crate::json::shapes::{SHAPES, Shapes};
use crate::responses::{Head, Plan};

/// The shapes of a thread's streams with their plans and templates.
#[derive(Default)]
pub struct Predictor {
    shapes: Shapes,
    /// By the number of the shape.
    prepared: Vec<Prepared>,
    /// The number of the parser that was served last.
    parser: u64,
    /// By the number of the shape: whether that parser wants its events, where the type is the same in all.
    wanted: [Option<bool>; SHAPES],
    fillings: Vec<Filling>,
}

#[derive(Default)]
struct Prepared {
    /// Of the shape that this was prepared for; 0 for none.
    version: u64,
    plan: Option<Plan>,
    /// `None` until it is needed; then the template, unless none can be made.
    template: Option<Option<Template>>,
}

/// A payload whose shape was known.
pub struct Predicted<'a> {
    payload: &'a [u8],
    shape: &'a Shape,
    fillings: &'a [Filling],
    prepared: &'a mut Prepared,
    wanted: &'a mut Option<bool>,
}

thread_local! {
    // Of the thread, as the keys are: a stream starts with what those before it have taught, and a thousand of them take
    // no more memory than one. Taken while in use: a parser that runs inside another one makes its own.
    static SPARE: Cell<Option<Box<Predictor>>> = const { Cell::new(None) };
}

impl Predictor {
    /// The thread's, for the parser of this number; give it back with [`Predictor::give_back`]. What another parser
    /// wanted is forgotten.
    pub fn take(parser: u64) -> Box<Self> {
        let mut predictor = SPARE.take().unwrap_or_default();
        if predictor.parser != parser {
            predictor.parser = parser;
            predictor.wanted = Default::default();
        }
        predictor
    }

    /// Leaves it to the thread's next call.
    pub fn give_back(self: Box<Self>) {
        SPARE.set(Some(self));
    }

    /// The length of the payload that starts `ahead`, if it is what was expected.
    #[inline]
    pub fn foresee(&mut self, ahead: &[u8]) -> Option<usize> {
        self.shapes.find(ahead, &mut self.fillings)
    }

    /// The payload, if it is what was expected. `foreseen` says that it is what `foresee`, called last, has found.
    #[inline]
    pub fn find<'a>(&'a mut self, payload: &'a [u8], foreseen: bool) -> Option<Predicted<'a>> {
        if !foreseen && self.shapes.find(payload, &mut self.fillings) != Some(payload.len()) {
            return None;
        }
        let (at, shape) = self.shapes.last();
        if self.prepared.get(at).is_none_or(|prepared| prepared.version != shape.version()) {
            prepare(&mut self.prepared, at, shape);
            self.wanted[at] = None;
        }
        let Self { prepared, wanted, fillings, .. } = self;
        Some(Predicted { payload, shape, fillings, prepared: &mut prepared[at], wanted: &mut wanted[at] })
    }

    /// The value of `payload`, the short way if it is what was expected; else it is remembered.
    pub fn load<'py>(&mut self, py: Python<'py>, values: &mut Values, payload: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        if let Some(predicted) = self.find(payload, false) {
            return predicted.load(py, values).map_err(|error| *error);
        }
        let value = values.load(py, payload)?;
        self.learn(payload);
        Ok(value)
    }

    /// Remembers a payload that was not expected.
    pub fn learn(&mut self, payload: &[u8]) {
        self.shapes.learn(payload);
    }
}

#[cold]
fn prepare(prepared: &mut Vec<Prepared>, at: usize, shape: &Shape) {
    if at >= prepared.len() {
        prepared.resize_with(at + 1, Prepared::default);
    }
    prepared[at] = Prepared { version: shape.version(), plan: Plan::of(shape), ..Prepared::default() };
}

impl<'a> Predicted<'a> {
    /// What the account needs to know of it; None if it has to be read for that.
    #[inline]
    pub fn head(&self) -> Option<Head<'a>> {
        let plan = self.prepared.plan.as_ref()?;
        Some(Head::predicted(plan, self.shape, self.payload, self.fillings))
    }

    /// Whether events of this shape are wanted, if that was remembered.
    #[inline]
    pub fn wanted(&self) -> Option<bool> {
        *self.wanted
    }

    /// Remembers it, if no event of this shape can have another type.
    pub fn remember(&mut self, wanted: bool) {
        if self.prepared.plan.as_ref().is_some_and(Plan::has_fixed_kind) {
            *self.wanted = Some(wanted);
        }
    }

    /// Its value.
    #[inline]
    pub fn load<'py>(self, py: Python<'py>, values: &mut Values) -> Result<Bound<'py, PyAny>, Box<PyErr>> {
        let template = self.prepared.template.get_or_insert_with(|| Template::new(py, self.shape, values).ok());
        let built = match template {
            Some(template) => template.build(py, self.payload, self.fillings, values),
            None => Err(Failure::Surprise),
        };
        match built {
            Ok(value) => Ok(value),
            Err(Failure::Surprise) => Ok(values.load(py, self.payload)?),
            Err(Failure::Python(error)) => Err(error),
        }
    }
}
