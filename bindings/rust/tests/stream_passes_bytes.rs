//! An observed stream gives the bytes it got, however they are split, and the record is the same.

mod support;

use llmspan::{Nanos, Outcome, Protocol};
use support::{Body, FINISH, bench, next, start, word};

#[test]
fn bytes_pass_unchanged_at_any_split() {
    let whole = format!("{}{}{FINISH}", word("naïve 🙂"), word(" indeed")).into_bytes();
    let mut expected = None;
    for split in 0..=whole.len() {
        let bench = bench();
        let call = bench.recorder.call(start());
        let (head, tail) = whole.split_at(split);
        let body = Body::new(&bench).then(0, head).then(0, tail);
        let mut body = call.attempt().observe(body, Protocol::OpenAiChat).ending(call);

        assert_eq!(next(&mut body).unwrap().unwrap(), head);
        assert_eq!(next(&mut body).unwrap().unwrap(), tail);
        assert!(next(&mut body).is_none());

        let record = bench.only_record();
        assert_eq!(record.outcome, Outcome::Success);
        assert_eq!(expected.get_or_insert_with(|| record.clone()), &record, "split at {split}");
    }
}

#[test]
fn the_items_are_the_very_buffers_of_the_stream() {
    let bench = bench();
    let call = bench.recorder.call(start());
    let bytes = word("Hi").into_bytes();
    let address = bytes.as_ptr();
    let mut body = call.attempt().observe(Body::new(&bench).then(0, bytes), Protocol::OpenAiChat).ending(call);
    let item = next(&mut body).unwrap().unwrap();
    assert_eq!(item.as_ptr(), address);
}

#[test]
fn every_chunk_has_the_time_at_which_it_came() {
    let bench = bench();
    let call = bench.recorder.call(start());
    let body = Body::new(&bench).then(200, word("a")).then(30, word("b")).then(1_500, word("c")).then(20, FINISH);
    let mut body = call.attempt().observe(body, Protocol::OpenAiChat).ending(call);
    while next(&mut body).is_some() {}
    let chunks = bench.only_record().inter_chunk.unwrap();
    assert_eq!((chunks.min_ns, chunks.max_ns), (Nanos::from_millis(30), Nanos::from_millis(1_500)));
    assert_eq!((chunks.stalls, chunks.stalled_ns), (1, Nanos::from_millis(1_500)));
}
