use alloc::{string::String, vec::Vec};

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(url: &str, content_type: &str, body: &[u8], expected: Option<(&str, Framing)>) {
    let headers = [("Content-Type", content_type)].into_iter().filter(|(_, kind)| !kind.is_empty());
    let found = Protocol::detect(url, headers, body).map(|found| (found.protocol.as_str(), found.framing));
    assert_eq!(found, expected, "{url} {content_type} {:?}", String::from_utf8_lossy(body));
}

#[test]
fn paths_of_providers_and_gateways() {
    for (protocol, framing, urls) in PATHS {
        for url in *urls {
            check(url, "", b"", Some((protocol, *framing)));
        }
    }
}

const PATHS: &[(&str, Framing, &[&str])] = &[
    (
        "openai.chat",
        Framing::Sse,
        &[
            "https://api.openai.com/v1/chat/completions",
            "HTTPS://API.OPENAI.COM/v1/chat/completions/",
            "api.openai.com/v1/chat/completions",
            "/v1/chat/completions?stream=true#x",
            "chat/completions",
            "https://example.openai.azure.com/openai/deployments/my%2Fmodel/chat/completions?api-version=2024-10-21",
            "https://example.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
            "https://api.groq.com/openai/v1/chat/completions",
            "https://openrouter.ai/api/v1/chat/completions",
            "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions",
            "https://api.z.ai/api/paas/v4/chat/completions",
            "https://ark.cn-beijing.volces.com/api/v3/chat/completions",
            "https://api.fireworks.ai/inference/v1/chat/completions",
            "https://api.perplexity.ai/chat/completions",
            "https://api.deepseek.com/beta/chat/completions",
            "https://router.huggingface.co/v1/chat/completions",
            "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
            "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/openapi/chat/completions",
            "https://account.snowflakecomputing.com/api/v2/cortex/v1/chat/completions",
            "https://account.snowflakecomputing.com/api/v2/cortex/inference:complete",
            "https://gateway.ai.cloudflare.com/v1/account/gateway/openai/chat/completions",
            "https://gateway.ai.cloudflare.com/v1/account/gateway/compat/chat/completions",
            "https://api.portkey.ai/v1/chat/completions",
            "http://localhost:4000/chat/completions",
            "http://localhost:3000/api/chat/completions",
            "http://localhost:11434/v1/chat/completions",
            "https://api.writer.com/v1/chat",
            "https://us-south.ml.cloud.ibm.com/ml/v1/text/chat_stream?version=2024-10-08",
            "https://api.minimax.io/v1/text/chatcompletion_v2",
            "//host//v1//chat//completions",
        ],
    ),
    (
        "mistral.chat",
        Framing::Sse,
        &[
            "https://api.mistral.ai/v1/chat/completions",
            "https://codestral.mistral.ai:443/v1/fim/completions",
            "https://api.mistral.ai/v1/agents/completions",
            "https://l-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/mistralai/models/m:streamRawPredict",
        ],
    ),
    (
        "openai.completions",
        Framing::Sse,
        &[
            "https://api.openai.com/v1/completions",
            "http://localhost:8000/completions",
            "https://example.openai.azure.com/openai/deployments/d/completions?api-version=2024-02-01",
            "https://api.deepseek.com/beta/completions",
            "https://api.openai.com/v1/engines/davinci/completions",
        ],
    ),
    (
        "openai.responses",
        Framing::Sse,
        &[
            "https://api.openai.com/v1/responses",
            "https://example.openai.azure.com/openai/responses?api-version=2025-04-01-preview",
            "https://api.x.ai/v1/responses",
            "https://openrouter.ai/api/v1/responses",
            "https://api.githubcopilot.com/responses",
        ],
    ),
    (
        "anthropic.messages",
        Framing::Sse,
        &[
            "https://api.anthropic.com/v1/messages",
            "https://api.anthropic.com/v1/messages?beta=true",
            "https://example.services.ai.azure.com/anthropic/v1/messages",
            "https://gateway.ai.cloudflare.com/v1/account/gateway/anthropic/v1/messages",
            "https://l-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/anthropic/models/c@1:streamRawPredict",
            "https://l-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/anthropic/models/c@1:rawPredict",
            "http://localhost:11434/v1/messages",
        ],
    ),
    ("anthropic.complete", Framing::Sse, &["https://api.anthropic.com/v1/complete"]),
    (
        "gemini.generate_content",
        Framing::Sse,
        &[
            "https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent?alt=sse&key=k",
            "https://l-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/g:streamGenerateContent?alt=sse",
            "/gemini/v1beta/models/g%3AstreamGenerateContent?key=k&alt=sse",
            "https://cloudcode-pa.googleapis.com/v1internal:streamGenerateContent?alt=sse",
        ],
    ),
    (
        "gemini.generate_content",
        Framing::JsonArray,
        &["https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent?key=k"],
    ),
    (
        "gemini.generate_content",
        Framing::Json,
        &[
            "https://generativelanguage.googleapis.com/v1beta/models/g:generateContent",
            "https://aiplatform.googleapis.com/v1/publishers/google/models/g:generateContent",
            "https://generativelanguage.googleapis.com/v1beta/tunedModels/t:generateContent",
        ],
    ),
    ("gemini.interactions", Framing::Sse, &["https://generativelanguage.googleapis.com/v1beta/interactions"]),
    (
        "bedrock.converse",
        Framing::Json,
        &[
            "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-v1%3A0/converse",
            "/model/arn:aws:bedrock:us-east-1:1:inference-profile/p/converse",
        ],
    ),
    (
        "bedrock.converse",
        Framing::EventStream,
        &[
            "https://bedrock-runtime.us-east-1.amazonaws.com/model/meta.llama3-v1:0/converse-stream",
            "http://localhost:4000/bedrock/model/amazon.nova-lite-v1:0/converse-stream",
        ],
    ),
    ("bedrock.invoke", Framing::Json, &["/model/amazon.titan-text-express-v1/invoke"]),
    ("bedrock.invoke", Framing::EventStream, &["/model/amazon.titan-text-express-v1/invoke-with-response-stream"]),
    (
        "ollama.chat",
        Framing::Ndjson,
        &["http://localhost:11434/api/chat", "http://[::1]:11434/api/generate", "https://ollama.com/api/chat"],
    ),
    (
        "cohere.chat",
        Framing::Sse,
        &[
            "https://api.cohere.com/v2/chat",
            "https://api.cohere.ai/v1/chat",
            "https://api.cohere.com/v1/generate",
            "https://gateway.ai.cloudflare.com/v1/account/gateway/cohere/v1/chat",
        ],
    ),
    (
        "dashscope.generation",
        Framing::Sse,
        &[
            "https://dashscope.aliyuncs.com/api/v1/services/aigc/text-generation/generation",
            "https://dashscope-intl.aliyuncs.com/api/v1/services/aigc/multimodal-generation/generation",
        ],
    ),
    (
        "huggingface.textgen",
        Framing::Sse,
        &[
            "http://localhost:8080/generate",
            "http://localhost:8080/generate_stream",
            "https://api-inference.huggingface.co/models/org/model",
            "https://router.huggingface.co/hf-inference/models/org/model",
        ],
    ),
];

