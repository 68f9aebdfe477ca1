//! Calls in flight as bytes.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use super::call::{Call, Open, State};
use crate::{
    config::Config,
    encode,
    error::{Error, ErrorKind},
};

impl Call {
    /// Writes the call in flight, so that [`Call::resume`] can go on with it elsewhere. `None` once the call has ended.
    ///
    /// The configuration is not part of it. Between two events of a response it holds no content; of an event that has come in
    /// part it has to hold that part, so that a snapshot taken then is to be kept like the response itself.
    pub fn snapshot(&self) -> Option<Vec<u8>> {
        match &self.state {
            State::Open(open) => encode::to_versioned(&**open).ok(),
            State::Ended(_) => None,
        }
    }

    /// Goes on with a call from its snapshot. Events that follow need times of the same clock.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedVersion`] for a snapshot of another version, [`ErrorKind::InvalidSnapshot`] for bytes that
    /// are none.
    pub fn resume(config: Arc<Config>, snapshot: &[u8]) -> Result<Self, Error> {
        let mut open: Open = encode::from_versioned(snapshot, ErrorKind::InvalidSnapshot)?;
        open.machine.set_config(config);
        Ok(Self { state: State::Open(Box::new(open)) })
    }
}
