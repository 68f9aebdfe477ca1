//! A stream that runs allocates nothing, whatever its chunks carry.
//!
//! It is a promise of builds that read JSON text in place.
#![cfg(feature = "fast-decode")]

use llmspan_core::{
    config::Config,
    engine::Call,
    framing::Framing,
    machine::{AttemptStart, CallStart, Failure},
    provider::Protocol,
    time::Timestamp,
};

/// Chunks of streams that run, by protocol: text, reasoning, tool calls.
const CHUNKS: &[(Protocol, &[&str])] = &[
    (
        Protocol::OpenAiChat,
        &[
            r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"a\n\"b\" é"}}]}"#,
            r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"reasoning_content":"a"}}]}"#,
            r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"reasoning":"a","reasoning_details":[{"type":"reasoning.text","text":"a"}]}}]}"#,
            r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}}]}"#,
            r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}"#,
        ],
    ),
    (Protocol::OpenAiCompletions, &[r#"{"id":"c","choices":[{"index":0,"text":"a"}],"model":"m"}"#]),
    (
        Protocol::OpenAiResponses,
        &[
            r#"{"type":"response.output_text.delta","output_index":0,"delta":"a"}"#,
            r#"{"type":"response.reasoning_summary_text.delta","output_index":1,"delta":"a"}"#,
            r#"{"type":"response.function_call_arguments.delta","output_index":2,"delta":"{"}"#,
        ],
    ),
    (
        Protocol::AnthropicMessages,
        &[
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\n"}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"thinking_delta","thinking":"a"}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a"}}"#,
            r#"{"type":"ping"}"#,
        ],
    ),
    (
        Protocol::AnthropicComplete,
        &[r#"{"type":"completion","id":"c","completion":"a","stop_reason":null,"model":"m"}"#],
    ),
    (
        Protocol::GeminiGenerateContent,
        &[
            r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"index":0}],"usageMetadata":{"promptTokenCount":3},"responseId":"r","modelVersion":"m"}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"a","thought":true}]},"index":0}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"x"}],"willContinue":true}}]},"index":0}]}"#,
        ],
    ),
    (
        Protocol::GeminiInteractions,
        &[
            r#"{"index":0,"delta":{"type":"text","text":"a"},"event_type":"step.delta"}"#,
            r#"{"index":1,"delta":{"type":"thought_summary","content":[{"type":"text","text":"a"}]},"event_type":"step.delta"}"#,
            r#"{"index":2,"delta":{"type":"arguments_delta","arguments":"{"},"event_type":"step.delta"}"#,
        ],
    ),
    (
        Protocol::BedrockConverse,
        &[
            r#"{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"text":"a"}}}"#,
            r#"{"contentBlockDelta":{"contentBlockIndex":1,"delta":{"reasoningContent":{"text":"a"}}}}"#,
            r#"{"contentBlockDelta":{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{"}}}}"#,
        ],
    ),
    (
        Protocol::BedrockInvoke,
        &[
            // {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}
            r#"{"chunk":{"bytes":"eyJ0eXBlIjoiY29udGVudF9ibG9ja19kZWx0YSIsImluZGV4IjowLCJkZWx0YSI6eyJ0eXBlIjoidGV4dF9kZWx0YSIsInRleHQiOiJhIn19"}}"#,
        ],
    ),
    (
        Protocol::OllamaChat,
        &[
            r#"{"model":"m","message":{"role":"assistant","content":"a"},"done":false}"#,
            r#"{"model":"m","message":{"role":"assistant","content":"","thinking":"a"},"done":false}"#,
        ],
    ),
    (
        Protocol::CohereChat,
        &[
            r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"a"}}}}"#,
            r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"a"}}}"#,
            r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{"}}}}}"#,
        ],
    ),
    (
        Protocol::MistralChat,
        &[
            r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"a"}}]}"#,
            r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"a"}]}]}}]}"#,
        ],
    ),
    (
        Protocol::DashScopeGeneration,
        &[
            r#"{"output":{"choices":[{"message":{"content":"a"},"finish_reason":"null"}]},"usage":{"input_tokens":3,"output_tokens":1},"request_id":"r"}"#,
            r#"{"output":{"choices":[{"message":{"content":"","reasoning_content":"b"},"finish_reason":"null"}]}}"#,
            r#"{"output":{"choices":[{"message":{"content":"","reasoning_content":"d"},"finish_reason":"null"}]}}"#,
            r#"{"output":{"choices":[{"message":{"content":[{"text":"c"}]},"finish_reason":"null"}]}}"#,
            r#"{"output":{"choices":[{"message":{"content":"","tool_calls":[{"index":0,"id":"","function":{"arguments":"{"}}]},"finish_reason":"null"}]}}"#,
            r#"{"output":{"choices":[{"message":{"content":"","tool_calls":[{"index":0,"id":"","function":{"arguments":"}"}}]},"finish_reason":"null"}]}}"#,
        ],
    ),
    (
        Protocol::HuggingFaceTextGen,
        &[r#"{"index":4,"token":{"id":1,"text":"a","special":false},"generated_text":null}"#],
    ),
    (
        Protocol::VercelUiMessage,
        &[
            r#"{"type":"text-delta","id":"t","delta":"a"}"#,
            r#"{"type":"reasoning-delta","id":"r","delta":"a"}"#,
            r#"{"type":"tool-input-delta","toolCallId":"c","inputTextDelta":"{"}"#,
        ],
    ),
];

#[test]
fn no_chunk_of_a_running_stream_allocates() {
    for (protocol, chunks) in CHUNKS {
        let mut call = Call::new(Config::default().into(), Timestamp::default(), CallStart::new("chat").streamed());
        call.handle_attempt_started(Timestamp::default(), AttemptStart::default());
        let mut at = 0;
        let mut feed = |round: &str| {
            for chunk in *chunks {
                at += 1;
                let now = Timestamp::from_millis(at);
                if protocol.framing() == Framing::EventStream || round == "payloads" {
                    call.handle_payload(now, None, *protocol, chunk.as_bytes());
                } else {
                    // Cut, so that the buffers are used too.
                    let (prefix, end) =
                        if protocol.framing() == Framing::Ndjson { ("", "\n") } else { ("data: ", "\n\n") };
                    for part in [prefix, &chunk[..12], &chunk[12..], end] {
                        call.handle_bytes(now, None, *protocol, part.as_bytes());
                    }
                }
            }
        };
        for round in ["bytes", "payloads"] {
            // Of each kind the first chunks make buffers and keep names.
            (0..3).for_each(|_| feed(round));
            let heap = allocation_counter::measure(|| (0..100).for_each(|_| feed(round)));
            assert_eq!(heap.count_total, 0, "{protocol} as {round}");
        }
        call.handle_call_ended(Timestamp::from_millis(at), Failure::default());
        let record = call.poll_record().unwrap_or_default();
        assert_eq!(record.diagnostics.decode_errors, 0, "{protocol}");
        let silent = chunks.iter().filter(|chunk| chunk.contains("ping")).count() as u64;
        let rounds = at / chunks.len() as u64;
        // Every other chunk has content that is visible. Pieces of DashScope differ: alike ones may be repetitions.
        assert_eq!(record.content.map_or(0, |content| content.visible_chunks), at - silent * rounds, "{protocol}");
    }
    assert_eq!(CHUNKS.len(), Protocol::ALL.len());
}