#[test]
fn other_traffic_is_none() {
    for url in [
        "",
        "/",
        "https://api.openai.com",
        "https://api.openai.com/v1/embeddings",
        "https://api.openai.com/v1/models",
        "https://api.openai.com/v1/models/m",
        "https://api.openai.com/v1/files",
        "https://api.openai.com/v1/audio/transcriptions",
        "https://api.openai.com/v1/images/generations",
        "https://api.openai.com/v1/moderations",
        "https://api.openai.com/v1/batches",
        "https://api.openai.com/v1/chat/completions/chatcmpl_1",
        "https://api.openai.com/v1/responses/resp_1",
        "https://api.openai.com/v1/responses/resp_1/cancel",
        "https://api.openai.com/v1/responses/input_tokens",
        "https://api.openai.com/v1/threads/t/messages",
        "https://api.perplexity.ai/async/chat/completions",
        "https://api.anthropic.com/v1/messages/count_tokens",
        "https://api.anthropic.com/v1/messages/batches",
        "https://api.anthropic.com/v1/messages/batches/b/results",
        "https://generativelanguage.googleapis.com/v1beta/models/g:countTokens",
        "https://generativelanguage.googleapis.com/v1beta/models/g:embedContent",
        "https://l-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict",
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/async-invoke",
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/count-tokens",
        "http://localhost:11434/api/tags",
        "http://localhost:11434/api/embed",
        "https://chat.example/v1/chat",
        "https://example.com/models/org/model",
    ] {
        check(url, "application/json", b"{\"object\":\"list\",\"data\":[]}", None);
    }
}

