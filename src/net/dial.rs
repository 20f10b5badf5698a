//! From a name to a TCP connection: look up, try the addresses, take the first that answers.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::error::{Failure, Kind};

/// How long one attempt is waited for before the next one starts beside it (RFC 8305, section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// A TCP connection to a host, from `local` if given. `ConnectError` if the name is unknown or no address answers.
pub async fn dial(host: &str, port: u16, local: Option<IpAddr>) -> Result<TcpStream, Failure> {
    let addresses = lookup_host((host, port))
        .await
        .map_err(|error| Kind::ConnectError.because(format_args!("name lookup of {host} failed: {error}")))?;
    first_of(addresses.collect(), local)
        .await
        .map_err(|error| Kind::ConnectError.because(format_args!("connection to {host}:{port} failed: {error}")))
}

/// The first of these addresses to accept a connection; else the error of the first tried, which is the preferred one.
///
/// Families alternate (RFC 8305, section 4), and an attempt that fails or is slow starts the next: a network whose
/// IPv6 is broken costs a quarter of a second, not a minute.
pub async fn first_of(addresses: Vec<SocketAddr>, local: Option<IpAddr>) -> io::Result<TcpStream> {
    let mut left = alternate(addresses, local).into_iter();
    let mut attempts = JoinSet::new(); // dropped, it ends those still under way
    let mut failed = None;
    loop {
        if let Some(address) = left.next() {
            attempts.spawn(attempt(address, local));
        }
        let ended = if left.len() == 0 {
            attempts.join_next().await
        } else {
            match timeout(ATTEMPT_DELAY, attempts.join_next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            }
        };
        match ended.map(|joined| joined.unwrap_or_else(|error| Err(io::Error::other(error)))) {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => failed = failed.or(Some(error)),
            None => return Err(failed.unwrap_or_else(|| io::Error::other("the name has no address of this family"))),
        }
    }
}

/// One from each family in turn, beginning with that of the first; with a local address, those that it can reach.
fn alternate(addresses: Vec<SocketAddr>, local: Option<IpAddr>) -> Vec<SocketAddr> {
    let reachable = addresses.into_iter().filter(|to| local.is_none_or(|from| from.is_ipv6() == to.is_ipv6()));
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for address in reachable {
        match first.first() {
            Some(leader) if SocketAddr::is_ipv6(leader) != address.is_ipv6() => second.push(address),
            _ => first.push(address),
        }
    }
    let mut second = second.into_iter();
    let mut order: Vec<_> = first.into_iter().flat_map(|address| [Some(address), second.next()]).flatten().collect();
    order.extend(second);
    order
}

async fn attempt(address: SocketAddr, local: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    if let Some(local) = local {
        socket.bind(SocketAddr::new(local, 0))?;
    }
    // Each request is written in one piece; Nagle's algorithm would only hold it back.
    socket.set_nodelay(true)?;
    socket.connect(address).await
}

#[cfg(test)]
mod tests {
    use super::alternate;

    #[test]
    fn families_take_turns_and_the_first_begins() {
        let addresses = |text: &str| text.split(' ').map(|address| address.parse().unwrap()).collect::<Vec<_>>();
        for (given, order) in [
            ("[::1]:1 [::2]:1 [::3]:1 1.0.0.1:1", "[::1]:1 1.0.0.1:1 [::2]:1 [::3]:1"),
            ("1.0.0.1:1 [::1]:1 [::2]:1 [::3]:1", "1.0.0.1:1 [::1]:1 [::2]:1 [::3]:1"),
            ("1.0.0.1:1 1.0.0.2:1 [::1]:1 [::2]:1", "1.0.0.1:1 [::1]:1 1.0.0.2:1 [::2]:1"),
        ] {
            assert_eq!(alternate(addresses(given), None), addresses(order));
        }
        let local = Some("1.0.0.9".parse().unwrap());
        assert_eq!(alternate(addresses("[::1]:1 1.0.0.1:1"), local), addresses("1.0.0.1:1"));
    }
}
