//! One connection: requests come in, pieces go out.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use crate::report::Report;
use crate::stream::Piece;

/// Where the response stands.
#[derive(Clone, Copy)]
pub struct Progress {
    /// Which of the streams is sent.
    pub stream: usize,
    /// Which piece is next.
    pub next: usize,
    /// When it is due, if it is paced.
    pub due: u64,
}

/// A client.
pub struct Connection {
    pub socket: TcpStream,
    /// None between a response and the next request.
    pub progress: Option<Progress>,
    received: Vec<u8>,
    /// The rest of a piece that the socket did not take whole.
    unsent: Vec<u8>,
    sent: usize,
}

impl Connection {
    pub fn new(socket: TcpStream) -> Self {
        Self { socket, progress: None, received: Vec::new(), unsent: Vec::new(), sent: 0 }
    }

    /// Reads what has come; false if the client has left.
    pub fn receive(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.socket.read(&mut buffer) {
            Ok(size) => {
                self.received.extend_from_slice(&buffer[..size]);
                size > 0
            }
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
    }

    /// The first segment of the path of the next request, if all of it is there: taken, and with it the body.
    pub fn request(&mut self) -> Option<String> {
        let end = 4 + self.received.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&self.received[..end]).into_owned();
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse().ok())
            .unwrap_or(0);
        if self.received.len() < end + length {
            return None;
        }
        self.received.drain(..end + length);
        Some(head.split('/').nth(1).unwrap_or_default().split(' ').next().unwrap_or_default().to_owned())
    }

    /// Writes what is left of the last piece; false if the socket is full.
    pub fn flush(&mut self, report: &mut Report) -> io::Result<bool> {
        while self.sent < self.unsent.len() {
            match self.socket.write(&self.unsent[self.sent..]) {
                Ok(size) => {
                    self.sent += size;
                    report.bytes += size as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        self.unsent.clear();
        self.sent = 0;
        Ok(true)
    }

    /// Writes a piece, if what was before it is gone; false if the socket did not take it whole.
    pub fn send(&mut self, piece: &mut Piece, now: u64, report: &mut Report) -> io::Result<bool> {
        report.events += piece.events;
        let bytes = piece.stamped(now);
        let size = match self.socket.write(bytes) {
            Ok(size) => size,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            Err(error) => return Err(error),
        };
        report.bytes += size as u64;
        if size == bytes.len() {
            return Ok(true);
        }
        report.blocked += 1;
        self.unsent.extend_from_slice(&bytes[size..]);
        self.flush(report)
    }
}
