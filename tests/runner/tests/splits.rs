//! The bytes of a response give the same record, however they are cut.

use std::sync::Arc;

use llmspan_core::{
    config::Config,
    engine::Call,
    machine::{AttemptStart, CallStart, Failure},
    provider::Protocol,
    record::Record,
    time::Timestamp,
};
use proptest::prelude::*;

/// Streams with what is awkward to cut: CRLF, a byte order mark, several bytes per character, escapes, comments, errors.
const STREAMS: [(Protocol, &str); 5] = [
    (
        Protocol::OpenAiChat,
        "\u{feff}: ok\r\n\r\ndata: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"na\u{ef}ve \u{1f600}\\n\\u00e9\"}}]}\r\n\r\n\
         data:{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"t\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}}]},\r\ndata: \"finish_reason\":\"stop\"}]}\r\n\r\ndata: [DONE]\r\n\r\n",
    ),
    (
        Protocol::OpenAiChat,
        "data: {\"choices\":[{\"index\":1,\"delta\":{\"reasoning_content\":\"\u{65e5}\u{672c}\"}}]}\r\rdata: nonsense\r\r\
         data: {\"error\":{\"type\":\"server_error\",\"message\":\"x\"}}\r\r",
    ),
    (
        Protocol::AnthropicMessages,
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"claude\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n\
         event: ping\ndata: {\"type\":\"ping\"}\n\n\
         event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"\u{2028}\\\"\"}}\n\n\
         event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":7}}\n\n\
         event: message_stop\ndata: {\"type\":\"message_stop\"}",
    ),
    (
        Protocol::GeminiGenerateContent,
        "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"[{\\\"\u{e9}\"}]},\"index\":0}]}\n,\r\n\
         {\"candidates\":[{\"content\":{\"parts\":[]},\"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":2,\"candidatesTokenCount\":3}}]\n",
    ),
    (
        Protocol::OllamaChat,
        "{\"model\":\"l\",\"message\":{\"content\":\"\u{1f600}\"},\"done\":false}\r\n\n{\"model\":\"l\",\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"eval_count\":2}",
    ),
];

fn record_of<'a>(protocol: Protocol, pieces: impl Iterator<Item = &'a [u8]>) -> Record {
    let at = Timestamp::from_millis(5);
    let mut call = Call::new(Arc::new(Config::default()), Timestamp::default(), CallStart::new("chat").streamed());
    call.handle_attempt_started(Timestamp::default(), AttemptStart::default());
    for piece in pieces {
        call.handle_bytes(at, None, protocol, piece);
    }
    call.handle_stream_ended(at, None);
    call.handle_call_ended(at, Failure::default());
    call.poll_record().unwrap()
}

#[test]
fn one_byte_at_a_time_is_the_same_as_all_at_once() {
    for (protocol, stream) in STREAMS {
        let whole = record_of(protocol, [stream.as_bytes()].into_iter());
        assert!(whole.content.is_some(), "the stream says something");
        assert_eq!(record_of(protocol, stream.as_bytes().chunks(1)), whole, "{protocol}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_cuts_give_the_same_record(
        which in 0..STREAMS.len(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let (protocol, stream) = STREAMS[which];
        let bytes = stream.as_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]);
        prop_assert_eq!(record_of(protocol, pieces), record_of(protocol, [bytes].into_iter()));
    }
}
