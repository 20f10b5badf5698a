//! A response, made in advance.

use std::{fs, io};

use crate::clock::SECOND;

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";
const END: &[u8] = b"0\r\n\r\n";
const HEAD_OF_JSON: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";
const PLACE_OF_TIME: [u8; 19] = [b'0'; 19];

/// How the events leave.
#[derive(Clone, Copy, PartialEq)]
pub enum Mode {
    Burst,
    Each,
    /// One event per so many nanoseconds.
    Paced(u64),
    Idle,
    /// No stream: the file as it is.
    Whole,
}

/// What leaves in one write, if the socket takes it.
pub struct Piece {
    bytes: Vec<u8>,
    place_of_time: Option<usize>,
    /// How many events it has.
    pub events: u64,
}

impl Piece {
    /// The bytes, with the time in its place.
    pub fn stamped(&mut self, now: u64) -> &[u8] {
        if let Some(at) = self.place_of_time {
            let mut rest = now;
            for digit in self.bytes[at..at + PLACE_OF_TIME.len()].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        &self.bytes
    }
}

/// A response and its name.
pub struct Stream {
    pub name: String,
    pub mode: Mode,
    pub pieces: Vec<Piece>,
}

impl Stream {
    /// Reads an argument `NAME=MODE:FILE` and the file.
    pub fn read(argument: &str) -> io::Result<Self> {
        let wrong = || io::Error::other(format!("not NAME=burst|each|paced@N|idle|whole:FILE: {argument}"));
        let (name, rest) = argument.split_once('=').ok_or_else(wrong)?;
        let (mode, file) = rest.split_once(':').ok_or_else(wrong)?;
        let mode = match mode.split_once('@') {
            None if mode == "burst" => Mode::Burst,
            None if mode == "each" => Mode::Each,
            None if mode == "idle" => Mode::Idle,
            None if mode == "whole" => Mode::Whole,
            Some(("paced", rate)) => match rate.parse::<u64>() {
                Ok(rate @ 1..=SECOND) => Mode::Paced(SECOND / rate),
                _ => return Err(wrong()),
            },
            _ => return Err(wrong()),
        };
        let body = fs::read(file)?;
        if mode == Mode::Whole {
            let head = format!("{HEAD_OF_JSON}{}\r\n\r\n", body.len());
            let bytes = [head.as_bytes(), &body].concat();
            return Ok(Self {
                name: name.to_owned(),
                mode,
                pieces: vec![Piece { bytes, place_of_time: None, events: 1 }],
            });
        }
        let events = events(&body);
        if events.is_empty() {
            return Err(io::Error::other(format!("no event in {file}")));
        }
        Ok(Self { name: name.to_owned(), mode, pieces: pieces(&events, mode) })
    }
}

/// The events of a body, each with the blank line that ends it.
fn events(body: &[u8]) -> Vec<&[u8]> {
    let mut events = Vec::new();
    let mut rest = body;
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\n\n") {
        let (event, behind) = rest.split_at(end + 2);
        events.push(event);
        rest = behind;
    }
    events
}

fn pieces(events: &[&[u8]], mode: Mode) -> Vec<Piece> {
    let mut chunks: Vec<Vec<u8>> =
        events.iter().map(|event| [format!("{:x}\r\n", event.len()).as_bytes(), event, b"\r\n"].concat()).collect();
    // The head leaves with the first event and the end with the last: no write is without an event.
    chunks[0].splice(0..0, HEAD.iter().copied());
    match mode {
        Mode::Idle => chunks.truncate(1),
        _ => chunks.last_mut().expect("not empty").extend_from_slice(END),
    }
    if mode == Mode::Burst {
        return vec![Piece { bytes: chunks.concat(), place_of_time: None, events: chunks.len() as u64 }];
    }
    let place = |bytes: &[u8]| bytes.windows(PLACE_OF_TIME.len()).position(|window| window == PLACE_OF_TIME);
    chunks.into_iter().map(|bytes| Piece { place_of_time: place(&bytes), bytes, events: 1 }).collect()
}
