//! The compact form: a version byte, then postcard.

use alloc::{format, vec::Vec};

use serde::{Serialize, de::DeserializeOwned};

use super::too_large;
use crate::{
    error::{Error, ErrorKind},
    event::TimedEvent,
    limits::WIRE_BYTES,
    record::Record,
};

/// Version of the compact form that this release writes and reads.
pub const WIRE_VERSION: u8 = 1;

impl Record {
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
