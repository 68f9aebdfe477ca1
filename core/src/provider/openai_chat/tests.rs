//! Chunks and whole answers, of many servers.

use super::*;

fn chunk(json: &str) -> Delta<'_> {
    event(&mut OpenAiChat::default(), json)
}

fn event<'a>(decoder: &mut OpenAiChat, json: &'a str) -> Delta<'a> {
    let mut delta = Delta::default();
    decoder.decode(&mut delta, Input::Json(json.as_bytes()), false);
    delta
}

fn content(message: &str) -> [u32; 7] {
    chunk(&alloc::format!(r#"{{"choices":[{{"delta":{message}}}]}}"#)).bytes
}

#[test]
fn reasoning_goes_by_many_names_and_counts_once() {
    for message in [
        r#"{"reasoning_content":"ab"}"#,
        r#"{"reasoning":"ab","reasoning_details":[{"text":"ab"}],"content":null}"#,
        r#"{"reasoning_content":"","reasoning_text":"ab"}"#,
        r#"{"thinking":"ab"}"#,
        r#"{"thinking_blocks":[{"thinking":"ab"}]}"#,
        r#"{"reasoning":null,"reasoning_details":[{"summary":"ab"},{"data":"secret"}]}"#,
        r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"ab"}]}]}"#,
        r#"{"content":[{"type":"reasoning","summary":[{"type":"summary_text","text":"ab"}]}]}"#,
        r#"{"reasoning_details":[{"type":"reasoning.encrypted","data":"xxxx"},{"type":"reasoning.text","text":"ab"}]}"#,
    ] {
        assert_eq!(content(message), [0, 2, 0, 0, 0, 0, 0], "{message}");
    }
    assert_eq!(content(r#"{"content":[{"type":"text","text":"abc"}],"refusal":"x"}"#), [3, 0, 0, 1, 0, 0, 0]);
    assert_eq!(
        content(r#"{"audio":{"transcript":"abc"},"images":[{"image_url":{"url":"u"}}]}"#),
        [0, 0, 0, 0, 0, 1, 3]
    );
}

#[test]
fn parts_of_the_content_have_kinds_of_their_own() {
    assert_eq!(content(r#"{"content":[{"type":"refusal","refusal":"no"}]}"#), [0, 0, 0, 2, 0, 0, 0]);
    assert_eq!(content(r#"{"content":[{"type":"image_url","image_url":{"url":"data:x"}}]}"#), [0, 0, 0, 0, 0, 6, 0]);
    let reference = r#"{"choices":[{"delta":{"content":[{"type":"reference","reference_ids":[1]}]}}]}"#;
    assert!(chunk(reference).visible.is_empty());
}

#[test]
fn tool_calls_come_whole_or_in_fragments() {
    let delta = chunk(
        r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]}}]}"#,
    );
    assert!(delta.visible.contains(ContentKind::ToolCall));
    let call = &delta.tool_calls[0];
    assert_eq!((call.choice, call.index, call.id.as_deref(), call.name.as_deref()), (1, Some(0), Some("c"), Some("f")));
    let delta = chunk(r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"","function":{"arguments":"{}"}}]}}]}"#);
    assert_eq!((delta.bytes[2], delta.tool_calls[0].id.as_deref()), (2, None));
    assert!(chunk(r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{}}]}}]}"#).tool_calls.is_empty());
    assert_eq!(chunk(r#"{"choices":[{"delta":{"function_call":{"name":"f"}}}]}"#).tool_calls[0].index, Some(0));
    assert_eq!(chunk(r#"{"choices":[{"delta":{"tool_calls":[{"custom":{"name":"f","input":"x"}}]}}]}"#).bytes[2], 1);
}

#[test]
fn errors_are_found_wherever_they_are() {
    let error = |json: &'static str| chunk(json).error.unwrap();
    assert_eq!(error(r#"{"error":{"code":502,"message":"m"},"choices":[]}"#).status_code, Some(502));
    assert_eq!(error(r#"{"error":"gone"}"#).message.as_deref(), Some("gone"));
    assert_eq!(error(r#"{"x_groq":{"error":{"type":"t"}}}"#).error_type.as_deref(), Some("t"));
    assert_eq!(
        error(r#"{"choices":[{"error":{"code":"c"},"finish_reason":"error"}]}"#).error_type.as_deref(),
        Some("c")
    );
    assert_eq!(error(r#"{"choices":[{"delta":{},"finish_reason":"error"}]}"#).error_type, None);
    assert_eq!(error(r#"{"object":"error","message":"m","type":"t","code":400}"#).status_code, Some(400));
    let beside = error(r#"{"code":"no such model","error":"m"}"#);
    assert_eq!((beside.error_type.as_deref(), beside.message.as_deref()), (Some("no such model"), Some("m")));
    let overloaded = error(r#"{"error":"m","error_type":"overloaded"}"#);
    assert_eq!(overloaded.error_type.as_deref(), Some("overloaded"));
    let minimax = r#"{"choices":null,"base_resp":{"status_code":1008,"status_msg":"no balance"}}"#;
    assert_eq!(error(minimax).message.as_deref(), Some("no balance"));
    assert!(chunk(r#"{"choices":[],"base_resp":{"status_code":0,"status_msg":""}}"#).error.is_none());
    assert!(chunk(r#"{"error":null,"choices":[]}"#).error.is_none());
}

#[test]
fn whole_answers_are_told_from_chunks() {
    let whole =
        chunk(r#"{"object":"chat.completion","choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#);
    assert!(whole.whole && whole.terminal == Terminal::Yes);
    let both = chunk(r#"{"choices":[{"message":{"content":"all so far"},"delta":{"content":"far"}}]}"#);
    assert!(!both.whole && both.bytes[0] == 3);
    assert_eq!(both.terminal, Terminal::WhenEveryChoiceFinished);
}

#[test]
fn a_whole_answer_behind_deltas_repeats_them() {
    let mut decoder = OpenAiChat::default();
    event(&mut decoder, r#"{"choices":[{"delta":{"content":"hi"}}]}"#);
    let again = r#"{"object":"chat.completion","choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#;
    let delta = event(&mut decoder, again);
    assert!(!delta.whole && delta.visible.is_empty());
    assert_eq!(delta.choices[0].finish_reason.as_deref(), Some("stop"));
}

#[test]
fn usage_is_found_wherever_it_is() {
    for json in [
        r#"{"choices":[],"usage":{"prompt_tokens":3}}"#,
        r#"{"choices":[{"usage":{"prompt_tokens":3}}],"usage":null}"#,
        r#"{"x_groq":{"usage":{"prompt_tokens":3,"queue_time":0.1}}}"#,
    ] {
        assert_eq!(chunk(json).usage.unwrap().input_tokens, Some(3), "{json}");
    }
    assert!(chunk(r#"{"x_groq":{"usage":{"queue_time":0.1}}}"#).server.is_some());
    let timings = r#""timings":{"cache_n":20,"prompt_n":4,"prompt_ms":1.5,"predicted_n":7}"#;
    let without = alloc::format!(r#"{{"choices":[],{timings}}}"#);
    let usage = chunk(&without).usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.cache_read_tokens), (Some(24), Some(7), Some(20)));
    let with = alloc::format!(r#"{{"choices":[],{timings},"usage":{{"prompt_tokens":24}}}}"#);
    assert_eq!(chunk(&with).usage.unwrap().output_tokens, None, "the usage object goes first");
    assert!(chunk(r#"{"choices":[],"usage":null}"#).usage.is_none());
}

#[test]
fn what_cannot_be_read_is_counted() {
    for bad in [&b"{"[..], b"not json", b"{\"id\":\"\xff\"}", b"{} x"] {
        let mut delta = Delta::default();
        OpenAiChat::default().decode(&mut delta, Input::Json(bad), false);
        assert!(delta.decode_errors == 1 && !delta.chunk);
    }
    let odd = chunk(r#"{"id":7,"model":null,"choices":{"delta":"x"},"usage":"none","error":false,"x_groq":[]}"#);
    assert!(odd.chunk && odd.decode_errors == 0 && odd.usage.is_none() && odd.error.is_none());
}

fn completion(json: &str, body: bool) -> Delta<'_> {
    let mut delta = Delta::default();
    OpenAiChat::default().decode(&mut delta, Input::Json(json.as_bytes()), body);
    delta
}

#[test]
fn the_framing_tells_a_chunk_from_a_whole_text_completion() {
    let json = r#"{"id":"c","object":"text_completion","model":"m","choices":[{"text":"né","index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":3}}"#;
    let chunk = completion(json, false);
    assert!(!chunk.whole && chunk.terminal == Terminal::WhenEveryChoiceFinished);
    let whole = completion(json, true);
    assert!(whole.whole && whole.terminal == Terminal::Yes);
    for delta in [chunk, whole] {
        assert_eq!((delta.bytes[0], delta.usage.unwrap().input_tokens), (3, Some(3)));
        assert_eq!(delta.choices[0].finish_reason.as_deref(), Some("stop"));
        assert_eq!((delta.response_id.as_deref(), delta.response_model.as_deref()), (Some("c"), Some("m")));
    }
}

#[test]
fn text_of_a_completion_counts_in_every_choice_and_once() {
    let two = completion(r#"{"choices":[{"index":0,"text":"ab"},{"index":1,"text":"c","reasoning":"xyz"}]}"#, false);
    assert_eq!((two.bytes[0], two.bytes[1], two.choices.len()), (3, 3, 2));
    assert_eq!(completion(r#"{"choices":[{"text":"ab","delta":{"content":"ab"}}]}"#, false).bytes[0], 2);
    assert_eq!(completion(r#"{"choices":[{"text":"ab","delta":{"token_id":7}}]}"#, false).bytes[0], 2);
    assert_eq!(completion(r#"{"choices":[{"reasoning_content":"ab","reasoning":"ab","text":""}]}"#, false).bytes[1], 2);
    assert!(completion(r#"{"choices":[{"text":"","logprobs":{"tokens":["a"]}}]}"#, false).visible.is_empty());
    assert_eq!(completion(r#"{"choices":{"text":"ab"}}"#, false).bytes[0], 2);
}

#[test]
fn choices_in_the_shape_of_a_chat_are_read_as_such() {
    let delta = completion(r#"{"choices":[{"index":0,"delta":{"content":"ab"},"finish_reason":null}]}"#, false);
    assert_eq!((delta.bytes[0], delta.whole), (2, false));
    let whole = completion(
        r#"{"object":"chat.completion","choices":[{"message":{"content":"ab"},"finish_reason":"stop"}]}"#,
        true,
    );
    assert!(whole.whole && whole.bytes[0] == 2 && whole.terminal == Terminal::Yes);
}

#[test]
fn errors_and_garbage_of_completions_are_those_of_a_chat() {
    let error =
        completion(r#"{"object":"error","message":"m","type":"BadRequestError","code":400}"#, true).error.unwrap();
    assert_eq!((error.error_type.as_deref(), error.status_code), (Some("BadRequestError"), Some(400)));
    let failed = completion(r#"{"choices":[{"text":"","finish_reason":"error"}]}"#, false);
    assert!(failed.error.is_some() && failed.terminal == Terminal::No);
    let bad = completion("{", false);
    assert!(bad.decode_errors == 1 && !bad.chunk);
    let odd = completion(r#"{"choices":[7,null,{"text":[1]}],"usage":"none"}"#, false);
    assert!(odd.chunk && odd.visible.is_empty() && odd.usage.is_none());
}
