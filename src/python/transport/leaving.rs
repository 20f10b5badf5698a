//! Threads that wait without the interpreter, and how they are kept away from one that ends.
//!
//! A daemon thread that comes back to an ending interpreter is killed inside its C or Rust frames, which aborts the
//! process. So once the interpreter is about to end, none comes back.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// Threads that wait, or are on their way back.
static WAITING: AtomicUsize = AtomicUsize::new(0);
/// Those of them that will not come back.
static PARKED: AtomicUsize = AtomicUsize::new(0);
/// The thread that ends the interpreter.
static LEAVING: OnceLock<ThreadId> = OnceLock::new();

/// In which a thread on its way back gets there.
const GRACE: Duration = Duration::from_secs(1);

/// Runs `wait`, which knows no Python, without the interpreter.
pub fn detached<T: Send>(py: Python<'_>, wait: impl Send + FnOnce() -> T) -> T {
    WAITING.fetch_add(1, Ordering::SeqCst);
    let result = py.detach(|| {
        park_if_leaving();
        let result = wait();
        park_if_leaving();
        result
    });
    WAITING.fetch_sub(1, Ordering::SeqCst);
    result
}

fn park_if_leaving() {
    if LEAVING.get().is_some_and(|thread| *thread != thread::current().id()) {
        PARKED.fetch_add(1, Ordering::SeqCst);
        loop {
            thread::park();
        }
    }
}

/// To be called in a forked child.
#[pyfunction]
pub fn forked() {
    WAITING.store(0, Ordering::SeqCst); // the threads that waited stayed in the parent
    crate::net::runtime::forked();
}

/// The interpreter ends, by this thread: to be called by `atexit`.
#[pyfunction]
pub fn leave(py: Python<'_>) {
    let _ = LEAVING.set(thread::current().id());
    let begun = Instant::now();
    while WAITING.load(Ordering::SeqCst) > PARKED.load(Ordering::SeqCst) && begun.elapsed() < GRACE {
        py.detach(|| thread::sleep(Duration::from_millis(1)));
    }
}
