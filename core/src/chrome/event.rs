//! The events of the Trace Event Format, one line each.

use alloc::string::String;
use core::fmt::{self, Write as _};

use super::{
    slices::{Kind, Slice},
    tracks::Process,
};
use crate::fields::write_string;

/// Writes a slice that starts `origin` nanoseconds after the zero of the trace.
pub(super) fn slice(out: &mut String, slice: &Slice, origin: u64, process: Process, track: u32) {
    let Slice { name, category, args, .. } = slice;
    let (pid, ts) = (process.id(), Micros(origin.saturating_add(slice.start)));
    out.push_str(r#"{"name":"#);
    write_string(out, name);
    let _ = write!(out, r#","cat":"llm,{category}","#);
    let _ = match slice.kind {
        Kind::Complete(length) => write!(out, r#""ph":"X","ts":{ts},"dur":{}"#, Micros(length)),
        Kind::Instant => write!(out, r#""ph":"i","s":"t","ts":{ts}"#),
    };
    let _ = write!(out, r#","pid":{pid},"tid":{track},"args":{args}}}"#);
}

/// Writes the name of a process.
pub(super) fn process_name(out: &mut String, process: Process) {
    let pid = process.id();
    let _ = write!(out, r#"{{"name":"process_name","ph":"M","pid":{pid},"args":{{"name":"#);
    write_string(out, process.name());
    out.push_str("}}");
}

/// Writes the name of a track.
pub(super) fn track_name(out: &mut String, process: Process, track: u32, name: &str) {
    let pid = process.id();
    let _ = write!(out, r#"{{"name":"thread_name","ph":"M","pid":{pid},"tid":{track},"args":{{"name":"#);
    write_string(out, name);
    out.push_str("}}");
}

/// Writes where a track is among the others.
pub(super) fn track_order(out: &mut String, process: Process, track: u32, order: usize) {
    let pid = process.id();
    let _ = write!(
        out,
        r#"{{"name":"thread_sort_index","ph":"M","pid":{pid},"tid":{track},"args":{{"sort_index":{order}}}}}"#
    );
}

/// Nanoseconds as microseconds with three decimals.
struct Micros(u64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / NANOS_PER_MICRO, self.0 % NANOS_PER_MICRO)
    }
}

const NANOS_PER_MICRO: u64 = 1_000;
