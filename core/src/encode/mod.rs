//! The serialized forms of records, events and calls in flight.
//!
//! JSON is for people and other tools, the compact form for machines: a version byte, then postcard. The layout is described
//! in the wire-format page of this crate, `docs/wire-format.md`. The compact form is there with the feature `compact`.

#[cfg(feature = "compact")]
mod compact;

use alloc::string::String;

#[cfg(feature = "compact")]
pub use compact::{WIRE_VERSION, events_from_bytes, events_to_bytes};
#[cfg(feature = "compact")]
pub(crate) use compact::{from_versioned, to_versioned};

use crate::{
    error::{Error, ErrorKind},
    fields::{read_json, to_json},
    limits::WIRE_BYTES,
    record::Record,
};

impl Record {
    /// Writes the record as JSON, without absent values.
    pub fn to_json(&self) -> String {
        to_json(self)
    }

    /// Reads a record from JSON; unknown keys are ignored.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRecord`] for text that is no record, [`ErrorKind::TooLarge`] above 64 MiB.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        if text.len() > WIRE_BYTES {
            return Err(too_large());
        }
        let mut record = Self::default();
        read_json(&mut record, text, None)
            .map_err(|mismatch| Error::new(ErrorKind::InvalidRecord, mismatch.into_text()))?;
        Ok(record)
    }
}

fn too_large() -> Error {
    Error::new(ErrorKind::TooLarge, "more than 64 MiB")
}
