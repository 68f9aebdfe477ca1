//! Spans of other libraries that stand for a call of a model.

use crate::{
    names::{Profile, call_attributes},
    record::{Attributes, Record},
};

/// Whether a span is that of one request to a model, by the attributes that some library gave it: a span of ours for the same
/// call would be counted twice.
///
/// `text` gives the text of an attribute, `None` for one that is not there. Spans of agents, chains, tools and workflows are
/// no such spans, though they may carry a model and tokens.
///
/// # Examples
/// ```
/// use llmspan_core::spans::is_model_call;
///
/// let attributes = [("gen_ai.system", "openai"), ("gen_ai.operation.name", "chat")];
/// let text = |name: &str| attributes.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
/// assert!(is_model_call(text));
/// assert!(!is_model_call(|name| (name == "gen_ai.operation.name").then_some("invoke_agent")));
/// ```
pub fn is_model_call<T: AsRef<str>>(text: impl Fn(&str) -> Option<T>) -> bool {
    let kind = KINDS.iter().find_map(|(name, kinds)| Some((text(name)?, kinds)));
    match kind {
        Some((kind, kinds)) => kinds.contains(&kind.as_ref()),
        // Instrumentations of before semantic conventions 1.27 did not name the operation.
        None => PROVIDERS.iter().any(|name| text(name).is_some()) && text(MODEL).is_some(),
    }
}

/// The names of the attributes that [`is_model_call`] asks for: hosts to which others are dear to read take these alone.
pub fn model_call_attributes() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(name, _)| *name).chain(PROVIDERS.iter().copied()).chain([MODEL])
}

/// Whether an attribute may be added to such a span, of which it is not known yet what its library will write.
///
/// Token counts that releases of the semantic conventions name differently stay away: a backend that adds up all counts would
/// take the two names of one count for two.
///
/// ```
/// use llmspan_core::spans::may_join;
///
/// assert!(may_join("gen_ai.usage.input_tokens"));
/// assert!(!may_join("gen_ai.usage.cache_creation.input_tokens"));
/// ```
pub fn may_join(name: &str) -> bool {
    !RENAMED.contains(&name)
}

/// The attributes of a call, under the names of the profiles, that may be added to such a span which has those `known`.
pub fn missing_attributes(record: &Record, profiles: &[&Profile], known: impl Fn(&str) -> bool) -> Attributes {
    let mut attributes = call_attributes(record, profiles);
    attributes.retain(|name, _| may_join(name) && !known(name));
    attributes
}

/// Names of one count up to release 1.41 and after it.
const RENAMED: &[&str] = &["gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write.input_tokens"];

/// What kind of span it is, in the words of each dialect, and the kinds that are requests to a model. The first attribute that
/// a span has decides.
const KINDS: &[(&str, &[&str])] = &[
    // Semantic conventions of OpenTelemetry; `completion` is that of instrumentations older than they are.
    ("gen_ai.operation.name", &["chat", "completion", "embeddings", "generate_content", "text_completion"]),
    ("openinference.span.kind", &["EMBEDDING", "LLM", "RERANKER"]),
    // OpenLLMetry.
    ("llm.request.type", &["chat", "completion", "embedding", "rerank"]),
    ("langfuse.observation.type", &["embedding", "generation"]),
    // The Vercel AI SDK has a span around each of these, which stays the parent.
    (
        "ai.operationId",
        &[
            "ai.embed.doEmbed",
            "ai.embedMany.doEmbed",
            "ai.generateObject.doGenerate",
            "ai.generateText.doGenerate",
            "ai.streamObject.doStream",
            "ai.streamText.doStream",
        ],
    ),
];

const MODEL: &str = "gen_ai.request.model";

/// Attributes that tell the provider, of which a span of a request has one.
const PROVIDERS: &[&str] = &["gen_ai.provider.name", "gen_ai.system"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Usage;

    fn found(attributes: &[(&str, &'static str)]) -> bool {
        is_model_call(|name| attributes.iter().find(|(known, _)| *known == name).map(|(_, text)| *text))
    }

    #[test]
    fn spans_of_requests() {
        assert!(found(&[("gen_ai.operation.name", "text_completion")]));
        assert!(found(&[("openinference.span.kind", "LLM")]));
        assert!(found(&[("llm.request.type", "chat")]));
        assert!(found(&[("gen_ai.system", "openai"), ("gen_ai.request.model", "gpt-4.1")]));
        assert!(found(&[("ai.operationId", "ai.streamText.doStream"), ("gen_ai.system", "openai")]));
    }

    #[test]
    fn spans_of_others() {
        assert!(!found(&[]));
        assert!(!found(&[("http.request.method", "POST"), ("server.address", "api.openai.com")]));
        assert!(!found(&[("gen_ai.operation.name", "execute_tool"), ("gen_ai.provider.name", "openai")]));
        assert!(!found(&[("openinference.span.kind", "AGENT"), ("gen_ai.system", "openai")]));
        assert!(!found(&[("ai.operationId", "ai.streamText"), ("gen_ai.request.model", "gpt-4.1")]));
        assert!(!found(&[("gen_ai.system", "openai")]), "an agent may name a provider");
    }

    #[test]
    fn the_first_kind_decides() {
        let agent = [("gen_ai.operation.name", "invoke_agent"), ("gen_ai.system", "x"), ("gen_ai.request.model", "m")];
        assert!(!found(&agent));
    }

    #[test]
    fn what_a_span_lacks_of_a_call() {
        let usage =
            Usage { input_tokens: Some(3), cache_write_tokens: Some(2), output_tokens: Some(5), ..Usage::default() };
        let record = Record { model: Some("m".into()), usage: Some(usage), ..Record::default() };
        let missing = |known: &str| {
            let profiles = Profile::by_names(["otel-1.41"]).unwrap();
            missing_attributes(&record, &profiles, |name| name == known)
        };
        let (all, some) = (missing(""), missing("gen_ai.usage.output_tokens"));
        assert_eq!(all.get("gen_ai.usage.output_tokens"), Some(&5_i64.into()));
        assert_eq!(some.len(), all.len() - 1);
        assert!(!some.contains_key("gen_ai.usage.output_tokens"));
        assert!(
            !all.contains_key("gen_ai.usage.cache_creation.input_tokens"),
            "its name is not the same in all releases"
        );
    }
}
