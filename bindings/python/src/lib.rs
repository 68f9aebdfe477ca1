//! The extension module `llmspan._llmspan`: it converts, owns and raises. What an event means is the business of the core,
//! and what is idiomatic in Python that of the package around it.
//!
//! - [`value`] reads Python objects in place, for provider events and for the fields of events alike.
//! - [`recorder`] has what calls share: configuration, clocks, and where records go.
//! - [`call`] takes events; [`record`] shows what came out of them.
//! - [`wire`] serves hooks around HTTP clients.
//! - [`export`] and [`metrics`] write records for others, [`view`] for people; [`foreign`] knows what others write.
//!
//! No lock is held while Python code runs: that code may give the interpreter to a thread which waits for the lock.

mod call;
mod error;
mod export;
mod foreign;
mod metrics;
mod record;
mod recorder;
mod value;
mod view;
mod wire;

#[pyo3::pymodule(gil_used = false)]
mod _llmspan {
    use llmspan_core::{metrics::MetricNames, names::Profile, provider::Protocol};
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::{
        call::{Attempt, Call, Exchange},
        export::{ChromeTraceLog, chrome_trace, detect, otlp_traces, read_headers, replay, spans},
        foreign::{is_model_call, missing_attributes},
        metrics::{Metrics, instruments, measurements},
        record::{Part, Record},
        recorder::Recorder,
        view::{Replay, Sketch, readable, waterfall_legend, waterfall_page},
        wire::{Correlator, ModelRequest, detect_event, is_event, read_request, request_body_limit},
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let protocols: Vec<_> = Protocol::ALL.iter().map(|protocol| protocol.as_str()).collect();
        let profiles: Vec<_> = Profile::all().iter().map(Profile::name).collect();
        let metric_profiles: Vec<_> = MetricNames::all().iter().map(MetricNames::profile).collect();
        let py = module.py();
        Record::add_properties(&py.get_type::<Record>())?;
        module.add("PROTOCOLS", pyo3::types::PyTuple::new(py, protocols)?)?;
        module.add("PROFILES", pyo3::types::PyTuple::new(py, profiles)?)?;
        module.add("METRIC_PROFILES", pyo3::types::PyTuple::new(py, metric_profiles)?)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
