//! Spans that other libraries wrote.

use llmspan_core::spans;
use pyo3::{
    prelude::*,
    pybacked::PyBackedStr,
    types::{PyDict, PyMapping},
};

/// The attributes of a call, a dict, that may be added to a span of another library for it with those that it has.
#[pyfunction]
pub(crate) fn missing_attributes<'py>(
    call: &Bound<'py, PyDict>,
    known: &Bound<'py, PyMapping>,
) -> PyResult<Bound<'py, PyDict>> {
    let missing = PyDict::new(call.py());
    for (name, value) in call {
        if spans::may_join(&name.extract::<PyBackedStr>()?) && !known.contains(&name)? {
            missing.set_item(name, value)?;
        }
    }
    Ok(missing)
}

/// Whether the attributes of a span, a mapping, say that it stands for one request to a model.
#[pyfunction]
pub(crate) fn is_model_call(attributes: &Bound<'_, PyMapping>) -> bool {
    spans::is_model_call(|name| attributes.get_item(name).ok()?.extract::<PyBackedStr>().ok())
}
