//! A reader of the Trace Event Format that takes nothing but what the format allows, and closes slices as Perfetto's trace
//! processor does.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// A trace as a viewer would show it.
#[derive(Default)]
pub(crate) struct Trace {
    pub(crate) slices: Vec<Drawn>,
    pub(crate) instants: Vec<Drawn>,
    /// Names by id.
    pub(crate) tracks: BTreeMap<u64, String>,
    pub(crate) processes: BTreeMap<u64, String>,
}

/// A slice or an instant; times in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) process: u64,
    pub(crate) track: u64,
    pub(crate) start: u64,
    pub(crate) length: u64,
    /// Name of the slice around it on its track.
    pub(crate) parent: Option<String>,
    pub(crate) args: Value,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow, rename = "traceEvents")]
    trace_events: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    name: String,
    ph: String,
    cat: Option<String>,
    #[serde(borrow)]
    ts: Option<&'a RawValue>,
    #[serde(borrow)]
    dur: Option<&'a RawValue>,
    s: Option<String>,
    pid: u64,
    tid: Option<u64>,
    args: Value,
}

impl Trace {
    /// The only slice of a name.
    pub(crate) fn slice(&self, name: &str) -> &Drawn {
        let mut found = self.slices.iter().filter(|slice| slice.name == name);
        let slice = found.next().unwrap_or_else(|| panic!("no slice `{name}`"));
        assert!(found.next().is_none(), "two slices `{name}`");
        slice
    }

    /// Reads a file; panics where it is not what the format allows, or where a viewer would drop a slice.
    pub(crate) fn read(file: &str) -> Self {
        let events: Vec<&RawValue> = if file.starts_with('{') {
            serde_json::from_str::<Object<'_>>(file).unwrap().trace_events
        } else {
            serde_json::from_str(file).unwrap()
        };
        let mut trace = Self::default();
        for event in events {
            trace.event(serde_json::from_str(event.get()).unwrap());
        }
        for drawn in trace.slices.iter().chain(&trace.instants) {
            assert!(trace.tracks.contains_key(&drawn.track), "track {} has a name", drawn.track);
            assert!(trace.processes.contains_key(&drawn.process), "process {} has a name", drawn.process);
        }
        // Slices of one start come in the order of the file, or the longest first: both must give a tree.
        let parents = trace.nest(|slice| (slice.start, 0));
        trace.nest(|slice| (slice.start, u64::MAX - slice.length));
        for (slice, parent) in trace.slices.iter_mut().zip(parents) {
            slice.parent = parent;
        }
        trace
    }

    fn event(&mut self, fields: Fields<'_>) {
        let Fields { name, ph, cat, ts, dur, s, pid, tid, args } = fields;
        assert!(args.is_object());
        if ph == "M" {
            assert!(cat.is_none() && ts.is_none() && dur.is_none() && s.is_none());
            match (name.as_str(), tid) {
                ("process_name", None) => {
                    assert!(self.processes.insert(pid, args["name"].as_str().unwrap().into()).is_none());
                }
                ("thread_name", Some(tid)) => {
                    assert!(self.tracks.insert(tid, args["name"].as_str().unwrap().into()).is_none(), "ids are unique");
                }
                ("thread_sort_index", Some(_)) => assert!(args["sort_index"].is_u64()),
                other => panic!("unknown metadata {other:?}"),
            }
            return;
        }
        let drawn = Drawn {
            name,
            category: cat.unwrap(),
            process: pid,
            track: tid.unwrap(),
            start: nanos(ts.unwrap()),
            length: dur.map_or(0, nanos),
            parent: None,
            args,
        };
        match ph.as_str() {
            "X" => {
                assert!(dur.is_some() && s.is_none());
                self.slices.push(drawn);
            }
            "i" => {
                assert!(dur.is_none());
                assert_eq!(s.as_deref(), Some("t"));
                self.instants.push(drawn);
            }
            other => panic!("unknown phase {other}"),
        }
    }

    /// Opens and closes the slices of each track in an order of ties; gives the name of what is around each.
    fn nest(&self, key: fn(&Drawn) -> (u64, u64)) -> Vec<Option<String>> {
        let mut order: Vec<usize> = (0..self.slices.len()).collect();
        order.sort_by_key(|at| key(&self.slices[*at]));
        let mut parents = vec![None; self.slices.len()];
        let mut open: BTreeMap<(u64, u64), Vec<usize>> = BTreeMap::new();
        for at in order {
            let slice = &self.slices[at];
            let stack = open.entry((slice.process, slice.track)).or_default();
            let end = slice.start + slice.length;
            while let Some(top) = stack.last().map(|top| &self.slices[*top]) {
                let top_end = top.start + top.length;
                let is_over =
                    top_end < slice.start || (top_end == slice.start && !(top.length == 0 && slice.length == 0));
                if !is_over {
                    assert!(slice.start >= top_end || end <= top_end, "{} crosses the end of {}", slice.name, top.name);
                    break;
                }
                stack.pop();
            }
            parents[at] = stack.last().map(|top| self.slices[*top].name.clone());
            stack.push(at);
        }
        parents
    }
}

/// Microseconds with three decimals, digit by digit: a float would hide what is lost.
fn nanos(number: &RawValue) -> u64 {
    let (micros, rest) = number.get().split_once('.').expect("a fraction");
    assert!(rest.len() == 3 && rest.bytes().chain(micros.bytes()).all(|byte| byte.is_ascii_digit()), "{number}");
    assert!(micros == "0" || !micros.starts_with('0'), "JSON has no leading zeros");
    micros.parse::<u64>().unwrap() * 1_000 + rest.parse::<u64>().unwrap()
}
