//! The connections of one transport.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::exchange::{Exchange, seconds};
use crate::http1::RequestHead;
use crate::net::client::{Client, Request, Timeouts};
use crate::net::connect::{Connector, Route};
use crate::net::pool::Limits;
use crate::net::{Patience, exchange};

#[pyclass(module = "eugpt_fast._core", frozen)]
pub struct HttpClient {
    client: Client,
    buffer_size: usize,
}

/// Name and value as Python holds them.
type RawField = (Vec<u8>, Vec<u8>);

#[pymethods]
impl HttpClient {
    #[new]
    #[pyo3(signature = (*, max_connections, max_keepalive, keepalive_expiry, retries, buffer_size))]
    fn new(
        max_connections: Option<usize>,
        max_keepalive: Option<usize>,
        keepalive_expiry: Option<f64>,
        retries: u32,
        buffer_size: usize,
    ) -> PyResult<Self> {
        let limits = Limits {
            connections: max_connections.unwrap_or(usize::MAX),
            idle: max_keepalive.unwrap_or(usize::MAX),
            expiry: keepalive_expiry.map(seconds).transpose()?,
        };
        Ok(Self { client: Client::new(Connector, limits, retries), buffer_size })
    }

    /// Starts an exchange. `body` is its first piece, and whether more follow.
    fn send(
        &self,
        route: (bool, String, u16),
        head: (Vec<u8>, Vec<u8>, Vec<RawField>),
        body: (Bound<'_, PyBytes>, bool),
        timeouts: [Option<f64>; 4],
    ) -> PyResult<Exchange> {
        let (https, host, port) = route;
        let (method, target, fields) = head;
        let (piece, more_follows) = body;
        let exchange = exchange::Exchange::new(self.buffer_size, piece.as_bytes().to_vec(), more_follows);
        let exchange = Arc::new(exchange);
        let request = Request {
            route: Route { https, host, port, sni: None },
            head: RequestHead { method, target, fields },
            timeouts: timeouts_of(timeouts)?,
        };
        self.client.send(request, &exchange);
        Ok(Exchange(exchange))
    }

    fn close(&self) {
        self.client.close();
    }
}

fn timeouts_of([connect, read, write, pool]: [Option<f64>; 4]) -> PyResult<Timeouts> {
    let duration = |number: Option<f64>| -> PyResult<Option<Duration>> { number.map(seconds).transpose() };
    Ok(Timeouts {
        pool: duration(pool)?,
        connect: duration(connect)?,
        patience: Patience { read: duration(read)?, write: duration(write)? },
    })
}
