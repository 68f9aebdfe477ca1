//! Requests as the clients of the providers send them.

use alloc::{
    string::{String, ToString as _},
    vec,
    vec::Vec,
};

use super::{ModelRequest, body_limit, read};
use crate::{provider::Protocol, time::Nanos};

fn request(url: &str, body: &str) -> ModelRequest {
    read(url, [], body.as_bytes()).unwrap()
}

#[test]
fn only_posts_ask_a_model() {
    let stored = "https://api.openai.com/v1/chat/completions";
    for (method, is_asked) in
        [("POST", true), ("post", true), ("GET", false), ("DELETE", false), ("", false), ("POSTS", false)]
    {
        assert_eq!(body_limit(method, stored).is_some(), is_asked, "{method}");
    }
    assert_eq!(body_limit("POST", "/v1/embeddings"), None);
    assert_eq!(body_limit("POST", ""), None);
}

#[test]
fn chat_completions() {
    let body = r#"{"messages":[{"role":"system","content":"{\"model\":\"no\"}"},{"role":"user","content":[{"type":"text"}]}],
        "model":"gpt-4.1","frequency_penalty":-0.5,"max_tokens":9,"max_completion_tokens":null,"n":2,"presence_penalty":1,
        "reasoning_effort":"low","seed":-7,"service_tier":"flex","stop":"END","stream":true,"temperature":0,"top_p":0.5,
        "tools":[{"type":"function","function":{"name":"a"}},{"type":"function"}],"stream_options":{"include_usage":true}}"#;
    let read = request("https://api.openai.com/v1/chat/completions", body);
    assert_eq!((read.protocol, read.operation, read.provider), (Protocol::OpenAiChat, "chat", Some("openai")));
    assert_eq!((read.model.as_deref(), read.stream), (Some("gpt-4.1"), Some(true)));
    assert_eq!((read.message_count, read.tool_count), (Some(2), Some(2)));
    assert_eq!((read.server_address.as_deref(), read.server_port), (Some("api.openai.com"), None));
    let asked = read.parameters;
    assert_eq!((asked.max_tokens, asked.choice_count, asked.seed), (Some(9), Some(2), Some(-7)));
    assert_eq!((asked.temperature, asked.top_p, asked.top_k), (Some(0.0), Some(0.5), None));
    assert_eq!((asked.frequency_penalty, asked.presence_penalty), (Some(-0.5), Some(1.0)));
    assert_eq!((asked.reasoning_level.as_deref(), asked.service_tier.as_deref()), (Some("low"), Some("flex")));
    assert_eq!(asked.stop_sequences, ["END"]);
}

#[test]
fn responses() {
    let of_text =
        request("https://api.openai.com/v1/responses", r#"{"model":"o4","input":"hi","reasoning":{"effort":"high"}}"#);
    assert_eq!((of_text.stream, of_text.message_count), (Some(false), Some(1)));
    assert_eq!(of_text.parameters.reasoning_level.as_deref(), Some("high"));
    let of_items = request("/v1/responses", r#"{"input":[{},{},{}],"max_output_tokens":100,"stream":true}"#);
    assert_eq!((of_items.message_count, of_items.parameters.max_tokens), (Some(3), Some(100)));
    assert_eq!((of_items.server_address, of_items.model), (None, None));
}

#[test]
fn messages_of_anthropic() {
    let body = r#"{"max_tokens":1024,"messages":[{},{}],"model":"claude-sonnet-4-5","stop_sequences":["a","b"],"stream":true,
        "thinking":{"type":"enabled","budget_tokens":500},"top_k":40,"tools":[{"name":"x"}]}"#;
    let read = request("https://api.anthropic.com/v1/messages", body);
    assert_eq!((read.provider, read.model.as_deref()), (Some("anthropic"), Some("claude-sonnet-4-5")));
    assert_eq!((read.parameters.max_tokens, read.parameters.top_k), (Some(1024), Some(40.0)));
    assert_eq!((read.message_count, read.tool_count), (Some(2), Some(1)));
    assert_eq!(read.parameters.stop_sequences, ["a", "b"]);
}

#[test]
fn gemini_names_model_and_stream_in_the_path() {
    let host = "https://generativelanguage.googleapis.com/v1beta/models";
    let body = r#"{"contents":[{}],"generationConfig":{"maxOutputTokens":64,"topK":3,"candidateCount":2,"stopSequences":["x"],
        "thinkingConfig":{"thinkingLevel":"low"}},"tools":[{"functionDeclarations":[{},{}]},{"googleSearch":{}}]}"#;
    let read = request(&(host.to_string() + "/gemini-3:streamGenerateContent?alt=sse"), body);
    assert_eq!((read.operation, read.provider), ("generate_content", Some("gcp.gemini")));
    assert_eq!((read.model.as_deref(), read.stream), (Some("gemini-3"), Some(true)));
    assert_eq!((read.message_count, read.tool_count), (Some(1), Some(3)));
    let asked = read.parameters;
    assert_eq!((asked.max_tokens, asked.top_k, asked.choice_count), (Some(64), Some(3.0), Some(2)));
    assert_eq!(asked.reasoning_level.as_deref(), Some("low"));

    let whole = request(&(host.to_string() + "/gemini-3%3AgenerateContent"), "");
    assert_eq!((whole.model.as_deref(), whole.stream), (Some("gemini-3"), Some(false)));

    let vertex = "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/anthropic/models/claude@5:streamRawPredict";
    let read = request(vertex, r#"{"anthropic_version":"vertex","stream":true,"max_tokens":5}"#);
    assert_eq!((read.protocol, read.provider), (Protocol::AnthropicMessages, Some("gcp.vertex_ai")));
    assert_eq!((read.model.as_deref(), read.stream), (Some("claude@5"), Some(true)));
}

