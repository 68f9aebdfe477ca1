//! Why a record looks as it does, in sentences for people.
//!
//! [`Record::explain`](crate::record::Record::explain) says in one line where the time of a call went, and adds a line
//! for everything that went wrong, for every value that a reader would look for and does not find, and for every fact
//! that is out of the ordinary. Each line carries a [`Topic`] with a stable code; the sentences themselves may change
//! from release to release.

mod absent;
mod ending;
mod explanation;
mod facts;
mod oddities;
mod say;
mod summary;
mod text;

pub use explanation::{Explanation, Topic};
pub(crate) use say::{Value, also, said, say};
pub(crate) use text::grouped_rate;
pub use text::readable;

#[cfg(test)]
mod tests;
