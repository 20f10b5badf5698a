//! The connections of one transport.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::exchange::{Exchange, seconds};
use tokio_rustls::rustls::client::ClientConfig;

use crate::http1::RequestHead;
use crate::net::Patience;
use crate::net::client::{Client, Request, Timeouts};
use crate::net::connect::{Connector, Route};
use crate::net::pool::Limits;
use crate::net::proxy::Proxy;
use crate::net::tls::{TlsOptions, client_config};

#[pyclass(module = "eugpt_fast._core", frozen)]
pub struct HttpClient(Client);

/// Name and value as Python holds them.
type RawField = (Vec<u8>, Vec<u8>);

/// Trusted roots (None: any certificate will do), whether host names are checked, and our own chain and key.
type Tls = (Option<Vec<u8>>, bool, Option<(Vec<u8>, Vec<u8>)>);

#[derive(FromPyObject)]
enum ProxyGiven {
    /// Whether it is spoken to over TLS, host, port and the value of `Proxy-Authorization`.
    Http(bool, String, u16, Option<String>),
    /// Host, port, and user name with password.
    Socks5(String, u16, Option<(String, String)>),
}

#[pymethods]
impl HttpClient {
    #[new]
    #[pyo3(signature = (*, tls, versions, uds, local_address, limits, retries, buffer_size))]
    fn new(
        tls: (Tls, Tls),
        versions: (bool, bool),
        uds: Option<PathBuf>,
        local_address: Option<IpAddr>,
        limits: (Option<usize>, Option<usize>, Option<f64>),
        retries: u32,
        buffer_size: usize,
    ) -> PyResult<Self> {
        let connector = Connector {
            tls: tls_config(tls.0)?,
            proxy_tls: tls_config(tls.1)?,
            #[cfg(unix)]
            uds,
            local_address,
            http1: versions.0,
            http2: versions.1,
        };
        let (connections, idle, expiry) = limits;
        let limits = Limits {
            connections: connections.unwrap_or(usize::MAX),
            idle: idle.unwrap_or(usize::MAX),
            expiry: expiry.map(seconds).transpose()?,
        };
        Ok(Self(Client::new(connector, limits, retries, buffer_size)))
    }

    /// Starts an exchange. `body` is its first piece, and whether more follow.
    fn send(
        &self,
        route: (bool, String, u16, Option<String>, Option<ProxyGiven>),
        head: (Vec<u8>, Vec<u8>, Vec<RawField>),
        body: (Bound<'_, PyBytes>, bool),
        timeouts: [Option<f64>; 4],
    ) -> PyResult<Exchange> {
        let (https, host, port, sni, proxy) = route;
        let proxy = proxy.map(|given| match given {
            ProxyGiven::Http(https, host, port, authorization) => Proxy::Http { https, host, port, authorization },
            ProxyGiven::Socks5(host, port, auth) => Proxy::Socks5 { host, port, auth },
        });
        let (method, target, fields) = head;
        let (piece, more_follows) = body;
        let exchange = self.0.exchange(piece.as_bytes().to_vec(), more_follows);
        let request = Request {
            route: Route { https, host, port, sni, proxy },
            head: RequestHead { method, target, fields },
            timeouts: timeouts_of(timeouts)?,
        };
        self.0.send(request, &exchange);
        Ok(Exchange(exchange))
    }

    fn close(&self) {
        self.0.close();
    }
}

fn tls_config((roots, check_hostname, identity): Tls) -> PyResult<Arc<ClientConfig>> {
    let verify = roots.is_some();
    let options = TlsOptions { roots: roots.unwrap_or_default(), verify, check_hostname, identity };
    client_config(&options).map_err(PyValueError::new_err)
}

fn timeouts_of([connect, read, write, pool]: [Option<f64>; 4]) -> PyResult<Timeouts> {
    let duration = |number: Option<f64>| -> PyResult<Option<Duration>> { number.map(seconds).transpose() };
    Ok(Timeouts {
        pool: duration(pool)?,
        connect: duration(connect)?,
        patience: Patience { read: duration(read)?, write: duration(write)? },
    })
}