#[test]
fn the_first_event_tells_where_the_path_does_not() {
    let unknown = "https://gateway.example/invoke";
    for (body, protocol, framing) in [
        ("data: {\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"choi", "openai.chat", Framing::Sse),
        (": ping\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"He", "openai.chat", Framing::Sse),
        ("{\"choices\":[{\"text\":\"a\"}],\"id\":\"b\"}", "openai.completions", Framing::Json),
        ("{\"id\":\"a\",\"object\":\"text_completion\"", "openai.completions", Framing::Json),
        ("event: response.created\r\ndata: {\"type\":\"response.cr", "openai.responses", Framing::Sse),
        ("\u{feff}\n{\"id\":\"r\",\"object\":\"response\",\"output\":[", "openai.responses", Framing::Json),
        ("event: ping\ndata: {\"type\":\"ping\"}\n\nevent: message_start\ndata: {", "anthropic.messages", Framing::Sse),
        ("data: {\"message\":{\"id\":\"m\"},\"type\":\"message_start\"}\n\n", "anthropic.messages", Framing::Sse),
        (
            "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[{",
            "anthropic.messages",
            Framing::Json,
        ),
        ("{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}", "anthropic.messages", Framing::Json),
        ("event: completion\ndata: {\"completion\":\" a\"}", "anthropic.complete", Framing::Sse),
        ("[{\"candidates\": [{\"content\": {\"parts\": [{\"te", "gemini.generate_content", Framing::JsonArray),
        ("data: {\"candidates\": [{", "gemini.generate_content", Framing::Sse),
        ("{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", "gemini.generate_content", Framing::Json),
        ("data: {\"interaction\":{},\"event_type\":\"interaction.created\"}", "gemini.interactions", Framing::Sse),
        ("{\"metrics\":{},\"output\":{\"message\":{}},\"stopReason\":\"end_turn\"}", "bedrock.converse", Framing::Json),
        (
            "\0\0\0\u{40}\0\0\0\u{20}\0\0\0\0\u{b}:event-type\u{7}\0\u{c}messageStart{\"role\"",
            "bedrock.converse",
            Framing::EventStream,
        ),
        (
            "\0\0\0\u{40}\0\0\0\u{20}\0\0\0\0\u{b}:event-type\u{7}\0\u{5}chunk\r:content-type",
            "bedrock.invoke",
            Framing::EventStream,
        ),
        (
            "{\"model\":\"l\",\"created_at\":\"t\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":false}\n",
            "ollama.chat",
            Framing::Ndjson,
        ),
        ("{\"model\":\"l\",\"created_at\":\"t\",\"response\":\"\",\"done\":false}\n", "ollama.chat", Framing::Ndjson),
        ("event: message-start\ndata: {\"id\":\"a\"", "cohere.chat", Framing::Sse),
        ("{\"is_finished\":false,\"event_type\":\"stream-start\"}", "cohere.chat", Framing::Json),
        (
            "{\"id\":\"a\",\"message\":{\"role\":\"assistant\",\"content\":[]},\"finish_reason\":\"COMPLETE\"}",
            "cohere.chat",
            Framing::Json,
        ),
        (
            "id:1\nevent:result\n:HTTP_STATUS/200\ndata:{\"output\":{\"choices\":[]},\"usage\":{},\"request_id\":\"r\"}",
            "dashscope.generation",
            Framing::Sse,
        ),
        (
            "data:{\"index\":1,\"token\":{\"id\":1,\"text\":\"a\",\"special\":false}",
            "huggingface.textgen",
            Framing::Sse,
        ),
        ("[{\"generated_text\":\"a\"}]", "huggingface.textgen", Framing::JsonArray),
        ("data: {\"type\":\"start\",\"messageId\":\"m\"}", "vercel.ui_message", Framing::Sse),
    ] {
        check(unknown, "", body.as_bytes(), Some((protocol, framing)));
    }
    for body in [
        "<html>",
        "{}",
        "[]",
        "[[",
        "data: [DONE]",
        "data: {\"type\":\"start\"}",
        "{\"type\":\"message\"}",
        "{\"token\":\"a\"}",
        "{\"output\":{\"embeddings\":[]},\"request_id\":\"r\"}",
        "{\"choices\":[1,2],\"id\":1}",
        "\0\0\0\u{10}",
        "{\"a\":\"\u{e9}",
        "{\"custom_id\":\"a\",\"result\":{\"type\":\"succeeded\"}}",
    ] {
        check(unknown, "", body.as_bytes(), None);
    }
}

#[test]
fn a_shared_path_yields_to_another_shape() {
    let chunk = b"data: {\"object\":\"chat.completion.chunk\"}\n\n";
    check("https://app.example/api/chat", "text/event-stream", chunk, Some(("openai.chat", Framing::Sse)));
    check("https://app.example/api/chat", "text/event-stream", b"data: {\"a\":1}\n\n", None);
    check("https://app.example/api/chat", "text/event-stream", b"", None);
    check("/v1/chat/completions", "text/event-stream", b"event: message_start\n", Some(("openai.chat", Framing::Sse)));
    check(
        "/model/m/invoke",
        "application/json",
        b"{\"type\":\"message\",\"role\":\"a\"}",
        Some(("bedrock.invoke", Framing::Json)),
    );
    let host = "https://api.mistral.ai/other";
    check(host, "", chunk, Some(("mistral.chat", Framing::Sse)));
}

#[test]
fn framing_is_by_content_type_then_by_the_first_byte() {
    let url = "/v1/chat/completions";
    for (content_type, body, framing) in [
        ("text/event-stream;charset=UTF-8", "", Framing::Sse),
        ("text/event-stream", "{\"error\":{}}", Framing::Sse),
        ("application/json", "", Framing::Json),
        ("Application/JSON; charset=utf-8", " [{", Framing::JsonArray),
        ("application/x-ndjson", "{", Framing::Ndjson),
        ("application/stream+json", "", Framing::Ndjson),
        ("application/vnd.amazon.eventstream", "", Framing::EventStream),
        ("text/plain", "{", Framing::Json),
        ("text/plain", "data: {", Framing::Sse),
        ("", "oops", Framing::Sse),
        // Compressed, and nobody decompressed it.
        ("application/json", "\u{1f}\u{8b}", Framing::Json),
    ] {
        check(url, content_type, body.as_bytes(), Some(("openai.chat", framing)));
    }
    check("/api/chat", "application/json; charset=utf-8", b"{}", Some(("ollama.chat", Framing::Json)));
}

#[test]
fn the_ui_message_stream_has_a_header() {
    let headers = [("content-type", "text/event-stream"), ("X-Vercel-AI-UI-Message-Stream", "v1")];
    let found = Protocol::detect("https://app.example/api/chat", headers, b"").unwrap();
    assert_eq!((found.protocol, found.framing), (Protocol::VercelUiMessage, Framing::Sse));
}

proptest! {
    #[test]
    fn nothing_panics(url in "\\PC{0,60}", name in "\\PC{0,20}", value in "\\PC{0,20}", body in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Protocol::detect(&url, [(name.as_str(), value.as_str())], &body);
        let _ = Protocol::detect(&url, [("content-type", value.as_str())], &body);
    }

    #[test]
    fn no_likely_parts_panic(
        parts in prop::collection::vec(prop::sample::select(PARTS), 0..12),
        body in prop::collection::vec(prop::sample::select(BYTES), 0..12),
    ) {
        let url: String = parts.concat();
        let body: Vec<u8> = body.concat();
        let _ = Protocol::detect(&url, [], &body);
    }
}

const PARTS: &[&str] = &[
    "http",
    "://",
    "/",
    "//",
    "?",
    "#",
    "@",
    ":",
    "%3A",
    "é",
    "[::1]",
    ".",
    "publishers",
    "anthropic",
    "rawPredict",
    "v1",
    "chat",
    "completions",
    "responses",
    "model",
    "invoke",
    "mistral.ai",
];
const BYTES: &[&[u8]] = &[
    b"{",
    b"[",
    b"\"",
    b"}",
    b"]",
    b":",
    b",",
    b"data:",
    b"event:",
    b"\n",
    b"\r",
    b"\0",
    b"\xEF\xBB\xBF",
    b"\xff",
    b":event-type\x07",
    b"type",
    b"choices",
    b"\\u00",
    b" ",
];
