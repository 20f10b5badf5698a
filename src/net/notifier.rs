//! Wakes an event loop that watches a socket: one byte, however many tickets have come due.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[cfg(unix)]
use std::os::unix::net::UnixStream as Socket;

#[cfg(windows)]
use std::net::TcpStream as Socket;

/// One event loop's bell.
pub struct Notifier {
    due: Mutex<Vec<u64>>,
    bell: Socket,
    ear: Socket,
}

impl Notifier {
    /// A pair of connected sockets, and nothing due.
    pub fn new() -> io::Result<Self> {
        let (bell, ear) = pair()?;
        bell.set_nonblocking(true)?;
        ear.set_nonblocking(true)?;
        Ok(Self { due: Mutex::default(), bell, ear })
    }

    /// The socket that becomes readable when tickets are due.
    pub fn ear(&self) -> &Socket {
        &self.ear
    }

    /// A ticket is due. To be called on the I/O thread, which rings before it goes to sleep. Never blocks.
    pub fn notify(self: &Arc<Self>, ticket: u64) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.push(ticket);
        let first = due.len() == 1;
        drop(due);
        if first {
            SILENT.with_borrow_mut(|silent| silent.push((self.clone(), Instant::now())));
        }
    }

    fn ring(&self) {
        // A full socket is readable already; a closed one has no one to wake.
        let _ = (&self.bell).write(&[0]);
    }

    /// The tickets that are due.
    pub fn take(&self) -> Vec<u64> {
        // First the bell, then the tickets: one that comes between rings again.
        let _ = (&self.ear).read(&mut [0; 64]);
        std::mem::take(&mut self.due.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// So long at most does a bell wait for the tickets of other sockets that are ready as well. To ring at once would have
/// the event loop wake, on a busy machine, for one ticket at a time.
const LATEST: Duration = Duration::from_micros(200);

thread_local! {
    /// Bells to be rung, and since when.
    static SILENT: RefCell<Vec<(Arc<Notifier>, Instant)>> = const { RefCell::new(Vec::new()) };
}

/// Rings for all tickets that came due on this thread.
pub fn ring() {
    for (notifier, _) in SILENT.take() {
        notifier.ring();
    }
}

/// The same, if it is time to: to be called at every piece, for a thread that has always work does not go to sleep.
pub fn ring_if_late() {
    let late = SILENT.with_borrow(|silent| silent.first().is_some_and(|(_, since)| since.elapsed() > LATEST));
    if late {
        ring();
    }
}

#[cfg(unix)]
fn pair() -> io::Result<(Socket, Socket)> {
    Socket::pair()
}

#[cfg(windows)]
fn pair() -> io::Result<(Socket, Socket)> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    let bell = Socket::connect(listener.local_addr()?)?;
    loop {
        let (ear, address) = listener.accept()?;
        if address == bell.local_addr()? {
            return Ok((bell, ear));
        }
    }
}
