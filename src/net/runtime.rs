//! The one thread that waits for all sockets of this process. It never touches an interpreter.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::task::AbortHandle;

use super::{notifier, rush};

/// How often this process was forked from the one that loaded the library: threads and sockets of an older generation
/// are not ours.
static GENERATION: AtomicU32 = AtomicU32::new(0);

static CURRENT: Mutex<Option<(u32, Handle)>> = Mutex::new(None);

/// To be called in a forked child, before anything else here.
pub fn forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// The generation of this process.
pub fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Runs `task` on the thread, which starts with the first one.
pub fn spawn(task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    handle().spawn(task).abort_handle()
}

fn handle() -> Handle {
    let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    match &*current {
        Some((generation, handle)) if *generation == self::generation() => handle.clone(),
        _ => {
            let handle = start();
            // The old one's thread stayed in the parent; dropping its handle here would wait for locks that it may hold.
            std::mem::forget(current.replace((generation(), handle.clone())));
            handle
        }
    }
}

fn start() -> Handle {
    let mut builder = Builder::new_current_thread();
    let before_sleep = || {
        notifier::ring();
        rush::nap();
    };
    let runtime = builder.enable_all().on_thread_park(before_sleep).build().expect("an event queue of the system");
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name("eugpt-fast-io".into())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))
        .expect("a thread");
    handle
}
