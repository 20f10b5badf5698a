//! The one loop.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use crate::clock::{now, timespec};
use crate::connection::{Connection, Progress};
use crate::report::Report;
use crate::stream::{Mode, Stream};

/// The events of the poll that are no client's.
const LISTENER: u64 = u64::MAX;
const INPUT: u64 = u64::MAX - 1;

/// As many clients as may connect at once; the system allows 4,096 by default.
const BACKLOG: i32 = 4096;
/// How many paced events are written before the sockets are looked at again.
const AT_MOST: usize = 64;
/// The least that is slept, in nanoseconds: of many streams, several have an event due then.
const NAP: u64 = 200_000;
/// The golden ratio in 64 bits: its multiples spread evenly, however many there are.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The streams and their clients.
pub struct Server {
    streams: Vec<Stream>,
    /// Level-triggered: what was not dealt with is told again.
    poll: OwnedFd,
    listener: TcpListener,
    /// A client is known by its place, which nobody gets after it.
    clients: Vec<Option<Connection>>,
    /// Clients that get a piece in each turn.
    ready: Vec<usize>,
    /// When a client's next event is due. Clients that have left are skipped when their time comes.
    schedule: BinaryHeap<Reverse<(u64, usize)>>,
    report: Report,
}

impl Server {
    pub fn new(streams: Vec<Stream>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        rustix::net::listen(&listener, BACKLOG)?;
        let poll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&poll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        epoll::add(&poll, io::stdin(), EventData::new_u64(INPUT), EventFlags::IN)?;
        Ok(Self {
            streams,
            poll,
            listener,
            clients: Vec::new(),
            ready: Vec::new(),
            schedule: BinaryHeap::new(),
            report: Report::new(),
        })
    }

    /// Serves until standard input ends.
    pub fn serve(mut self) -> io::Result<()> {
        println!("{}", self.listener.local_addr()?.port());
        let mut events: Vec<Event> = Vec::with_capacity(1024);
        loop {
            let patience = self.patience().map(timespec);
            match epoll::wait(&self.poll, spare_capacity(&mut events), patience.as_ref()) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
                _ => {}
            }
            for event in events.drain(..) {
                match event.data.u64() {
                    LISTENER => self.accept()?,
                    INPUT if self.answer()? => {}
                    INPUT => return Ok(()),
                    client => self.attend(client as usize, event.flags),
                }
            }
            self.turn();
            self.keep_to_schedule();
        }
    }

    /// How long to wait: until the next event is due, or as long as it takes.
    fn patience(&self) -> Option<u64> {
        if !self.ready.is_empty() {
            return Some(0);
        }
        let now = now();
        self.schedule.peek().map(|&Reverse((due, _))| if due <= now { 0 } else { NAP.max(due - now) })
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error), // out of descriptors, for one: not something to measure with
            };
            socket.set_nonblocking(true)?;
            socket.set_nodelay(true)?;
            epoll::add(&self.poll, &socket, EventData::new_u64(self.clients.len() as u64), EventFlags::IN)?;
            self.clients.push(Some(Connection::new(socket)));
        }
    }

    /// Prints a report for each line of standard input; false if that has ended.
    fn answer(&mut self) -> io::Result<bool> {
        let mut input = [0; 64];
        let size = rustix::io::read(io::stdin(), &mut input)?;
        for _ in input[..size].iter().filter(|&&byte| byte == b'\n') {
            let connections = self.clients.iter().flatten().count();
            writeln!(io::stdout(), "{}", self.report.taken(connections))?;
        }
        Ok(size > 0)
    }

    /// Something has happened to a client.
    fn attend(&mut self, id: usize, happened: EventFlags) {
        let Some(client) = &mut self.clients[id] else { return };
        if happened.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            if !client.receive() {
                return self.drop(id);
            }
            if client.progress.is_none() {
                self.begin(id);
            }
        } else {
            self.resume(id);
        }
    }

    /// The socket of a client has room again.
    fn resume(&mut self, id: usize) {
        let Some(client) = &mut self.clients[id] else { return };
        match client.flush(&mut self.report) {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => return self.drop(id),
        }
        // The schedule goes on from here: it was the client who was late.
        if let Some(progress) = &mut client.progress {
            progress.due = progress.due.max(now());
        }
        self.watch(id, EventFlags::IN);
        self.enqueue(id);
    }

    fn watch(&mut self, id: usize, events: EventFlags) {
        let Some(client) = &self.clients[id] else { return };
        if epoll::modify(&self.poll, &client.socket, EventData::new_u64(id as u64), events).is_err() {
            self.drop(id);
        }
    }

    /// Begins to answer, if a request has come whole.
    fn begin(&mut self, id: usize) {
        let Some(client) = &mut self.clients[id] else { return };
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
        let Some(client) = &mut self.clients[id] else { return };
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

    /// Writes what is due; what is late catches up.
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
        let Some(client) = &mut self.clients[id] else { return };
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
            // Requests are not read meanwhile: there is an answer to send first.
            Ok(false) => self.watch(id, EventFlags::OUT),
            Err(_) => self.drop(id),
        }
    }

    fn drop(&mut self, id: usize) {
        if let Some(client) = self.clients[id].take() {
            // An idle response is meant to be left.
            let waits = |progress: Progress| self.streams[progress.stream].mode == Mode::Idle;
            self.report.dropped += u64::from(client.progress.is_some_and(|progress| !waits(progress)));
        }
    }
}
