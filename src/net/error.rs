//! What goes wrong on the way to a server and back.

use std::fmt::{self, Display};

/// The kinds of failure, each named after the exception of httpx that it becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No connection within the time given.
    ConnectTimeout,
    /// Nothing arrived within the time given.
    ReadTimeout,
    /// Nothing could be sent within the time given.
    WriteTimeout,
    /// All connections were taken for the time given.
    PoolTimeout,
    /// No connection: name lookup, refusal, TLS handshake.
    ConnectError,
    /// The connection failed while an answer was awaited or read.
    ReadError,
    /// The connection failed while the request was sent.
    WriteError,
    /// The proxy refused, or did not answer as a proxy does.
    ProxyError,
    /// The URL asks for what this transport does not speak.
    UnsupportedProtocol,
    /// The request breaks the protocol.
    LocalProtocolError,
    /// The answer breaks the protocol.
    RemoteProtocolError,
}

impl Kind {
    /// The name of the exception.
    pub fn name(self) -> &'static str {
        match self {
            Self::ConnectTimeout => "ConnectTimeout",
            Self::ReadTimeout => "ReadTimeout",
            Self::WriteTimeout => "WriteTimeout",
            Self::PoolTimeout => "PoolTimeout",
            Self::ConnectError => "ConnectError",
            Self::ReadError => "ReadError",
            Self::WriteError => "WriteError",
            Self::ProxyError => "ProxyError",
            Self::UnsupportedProtocol => "UnsupportedProtocol",
            Self::LocalProtocolError => "LocalProtocolError",
            Self::RemoteProtocolError => "RemoteProtocolError",
        }
    }

    /// A failure of this kind. The message must not repeat what the request held: it may be secret.
    pub fn because(self, message: impl Display) -> Failure {
        Failure { kind: self, message: message.to_string() }
    }
}

/// One failure, ready to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure.
    pub kind: Kind,
    /// What happened, for people.
    pub message: String,
}

impl Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind.name(), self.message)
    }
}

impl std::error::Error for Failure {}
