//! A sink that panics costs nobody anything but its own record.

mod support;

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use llmspan::{Callback, Memory, Outcome, Recorder};
use support::start;

#[test]
fn the_host_and_the_other_sinks_go_on() {
    let records = Memory::default();
    let broken = Callback::new(|_| panic!("a bug of the sink"));
    let recorder = Recorder::builder().with_sink(broken).with_sink(records.clone()).build().unwrap();

    recorder.call(start()).end();
    recorder.call(start()).end();

    assert_eq!(records.records().len(), 2);
    assert_eq!((recorder.stats().records, recorder.stats().sink_panics), (2, 2));
}

#[test]
fn also_while_the_host_panics() {
    let records = Memory::default();
    let broken = Callback::new(|_| panic!("a bug of the sink"));
    let recorder = Recorder::builder().with_sink(broken).with_sink(records.clone()).build().unwrap();

    let result = catch_unwind(AssertUnwindSafe(|| {
        let _call = recorder.call(start());
        panic!("a bug of the application");
    }));

    assert!(result.is_err());
    assert_eq!(records.records()[0].outcome, Outcome::Abandoned);
}

#[test]
fn a_sink_may_open_calls_of_its_own() {
    let inner = Memory::default();
    let recorder = Recorder::new(inner.clone());
    let outer = Recorder::new(Callback::new({
        let recorder = recorder.clone();
        move |_| recorder.call(start()).end()
    }));
    outer.call(start()).end();
    assert_eq!(inner.records().len(), 1);
}
