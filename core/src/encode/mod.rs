//! The serialized forms of records, events and calls in flight.
//!
//! JSON is for people and other tools, the compact form for machines: a version byte, then postcard. The layout is described
//! in the wire-format page of this crate, `docs/wire-format.md`.

use alloc::{format, string::String, vec::Vec};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::{Error, ErrorKind},
    event::TimedEvent,
    limits::WIRE_BYTES,
    record::Record,
};

/// Version of the compact form that this release writes and reads.
pub const WIRE_VERSION: u8 = 1;

impl Record {
    /// Writes the record as JSON, without absent values.
    pub fn to_json(&self) -> String {
        // Nothing in a record can fail to serialize: keys are strings, and floats are finite.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a record from JSON; unknown keys are ignored.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRecord`] for text that is no record, [`ErrorKind::TooLarge`] above 64 MiB.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        if text.len() > WIRE_BYTES {
            return Err(too_large());
        }
        serde_json::from_str(text).map_err(|error| Error::new(ErrorKind::InvalidRecord, format!("{error}")))
    }

    /// Writes the compact form.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRecord`] if a list is too long for the format; not for records of this engine.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        to_versioned(self).map_err(|error| Error::new(ErrorKind::InvalidRecord, format!("{error}")))
    }

    /// Reads the compact form.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedVersion`] for another version, [`ErrorKind::InvalidRecord`] for bytes that are no record,
    /// [`ErrorKind::TooLarge`] above 64 MiB.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        from_versioned(bytes, ErrorKind::InvalidRecord)
    }
}

/// Writes a log in the compact form.
///
/// # Errors
/// [`ErrorKind::InvalidEvent`] if an event is too long for the format.
pub fn events_to_bytes(events: &[TimedEvent]) -> Result<Vec<u8>, Error> {
    to_versioned(&events).map_err(|error| Error::new(ErrorKind::InvalidEvent, format!("{error}")))
}

/// Reads a log in the compact form.
///
/// # Errors
/// [`ErrorKind::UnsupportedVersion`] for another version, [`ErrorKind::InvalidEvent`] for bytes that are no log,
/// [`ErrorKind::TooLarge`] above 64 MiB.
pub fn events_from_bytes(bytes: &[u8]) -> Result<Vec<TimedEvent>, Error> {
    from_versioned(bytes, ErrorKind::InvalidEvent)
}

pub(crate) fn to_versioned<T: Serialize>(value: &T) -> postcard::Result<Vec<u8>> {
    postcard::to_extend(value, alloc::vec![WIRE_VERSION])
}

pub(crate) fn from_versioned<T: DeserializeOwned>(bytes: &[u8], invalid: ErrorKind) -> Result<T, Error> {
    if bytes.len() > WIRE_BYTES {
        return Err(too_large());
    }
    let (version, body) = bytes.split_first().ok_or_else(|| Error::new(invalid, "no bytes"))?;
    if *version != WIRE_VERSION {
        return Err(Error::new(ErrorKind::UnsupportedVersion, format!("{version}, this release reads {WIRE_VERSION}")));
    }
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(Error::new(invalid, format!("{} bytes left over", rest.len()))),
        Err(error) => Err(Error::new(invalid, format!("{error}"))),
    }
}

fn too_large() -> Error {
    Error::new(ErrorKind::TooLarge, "more than 64 MiB")
}
