//! Records, and the parts of them.

use core::fmt;

use llmspan_core::{
    definitions,
    names::{self, Profile},
    record::{self, AttributeValue, Attributes, Shape, Value as _},
    waterfall,
};
use pyo3::{
    exceptions::PyAttributeError,
    prelude::*,
    sync::PyOnceLock,
    types::{PyCFunction, PyDict, PyInt, PyList, PyString, PyTuple, PyType},
};

use crate::{error::raise, view};

/// The finalized record of one call.
#[pyclass(frozen, eq, module = "llmspan._llmspan")]
pub(crate) struct Record {
    pub(crate) inner: record::Record,
    /// The record as dicts and lists, made when a value is first asked for.
    fields: PyOnceLock<Py<PyDict>>,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

#[pymethods]
impl Record {
    /// Reads a record from JSON.
    #[classmethod]
    fn from_json(class: &Bound<'_, PyType>, text: &str) -> PyResult<Self> {
        let inner = record::Record::from_json(text).map_err(|error| raise(class.py(), error))?;
        Ok(Self { inner, fields: PyOnceLock::new() })
    }

    /// The record as JSON, without absent values: the same text in every language.
    fn to_json(&self) -> String {
        self.inner.to_json()
    }

    /// The record as dicts and lists, without absent values.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &self.to_json())
    }

    /// Where the time went, what went wrong, and why values are absent, in lines for people.
    fn explain(&self) -> Vec<String> {
        self.inner.explain().into_iter().map(|line| line.text).collect()
    }

    /// The attributes of the call's span under the names of profiles; those of `otel-1.41` when none is named.
    #[pyo3(signature = (*profiles))]
    fn attributes<'py>(&self, py: Python<'py>, profiles: Vec<String>) -> PyResult<Bound<'py, PyDict>> {
        attributes_to_dict(py, &names::call_attributes(&self.inner, &profiles_of(py, profiles)?))
    }

    /// The attributes of the spans of the attempts, in their order.
    #[pyo3(signature = (*profiles))]
    fn attempt_attributes<'py>(&self, py: Python<'py>, profiles: Vec<String>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let attempts = names::attempt_attributes(&self.inner, &profiles_of(py, profiles)?);
        attempts.iter().map(|attributes| attributes_to_dict(py, attributes)).collect()
    }

    /// Where the time went, as the value of a `Server-Timing` header.
    fn server_timing(&self) -> String {
        self.inner.server_timing()
    }

    /// What other tools would report for the call, as dicts.
    fn definitions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &definitions::to_json(&self.inner.definitions()))
    }

    /// Attributes that the caller set on the call.
    #[getter]
    fn caller_attributes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        attributes_to_dict(py, &self.inner.attributes)
    }

    /// The call as a waterfall for a terminal.
    #[pyo3(signature = (width=100, *, color=false, ascii=false, title=None))]
    fn waterfall(&self, width: usize, color: bool, ascii: bool, title: Option<&str>) -> String {
        let style = view::style(width, color, ascii);
        waterfall::text(&self.inner, &title.map_or(style.clone(), |title| style.with_title(title)))
    }

    /// The call as a waterfall for a web page.
    #[pyo3(signature = (*, title=None))]
    fn waterfall_html(&self, title: Option<&str>) -> String {
        view::html(&self.inner, title)
    }

    /// What the waterfall shows, as dicts and lists.
    fn waterfall_data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &waterfall::json(&self.inner))
    }

    fn _repr_html_(&self) -> String {
        view::html(&self.inner, None)
    }

    fn __str__(&self) -> String {
        view::line(&self.inner)
    }

    fn __repr__(&self) -> String {
        let record::Record { call, outcome, model, duration_ns, .. } = &self.inner;
        let model = model.as_ref().map_or_else(String::new, |model| format!(" model={model:?}"));
        format!("<Record call={call:?} outcome={}{model} duration_ns={}>", outcome.as_str(), duration_ns.as_nanos())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().getattr("from_json")?, (slf.get().to_json(),)))
    }
}

impl Record {
    /// Adds a property for every field of a record to the class, but for names of its methods.
    pub(crate) fn add_properties(class: &Bound<'_, PyType>) -> PyResult<()> {
        let py = class.py();
        let property = py.import("builtins")?.getattr("property")?;
        for (name, _) in fields_of(record::Record::SHAPE) {
            if class.hasattr(*name)? {
                continue;
            }
            let getter = PyCFunction::new_closure(py, None, None, move |arguments, _| {
                let record = arguments.get_item(0)?;
                record.cast::<Self>()?.get().field(arguments.py(), name).map(Bound::unbind)
            })?;
            class.setattr(*name, property.call1((getter,))?)?;
        }
        Ok(())
    }

