//! Many threads share one recorder, and threads may share one call.

mod support;

use std::{collections::BTreeSet, thread};

use llmspan::{Attempt, Call, Chunk, ContentKind, Memory, Phase, Recorder};
use support::{bench, start};

#[test]
fn every_call_gives_one_record() {
    let records = Memory::default();
    let recorder = Recorder::new(records.clone());
    thread::scope(|scope| {
        for _ in 0..8 {
            let recorder = recorder.clone();
            scope.spawn(move || {
                for _ in 0..100 {
                    let call = recorder.call(start());
                    let attempt = call.attempt();
                    attempt.chunk(&Chunk::of(ContentKind::Text));
                    call.end();
                }
            });
        }
    });

    let records = records.records();
    assert_eq!(records.len(), 800);
    let ids: BTreeSet<_> = records.iter().map(|record| record.call.as_str()).collect();
    assert_eq!(ids.len(), 800);
    assert_eq!((recorder.stats().records, recorder.stats().open_calls), (800, 0));
}

#[test]
fn threads_may_share_a_call() {
    let bench = bench();
    let call = bench.recorder.call(start());
    let attempt = call.attempt();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..100 {
                    attempt.chunk(&Chunk::of(ContentKind::Text));
                }
            });
        }
    });
    call.end();
    let record = bench.only_record();
    assert_eq!(record.content.unwrap().visible_chunks, 800);
    assert_eq!(record.diagnostics.clock_regressions, 0);
}

#[test]
fn handles_may_cross_threads() {
    fn is_shareable<T: Send + Sync + 'static>() {}
    is_shareable::<Recorder>();
    is_shareable::<Call>();
    is_shareable::<Attempt>();
    is_shareable::<Phase>();
}
