//! What parsing a Responses stream takes, apart from the interpreter.

use super::engine::Engine;
use super::sink::Held;
use crate::responses::Account;

/// What a `ResponseParser` shares with the thread that reads ahead for it. That thread never waits for the lock: behind
/// it, objects are built and Python code may run.
pub struct Core {
    pub engine: Engine,
    pub account: Account,
    /// What comes before the next chunk.
    pub held: Option<Held>,
}
