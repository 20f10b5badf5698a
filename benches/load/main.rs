//! `load NAME=MODE:FILE ...` serves the server-sent events of files to very many HTTP/1.1 connections from one thread.
//!
//! It prints the port of 127.0.0.1 on which it listens. The first segment of a request's path names the stream; any
//! other path gets the first one. The response is chunked, each event a chunk of its own, and MODE says how it leaves:
//!
//! - `burst`: the whole body, in writes as large as the socket takes.
//! - `each`: every event in a `write(2)` of its own, as fast as the socket takes them, all connections in turns.
//! - `paced@N`: every event in a write of its own, N a second and connection, the phases of the connections spread.
//! - `idle`: the head and the first event, then silence.
//! - `whole`: no stream, but the file as JSON with its length.
//!
//! Where an event holds 19 zeros in a row, they become the time of its write: nanoseconds of `CLOCK_MONOTONIC`.
//! (Not in `burst`.) The writes of `paced` keep to their schedule, to 0.2 ms: who is late does not push back the next
//! ones.
//!
//! A line on standard input, a pipe or a terminal, asks for a report of the time since the last one: a line of JSON on
//! standard output. The end of standard input ends the process.

#[cfg(target_os = "linux")]
mod clock;
#[cfg(target_os = "linux")]
mod connection;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod server;
#[cfg(target_os = "linux")]
mod stream;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            std::process::ExitCode::from(2)
        }
    }
}

#[cfg(target_os = "linux")]
fn run(arguments: &[String]) -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    let streams = arguments.iter().map(|argument| stream::Stream::read(argument)).collect::<Result<Vec<_>, _>>()?;
    if streams.is_empty() {
        return Err(std::io::Error::other("usage: load NAME=burst|each|paced@N|idle|whole:FILE ..."));
    }
    server::Server::new(streams)?.serve()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("load: its poll is that of Linux");
}
