//! Without a subscriber, spans cost nothing: not one allocation more than a recorder without them.
#![cfg(feature = "tracing")]
#![allow(unsafe_code, reason = "an allocator is unsafe to write")]

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
};
use std::alloc::System;

use llmspan::{CallStart, Failure, Nanos, Protocol, Recorder, RecorderBuilder, Retry, WaitReason};

#[test]
fn nothing_is_allocated_for_nobody() {
    let plain = allocations(Recorder::builder());
    let with_tracing = allocations(Recorder::builder().with_tracing());
    assert!(plain > 0);
    assert_eq!(plain, with_tracing);
}

/// Allocations of a call with a retry on this thread, after a first one that fills what is made once.
fn allocations(builder: RecorderBuilder) -> u64 {
    let recorder = builder.build().unwrap();
    call(&recorder);
    let before = COUNT.get();
    call(&recorder);
    assert_eq!(recorder.stats().records, 2);
    COUNT.get() - before
}

fn call(recorder: &Recorder) {
    let call = recorder.call(CallStart::new("chat").with_model("gpt-4.1-mini").streamed());
    call.attempt().failed(Failure::of_status(429));
    call.retry_scheduled(Retry::after(Nanos::from_millis(1), WaitReason::RateLimit));
    let attempt = call.attempt();
    for _ in 0..100 {
        attempt.bytes(Protocol::OpenAiChat, b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n");
    }
    attempt.bytes(Protocol::OpenAiChat, b"data: [DONE]\n\n");
    attempt.stream_ended();
    call.end();
}

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller keeps the rules of `GlobalAlloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