#[test]
fn bedrock_names_model_and_stream_in_the_path() {
    let host = "https://bedrock-runtime.eu-west-1.amazonaws.com/model";
    let body = r#"{"messages":[{}],"inferenceConfig":{"maxTokens":7,"temperature":0.1,"topP":0.2,"stopSequences":["s"]},
        "toolConfig":{"tools":[{"toolSpec":{}}]}}"#;
    let read = request(&(host.to_string() + "/anthropic.claude-3-haiku-20240307-v1%3A0/converse-stream"), body);
    assert_eq!((read.protocol, read.provider), (Protocol::BedrockConverse, Some("aws.bedrock")));
    assert_eq!(read.model.as_deref(), Some("anthropic.claude-3-haiku-20240307-v1:0"));
    assert_eq!((read.stream, read.parameters.max_tokens), (Some(true), Some(7)));
    assert_eq!((read.message_count, read.tool_count), (Some(1), Some(1)));

    let arn = request(&(host.to_string() + "/arn:aws:bedrock:eu-west-1:1:inference-profile/eu.x/invoke"), "{}");
    assert_eq!(arn.model.as_deref(), Some("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.x"));
    assert_eq!(arn.stream, Some(false));
}

#[test]
fn others_by_their_own_names() {
    let ollama = request(
        "http://localhost:11434/api/chat",
        r#"{"model":"m","messages":[{}],"options":{"num_predict":5,"seed":1}}"#,
    );
    assert_eq!((ollama.stream, ollama.parameters.max_tokens, ollama.parameters.seed), (Some(true), Some(5), Some(1)));
    assert_eq!((ollama.server_address.as_deref(), ollama.server_port), (Some("localhost"), Some(11434)));
    assert_eq!(request("/api/chat", r#"{"stream":false}"#).stream, Some(false));

    let cohere =
        request("https://api.cohere.com/v2/chat", r#"{"model":"c","messages":[{}],"p":0.3,"k":5,"stream":true}"#);
    assert_eq!((cohere.parameters.top_p, cohere.parameters.top_k), (Some(0.3), Some(5.0)));
    let first = request("https://api.cohere.com/v1/chat", r#"{"message":"hi","chat_history":[{},{}]}"#);
    assert_eq!(first.message_count, Some(3));
    let letters = request("/v1/chat/completions", r#"{"p":0.3,"k":5,"n":"2"}"#);
    assert_eq!(
        (letters.parameters.top_p, letters.parameters.top_k, letters.parameters.choice_count),
        (None, None, None)
    );

    let dashscope = "https://dashscope.aliyuncs.com/api/v1/services/aigc/text-generation/generation";
    let body = br#"{"model":"qwen","input":{"messages":[{},{}]},"parameters":{"max_tokens":8,"top_k":2}}"#;
    let read = read(dashscope, [("X-DashScope-SSE", "enable")], body).unwrap();
    assert_eq!((read.provider, read.stream, read.message_count), (Some("dashscope"), Some(true), Some(2)));
    assert_eq!(read.parameters.max_tokens, Some(8));

    let azure = "https://r.openai.azure.com/openai/deployments/my-gpt/chat/completions?api-version=1";
    let read = request(azure, "{}");
    assert_eq!((read.provider, read.model.as_deref()), (Some("azure.ai.openai"), Some("my-gpt")));
    let hugging = request(
        "https://api-inference.huggingface.co/models/o/m",
        r#"{"inputs":"x","parameters":{"max_new_tokens":3}}"#,
    );
    assert_eq!((hugging.model.as_deref(), hugging.parameters.max_tokens), (Some("o/m"), Some(3)));
    assert_eq!(hugging.operation, "text_completion");
}

#[test]
fn retries_say_so() {
    let url = "https://api.openai.com/v1/chat/completions";
    let headers = [("X-Stainless-Retry-Count", "2"), ("Idempotency-Key", " stainless-1 ")];
    let sent = read(url, headers, b"{}").unwrap();
    assert_eq!((sent.resends, sent.idempotency_key.as_deref()), (Some(2), Some("stainless-1")));
    let waits = read(url, [("X-Stainless-Timeout", "600")], b"{}").unwrap();
    assert_eq!((sent.timeout, waits.timeout), (None, Some(Nanos::from_secs(600))));
    let google = read(url, [("X-Server-Timeout", "2")], b"{}").unwrap();
    assert_eq!((google.timeout, google.deadline), (Some(Nanos::from_secs(1)), Some(Nanos::from_secs(1))));
    assert_eq!(waits.deadline, None);
    let headers = [("amz-sdk-request", "attempt=3; max=5"), ("amz-sdk-invocation-id", "i-1")];
    let sent = read("/model/m/invoke", headers, b"{}").unwrap();
    assert_eq!((sent.resends, sent.idempotency_key.as_deref()), (Some(2), Some("i-1")));
    for odd in ["", "-1", "many", "99999999999"] {
        assert_eq!(read(url, [("x-stainless-retry-count", odd)], b"{}").unwrap().resends, None);
        assert_eq!(read(url, [("x-stainless-timeout", odd)], b"{}").unwrap().timeout, None);
        assert_eq!(read(url, [("x-server-timeout", odd)], b"{}").unwrap().timeout, None);
    }
}

#[test]
fn what_cannot_be_read_is_absent() {
    let url = "https://api.openai.com/v1/chat/completions";
    let long = vec![b' '; crate::limits::REQUEST_BYTES + 1];
    for body in [&b""[..], b"{", b"[1]", b"\xff", br#"{"model":"a""#, b"--boundary", &long] {
        let read = read(url, [], body).unwrap();
        assert_eq!((read.model, read.stream, read.message_count), (None, None, None));
    }
    let odd = r#"{"model":3,"stream":"yes","max_tokens":-1,"temperature":"hot","stop":[1,"x"],"messages":{},"tools":5,"seed":1e3}"#;
    let read = request(url, odd);
    assert_eq!((read.model, read.stream, read.parameters.max_tokens), (None, Some(false), None));
    assert_eq!((read.message_count, read.tool_count, read.parameters.seed), (None, None, None));
    assert_eq!(read.parameters.stop_sequences, ["x"]);
    let deep: String = ["{\"options\":"].repeat(300).concat() + &["}"; 300].concat();
    assert!(super::read(url, [], deep.as_bytes()).is_some());
}

#[test]
fn what_goes_to_no_model_is_none() {
    for url in
        ["https://api.openai.com/v1/embeddings", "/v1/models", "https://example.com/", "", "/v1/responses/resp_1"]
    {
        assert!(read(url, [], b"{}").is_none(), "{url}");
    }
}

#[test]
fn a_fingerprint_tells_requests_apart() {
    let of = |url: &str, body: &[u8]| read(url, [], body).unwrap().fingerprint;
    let url = "https://a.example/v1/chat/completions";
    assert_eq!(of(url, b"{}"), of("https://a.example/v1/chat/completions?x=1", b"{}"));
    assert_ne!(of(url, b"{}"), of(url, b"{ }"));
    assert_ne!(of(url, b"{}"), of("https://b.example/v1/chat/completions", b"{}"));
    let long = |at: usize| {
        let mut body: Vec<u8> = vec![b'x'; 100_000];
        body[at] = b'y';
        of(url, &body)
    };
    assert_ne!(long(0), long(99_999));
}
