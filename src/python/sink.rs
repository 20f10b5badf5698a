//! Who takes the payloads of events, and which are wanted.

use std::collections::HashSet;

use super::feed::Step;
use super::predict::Predictor;
use crate::responses::Head;
use crate::sse::TooLarge;

/// Which types of events are wanted.
pub type Only = HashSet<Vec<u8>>;

/// Who takes the payloads of events.
pub trait Sink {
    /// Whether to go on. `foreseen` says that the predictor has just found it.
    fn take(&mut self, predictor: &mut Predictor, only: Option<&Only>, payload: &[u8], foreseen: bool) -> Step;

    /// An event that is too large was skipped.
    fn refuse(&mut self, error: TooLarge) -> Step;
}

/// What needs the interpreter, met without it.
#[cfg_attr(not(feature = "transport"), expect(dead_code, reason = "nobody reads ahead"))]
pub enum Held {
    Payload(Vec<u8>),
    TooLarge(TooLarge),
}

/// Whether an event is to become an object.
pub fn wants(build: bool, only: Option<&Only>, head: &Head<'_>) -> bool {
    let chosen = |only: &Only| head.kind.as_deref().is_some_and(|kind| only.contains(kind));
    (build && only.is_none_or(chosen)) || head.is_terminal()
}
