//! The binding: thin classes over the core. See `_core.pyi` for the documentation that users read.

#[cfg(feature = "transport")]
mod ahead;
mod core;
mod delivery;
mod engine;
mod errors;
mod feed;
mod parser;
mod predict;
mod sink;
mod sse;
mod strings;
mod template;
#[cfg(feature = "transport")]
mod transport;
mod values;

use pyo3::prelude::*;

/// The native half of `eugpt_fast`.
#[pymodule]
mod _core {
    use pyo3::prelude::*;
    use pyo3::types::PyDict;

    #[pymodule_export]
    use super::parser::{Parser, ResponseParser};
    #[pymodule_export]
    use super::sse::{SSEParser, ServerSentEvent};
    #[cfg(feature = "transport")]
    #[pymodule_export]
    use super::transport::{Exchange, HttpClient, Notifier, TransportFailure, forked, leave};

    /// How this module was built.
    #[pyfunction]
    fn build_info(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let info = PyDict::new(py);
        info.set_item("version", env!("CARGO_PKG_VERSION"))?;
        info.set_item("profile", if cfg!(debug_assertions) { "debug" } else { "release" })?;
        info.set_item("panic", if cfg!(panic = "unwind") { "unwind" } else { "abort" })?;
        info.set_item("transport", if cfg!(feature = "transport") { "yes" } else { "no" })?;
        Ok(info)
    }
}
