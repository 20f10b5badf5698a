//! The one loop.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::Duration;

use mio::event::Event;
use mio::net::TcpListener;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use crate::clock::{Timer, now};
use crate::connection::{Connection, Progress};
use crate::report::Report;
use crate::stream::{Mode, Stream};

const LISTENER: Token = Token(0);
const TIMER: Token = Token(1);
const INPUT: Token = Token(2);
const FIRST_CLIENT: usize = 3;

/// How many paced events are written before the sockets are looked at again.
const AT_MOST: usize = 64;
/// The golden ratio in 64 bits: its multiples spread evenly, however many there are.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The streams and their clients.
pub struct Server {
    streams: Vec<Stream>,
    poll: Poll,
    listener: TcpListener,
    timer: Timer,
    asked: Receiver<()>,
    clients: HashMap<usize, Connection>,
    next_client: usize,
    /// Clients that get a piece in each turn.
    ready: Vec<usize>,
    /// When a client's next event is due. Clients that have left are skipped when their time comes.
    schedule: BinaryHeap<Reverse<(u64, usize)>>,
    report: Report,
}

impl Server {
    pub fn new(streams: Vec<Stream>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let timer = Timer::new()?;
        poll.registry().register(&mut SourceFd(&timer.fd()), TIMER, Interest::READABLE)?;
        let asked = lines_of_input(Waker::new(poll.registry(), INPUT)?);
        Ok(Self {
            streams,
            poll,
            listener,
            timer,
            asked,
            clients: HashMap::new(),
            next_client: FIRST_CLIENT,
            ready: Vec::new(),
            schedule: BinaryHeap::new(),
            report: Report::new(),
        })
    }

    pub fn serve(mut self) -> io::Result<()> {
        println!("{}", self.listener.local_addr()?.port());
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, self.patience()?) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    TIMER => {}
                    INPUT => {
                        if !self.answer() {
                            return Ok(());
                        }
                    }
                    _ => self.attend(event),
                }
            }
            self.turn();
            self.keep_to_schedule();
        }
    }

    /// How long to wait: not at all if there is something to write, else until the timer or a socket says so.
    fn patience(&self) -> io::Result<Option<Duration>> {
        let due = self.schedule.peek().map(|&Reverse((due, _))| due);
        if !self.ready.is_empty() || due.is_some_and(|due| due <= now()) {
            return Ok(Some(Duration::ZERO));
        }
        if let Some(due) = due {
            self.timer.set(due)?;
        }
        Ok(None)
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error), // out of descriptors, for one: not something to measure with
            };
            socket.set_nodelay(true)?;
            let id = self.next_client;
            self.next_client += 1;
            self.poll.registry().register(&mut socket, Token(id), Interest::READABLE | Interest::WRITABLE)?;
            self.clients.insert(id, Connection::new(socket));
        }
    }

    /// Prints the report; false if standard input has ended.
    fn answer(&mut self) -> bool {
        loop {
            let asked = self.asked.try_recv();
            if asked == Err(TryRecvError::Empty) {
                return true;
            }
            println!("{}", self.report.taken(self.clients.len()));
            if asked.is_err() {
                return false;
            }
        }
    }

    /// Something has happened to a client.
    fn attend(&mut self, event: &Event) {
        let Token(id) = event.token();
        let Some(client) = self.clients.get_mut(&id) else { return };
        if event.is_readable() && !client.receive() {
            return self.drop(id);
        }
        if client.progress.is_none() {
            self.begin(id);
        } else if client.blocked && event.is_writable() {
            client.blocked = false;
            // The schedule goes on from here: it was the client who was late.
            if let Some(progress) = &mut client.progress {
                progress.due = progress.due.max(now());
            }
            match client.flush(&mut self.report) {
                Ok(true) => self.enqueue(id),
                Ok(false) => {}
                Err(_) => self.drop(id),
            }
        }
    }

    /// Begins to answer, if a request has come whole.
    fn begin(&mut self, id: usize) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let Some(name) = client.request() else { return };
        let stream = self.streams.iter().position(|stream| stream.name == name).unwrap_or(0);
        let phase = match self.streams[stream].mode {
            Mode::Paced(interval) => ((interval as u128 * (id as u64).wrapping_mul(SPREAD) as u128) >> 64) as u64,
            _ => 0,
        };
        client.progress = Some(Progress { stream, next: 0, due: now() + phase });
        self.report.requests += 1;
        self.enqueue(id);
    }

    /// Puts a client where its next piece will be sent from, or lets it go on to its next request.
    fn enqueue(&mut self, id: usize) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let Some(progress) = client.progress else { return };
        let stream = &self.streams[progress.stream];
        if progress.next < stream.pieces.len() {
            match stream.mode {
                Mode::Paced(_) => self.schedule.push(Reverse((progress.due, id))),
                _ => self.ready.push(id),
            }
        } else if stream.mode != Mode::Idle {
            client.progress = None;
            self.begin(id);
        }
    }

    /// Everybody who is ready gets a piece.
    fn turn(&mut self) {
        for id in std::mem::take(&mut self.ready) {
            self.send(id, now());
        }
    }

    fn keep_to_schedule(&mut self) {
        for _ in 0..AT_MOST {
            let now = now();
            match self.schedule.peek() {
                Some(&Reverse((due, id))) if due <= now => {
                    self.schedule.pop();
                    self.send(id, now);
                }
                _ => return,
            }
        }
    }

    fn send(&mut self, id: usize, now: u64) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let Some(progress) = &mut client.progress else { return };
        let stream = &mut self.streams[progress.stream];
        let piece = &mut stream.pieces[progress.next];
        progress.next += 1;
        if let Mode::Paced(interval) = stream.mode {
            self.report.is_late(now - progress.due);
            progress.due += interval;
        }
        match client.send(piece, now, &mut self.report) {
            Ok(true) => self.enqueue(id),
            Ok(false) => {} // goes on when the socket is writable
            Err(_) => self.drop(id),
        }
    }

    fn drop(&mut self, id: usize) {
        if let Some(client) = self.clients.remove(&id) {
            // An idle response is meant to be left.
            let waits = |progress: Progress| self.streams[progress.stream].mode == Mode::Idle;
            self.report.dropped += u64::from(client.progress.is_some_and(|progress| !waits(progress)));
        }
    }
}

/// A message for each line of standard input; the channel ends with it.
fn lines_of_input(waker: Waker) -> Receiver<()> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for _ in io::stdin().lines().map_while(Result::ok) {
            if sender.send(()).is_err() || waker.wake().is_err() {
                return;
            }
        }
        drop(sender);
        let _ = waker.wake();
    });
    receiver
}
