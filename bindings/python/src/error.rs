//! Errors of the core as exceptions of the package.

use llmspan_core::error::{Error, ErrorKind};
use pyo3::{prelude::*, sync::PyOnceLock, types::PyModule};

/// The exception for an error: the class of its kind in `llmspan.errors`, with the message and the stable code.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(crate) fn raise(py: Python<'_>, error: Error) -> PyErr {
    let class = match error.kind() {
        ErrorKind::InvalidConfig => "InvalidConfigError",
        ErrorKind::InvalidEvent => "InvalidEventError",
        ErrorKind::InvalidRecord => "InvalidRecordError",
        ErrorKind::InvalidSnapshot => "InvalidSnapshotError",
        ErrorKind::TooLarge => "TooLargeError",
        ErrorKind::UnknownCall => "UnknownCallError",
        ErrorKind::UnknownProfile => "UnknownProfileError",
        ErrorKind::UnknownProtocol => "UnknownProtocolError",
        ErrorKind::UnsupportedVersion => "UnsupportedVersionError",
        // A kind that is younger than this shim.
        _ => "Error",
    };
    let exception = || errors(py)?.getattr(class)?.call1((error.to_string(), error.code()));
    match exception() {
        Ok(exception) => PyErr::from_value(exception),
        Err(unusable) => unusable,
    }
}

fn errors(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static ERRORS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    Ok(ERRORS.get_or_try_init(py, || py.import("llmspan.errors").map(Bound::unbind))?.bind(py))
}
