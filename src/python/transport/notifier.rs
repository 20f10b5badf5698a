//! What wakes an event loop.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::net::notifier;

#[pyclass(module = "eugpt_fast._core", frozen)]
pub struct Notifier(pub Arc<notifier::Notifier>);

#[pymethods]
impl Notifier {
    #[new]
    fn new() -> PyResult<Self> {
        Ok(Self(Arc::new(notifier::Notifier::new()?)))
    }

    #[cfg(unix)]
    fn fileno(&self) -> i32 {
        std::os::fd::AsRawFd::as_raw_fd(self.0.ear())
    }

    #[cfg(windows)]
    fn fileno(&self) -> u64 {
        std::os::windows::io::AsRawSocket::as_raw_socket(self.0.ear())
    }

    fn take(&self) -> Vec<u64> {
        self.0.take()
    }
}
