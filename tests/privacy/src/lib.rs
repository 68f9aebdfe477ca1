//! Marked secrets, requests and responses that carry them, and the search for them in everything that comes out.
//!
//! No content of prompts or answers, no credential and no name of a user may come out of a process that is measured. The
//! tests put secrets wherever content or a credential can stand ([`Exchange`]), in every protocol, and search
//! ([`Search`]) records, exports, logs, texts of errors and `Debug` texts for them. What may come out, and why, is the list
//! `allowed` of `secrets.json`, and nothing else is. The tests of the Python and the Node package read the same two files.

mod exchange;
mod frames;
mod search;
mod secrets;

pub use crate::{
    exchange::{Exchange, exchanges},
    search::{Leak, Output, Search},
    secrets::Secrets,
};