    fn field<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let fields = self.fields.get_or_try_init(py, || {
            let fields = self.to_dict(py)?;
            PyResult::Ok(fields.cast_into::<PyDict>()?.unbind())
        })?;
        field(fields.bind(py), record::Record::SHAPE, name)
    }

    pub(crate) fn wrap(py: Python<'_>, inner: record::Record) -> PyResult<Py<Self>> {
        Py::new(py, Self { inner, fields: PyOnceLock::new() })
    }
}

/// A part of a record, such as an attempt. A field that is absent is `None`, or an empty list.
#[pyclass(frozen, module = "llmspan._llmspan")]
#[derive(Debug)]
pub(crate) struct Part {
    fields: Py<PyDict>,
    shape: &'static Shape,
}

#[pymethods]
impl Part {
    /// The part as dicts and lists, without absent values.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("copy")?.call_method1("deepcopy", (&self.fields,))
    }

    fn __getattr__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        field(self.fields.bind(py), self.shape, name)
    }

    fn __dir__(slf: &Bound<'_, Self>) -> PyResult<Vec<String>> {
        let mut all: Vec<String> = slf.get_type().dir()?.extract()?;
        all.extend(fields_of(slf.get().shape).iter().map(|(name, _)| String::from(*name)));
        Ok(all)
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> PyResult<bool> {
        self.fields.bind(py).eq(&other.fields)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<Part {}>", self.fields.bind(py).repr()?))
    }
}

/// The value of a field: what has fields of its own becomes a part.
fn field<'py>(fields: &Bound<'py, PyDict>, shape: &'static Shape, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let py = fields.py();
    let Some((_, shape)) = fields_of(shape).iter().find(|(known, _)| *known == name) else {
        return Err(PyAttributeError::new_err(format!("there is no field `{name}` here")));
    };
    let value = fields.get_item(name)?;
    Ok(match (shape, value) {
        (Shape::List(of), value) => {
            let values = value.map_or_else(|| Ok(PyList::empty(py)), Bound::cast_into)?;
            let parts: PyResult<Vec<_>> = values.iter().map(|value| part(value, of)).collect();
            PyList::new(py, parts?)?.into_any()
        }
        // Integers that other languages cannot hold are text in JSON.
        (Shape::Scalar, Some(value)) if name.ends_with("_ns") && value.is_instance_of::<PyString>() => {
            py.get_type::<PyInt>().call1((value,))?
        }
        (Shape::Map, None) => PyDict::new(py).into_any(),
        (_, None) => py.None().into_bound(py),
        (shape, Some(value)) => part(value, shape)?,
    })
}

fn part<'py>(value: Bound<'py, PyAny>, shape: &'static Shape) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    Ok(match shape {
        Shape::Object(_) => Py::new(py, Part { fields: value.cast_into()?.unbind(), shape })?.into_bound(py).into_any(),
        Shape::Map => value.cast_into::<PyDict>()?.copy()?.into_any(),
        _ => value,
    })
}

/// Names and shapes of the fields of an object.
const fn fields_of(shape: &'static Shape) -> &'static [(&'static str, &'static Shape)] {
    match shape {
        Shape::Object(fields) => fields,
        _ => &[],
    }
}

/// Profiles by their names; the default one when none is named.
pub(crate) fn profiles_of(py: Python<'_>, names: Vec<String>) -> PyResult<Vec<&'static Profile>> {
    Profile::by_names(names).map_err(|error| raise(py, error))
}

pub(crate) fn attributes_to_dict<'py>(py: Python<'py>, attributes: &Attributes) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in attributes {
        match value {
            AttributeValue::Bool(value) => dict.set_item(name, value)?,
            AttributeValue::Int(value) => dict.set_item(name, value)?,
            AttributeValue::Float(value) => dict.set_item(name, value)?,
            AttributeValue::Str(value) => dict.set_item(name, value)?,
            AttributeValue::StrList(values) => dict.set_item(name, PyTuple::new(py, values)?)?,
            // A kind of value that is younger than this shim.
            _ => {}
        }
    }
    Ok(dict)
}

/// Reads JSON text into dicts and lists.
pub(crate) fn loads<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    LOADS.import(py, "json", "loads")?.call1((json,))
}
