//! Whatever a server sends, memory stays bounded and the record says what happened.

use llmspan_core::{
    config::Config,
    engine::Call,
    machine::{AttemptStart, CallStart, Failure},
    provider::Protocol,
    record::Record,
    time::Timestamp,
};

/// Feeds pieces of a response to a call, and gives the record with the most bytes that were on the heap at any time.
fn replay<'a>(protocol: Protocol, pieces: impl Iterator<Item = &'a [u8]>) -> (Record, u64) {
    let mut record = None;
    let heap = allocation_counter::measure(|| {
        let start = CallStart::new("chat").streamed();
        let mut call = Call::new(Config::default().into(), Timestamp::default(), start);
        call.handle_attempt_started(Timestamp::default(), AttemptStart::default());
        let mut last = Timestamp::default();
        for (at, piece) in (1..).zip(pieces) {
            last = Timestamp::from_nanos(at);
            call.handle_bytes(last, None, protocol, piece);
        }
        call.handle_stream_ended(last, None);
        call.handle_call_ended(last, Failure::default());
        record = call.poll_record();
    });
    (record.unwrap_or_default(), heap.bytes_max)
}

/// Repeats `piece` until `total` bytes are there, between a begin and an end.
fn long<'a>(begin: &'a [u8], piece: &'a [u8], total: usize, end: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    [begin].into_iter().chain(core::iter::repeat_n(piece, total / piece.len())).chain([end])
}

const PIECE: [u8; 16 << 10] = [b'x'; 16 << 10];

#[test]
fn a_line_of_64_mib_is_skipped() {
    let frame_cap = 1 << 20;
    let body_cap = 16 << 20;
    for (protocol, begin, end, cap, oversized) in [
        (Protocol::OpenAiChat, "data: {\"a\":\"", "\"}\n\ndata: [DONE]\n\n", frame_cap, 1),
        // A line that is no field of an event is not kept at all.
        (Protocol::OpenAiChat, "what: ", "\n\ndata: [DONE]\n\n", frame_cap, 0),
        (Protocol::OpenAiChat, ": ", "\n\ndata: [DONE]\n\n", frame_cap, 0),
        (Protocol::OpenAiChat, "event: ", "\ndata: [DONE]\n\n", frame_cap, 0),
        (Protocol::OpenAiChat, "{\"a\":\"", "\"}", body_cap, 1),
        (Protocol::OllamaChat, "{\"a\":\"", "\"}\n{\"done\":true}\n", frame_cap, 1),
        (
            Protocol::GeminiGenerateContent,
            "[{\"a\":\"",
            "\"},{\"promptFeedback\":{\"blockReason\":\"X\"}}]",
            frame_cap,
            1,
        ),
    ] {
        let (record, most) = replay(protocol, long(begin.as_bytes(), &PIECE, 64 << 20, end.as_bytes()));
        assert_eq!(record.diagnostics.oversized_frames, oversized, "{protocol} {begin}");
        // The buffer grows by doubling, so that the old and the new one are there for a moment.
        assert!(most < 2 * cap + (64 << 10), "{protocol} {begin}: {most} bytes at once");
        let is_body = cap == body_cap;
        assert_eq!(record.outcome.as_str(), if is_body { "error" } else { "success" }, "{protocol} {begin}");
    }
}

#[test]
fn a_message_of_64_mib_is_skipped() {
    let total = u32::try_from(64 << 20).unwrap();
    let mut begin = Vec::new();
    begin.extend_from_slice(&(16 + total).to_be_bytes());
    begin.extend_from_slice(&0_u32.to_be_bytes());
    // The checksum of these two lengths.
    begin.extend_from_slice(&0x8188_4611_u32.to_be_bytes());
    let (record, most) = replay(Protocol::BedrockConverse, long(&begin, &PIECE, 64 << 20, &[0; 4]));
    assert_eq!((record.diagnostics.oversized_frames, record.diagnostics.decode_errors), (1, 0));
    assert!(most < 64 << 10, "{most} bytes at once");
}

#[test]
fn a_million_tiny_frames_take_no_memory() {
    const FRAMES: usize = 1_000_000;
    for (protocol, frame, chunks, keep_alives) in [
        (Protocol::OpenAiChat, "data:{}\n\n", FRAMES, 0),
        (Protocol::OpenAiChat, "data:\n\n", 0, FRAMES),
        (Protocol::OpenAiChat, ":\n", 0, FRAMES),
        (Protocol::OllamaChat, "{}\n", FRAMES, 0),
        (Protocol::OpenAiChat, "\n", 0, 0),
    ] {
        let read = frame.repeat(1_000);
        let (record, most) = replay(protocol, core::iter::repeat_n(read.as_bytes(), FRAMES / 1_000));
        let got = record.content.map_or(0, |content| content.chunks);
        assert_eq!(got, chunks as u64, "{protocol} {frame:?}");
        let alive = record.keep_alives.map_or(0, |alive| alive.count);
        assert_eq!(alive, keep_alives as u64, "{protocol} {frame:?}");
        assert!(most < 64 << 10, "{protocol} {frame:?}: {most} bytes at once");
    }
}

#[test]
fn a_compressed_body_is_told_and_not_kept() {
    let noise: Vec<u8> = (0..64 << 10_u32).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (begin, compressed) in
        [(&b"\x1f\x8b\x08\x00"[..], true), (b"\x28\xb5\x2f\xfd", true), (b"\x78\x9c", true), (b"\x8b\x02\x80", false)]
    {
        let (record, most) = replay(Protocol::AnthropicMessages, long(begin, &noise, 16 << 20, b""));
        assert_eq!(record.diagnostics.compressed_body, compressed, "{begin:?}");
        assert_eq!(record.diagnostics.decode_errors, 1, "{begin:?}");
        assert_eq!(record.outcome.as_str(), "error");
        assert!(most < 64 << 10, "{begin:?}: {most} bytes at once");
    }
}
