//! Definitions: whose figure, which one, and why it is as it is.

use alloc::{string::String, vec::Vec};
use core::fmt;

use serde::{Serialize, Serializer};

use super::tools;
use crate::{
    fields::{Write, list_to_json, write_string, written},
    record::Record,
    time::Nanos,
};

/// One figure as one tool would report it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Definition {
    /// Whose figure it is.
    pub tool: Tool,
    /// Which figure.
    pub metric: Metric,
    /// The figure; absent when a record does not hold what it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Measure>,
    /// The shortest and the longest time that it can be, ends included; only where `value` is absent.
    #[serde(rename = "between_ns", skip_serializing_if = "Option::is_none")]
    pub between: Option<[Nanos; 2]>,
    /// How the tool computes it, in one sentence.
    pub rule: &'static str,
    /// Why there is no value; absent when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_absent: Option<&'static str>,
}

/// A value with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Measure {
    /// Tokens per second, not rounded; finite and not negative.
    #[serde(rename = "per_second")]
    PerSecond(f64),
    /// A time; of a mean, rounded down to nanoseconds.
    #[serde(rename = "time_ns")]
    Time(Nanos),
}

/// Definitions as a JSON list, as their `serde` form is.
///
/// ```
/// use llmspan_core::{definitions::to_json, record::Record};
///
/// assert!(to_json(&Record::default().definitions()).starts_with(r#"[{"tool":"llmspan","metric":"#));
/// ```
pub fn to_json(definitions: &[Definition]) -> String {
    list_to_json(definitions)
}

written! { Definition, skips None { tool, metric, value, between as "between_ns", rule, why_absent } }

impl Write for Measure {
    fn write(&self, out: &mut String) {
        let (unit, value): (_, &dyn Write) = match self {
            Self::PerSecond(value) => ("{\"per_second\":", value),
            Self::Time(value) => ("{\"time_ns\":", value),
        };
        out.push_str(unit);
        value.write(out);
        out.push('}');
    }
}

macro_rules! words {
    ($(#[$enum_meta:meta])* $name:ident { $($(#[$meta:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$enum_meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$meta])* $variant,)*
        }

        impl $name {
            /// All of them, in the order in which definitions come.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code, in snake case.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.code())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.code())
            }
        }

        impl Write for $name {
            fn write(&self, out: &mut String) {
                write_string(out, self.code());
            }
        }
    };
}

words! {
    /// A tool or convention with figures of its own.
    Tool {
        /// The values of the record.
        Llmspan = "llmspan",
        /// The benchmark of vLLM.
        Vllm = "vllm",
        /// The benchmark of `SGLang`.
        Sglang = "sglang",
        /// NVIDIA `AIPerf`.
        Aiperf = "aiperf",
        /// NVIDIA `GenAI-Perf`, the one before it.
        GenaiPerf = "genai_perf",
        /// Anyscale `LLMPerf`.
        Llmperf = "llmperf",
        /// `GuideLLM` of the vLLM project.
        Guidellm = "guidellm",
        /// The OpenTelemetry metrics of LiteLLM.
        Litellm = "litellm",
        /// The Prometheus metrics of LiteLLM.
        LitellmPrometheus = "litellm_prometheus",
        /// The semantic conventions of OpenTelemetry.
        Otel = "otel",
        /// Version 7 of the Vercel AI SDK.
        Vercel = "vercel",
    }
}

impl Tool {
    /// The repository of the tool, and the files in it that hold the rules.
    pub const fn source(self) -> &'static str {
        match self {
            Self::Llmspan => "llmspan: core/src/machine/timing.rs",
            Self::Vllm => "vllm-project/vllm: vllm/benchmarks/lib/endpoint_request_func.py, vllm/benchmarks/serve.py",
            Self::Sglang => "sgl-project/sglang: python/sglang/benchmark/serving.py",
            Self::Aiperf => "ai-dynamo/aiperf: src/aiperf/metrics/types, src/aiperf/endpoints/openai_chat.py",
            Self::GenaiPerf => {
                "triton-inference-server/perf_analyzer: genai-perf/genai_perf/profile_data_parser/llm_profile_data_parser.py"
            }
            Self::Llmperf => {
                "ray-project/llmperf: src/llmperf/ray_clients/openai_chat_completions_client.py, token_benchmark_ray.py"
            }
            Self::Guidellm => {
                "vllm-project/guidellm: src/guidellm/schemas/base/request_stats.py, src/guidellm/backends/openai"
            }
            Self::Litellm => "BerriAI/litellm: litellm/integrations/opentelemetry.py",
            Self::LitellmPrometheus => "BerriAI/litellm: litellm/integrations/prometheus.py",
            Self::Otel => "open-telemetry/semantic-conventions: docs/gen-ai",
            Self::Vercel => {
                "vercel/ai: packages/ai/src/generate-text/is-output-chunk.ts, \
                 packages/ai/src/generate-text/calculate-tokens-per-second.ts"
            }
        }
    }
}

words! {
    /// A figure that several tools have.
    Metric {
        /// Time to first token, under whatever name.
        TimeToFirstToken = "time_to_first_token",
        /// Time to the first output that is not reasoning.
        TimeToFirstOutput = "time_to_first_output",
        /// Time from the first token to the second.
        TimeToSecondToken = "time_to_second_token",
        /// Time between tokens or between chunks, as a mean of the call.
        InterTokenLatency = "inter_token_latency",
        /// Time per output token.
        TimePerOutputToken = "time_per_output_token",
        /// Output tokens per second, the time to first token left out.
        Throughput = "throughput",
        /// Output tokens per second of the whole request.
        RequestThroughput = "request_throughput",
    }
}

impl Record {
    /// Gives the figures that other tools would report for this call, tool by tool.
    ///
    /// A figure that a tool does not have is not in the list; one that cannot be told is there without a value.
    ///
    /// # Examples
    /// ```
    /// use llmspan_core::{
    ///     config::Config,
    ///     definitions::{Measure, Metric, Tool},
    ///     engine::Tracker,
    ///     event::read_log,
    ///     time::Nanos,
    /// };
    ///
    /// let log = r#"
    /// {"at_ns": 0, "event": "call_started", "stream": true}
    /// {"at_ns": 0, "event": "attempt_started"}
    /// {"at_ns": 200, "event": "chunk", "content": "text"}
    /// {"at_ns": 300, "event": "chunk", "content": "text"}
    /// {"at_ns": 360, "event": "chunk", "usage": {"output_tokens": 11}, "terminal": true}
    /// {"at_ns": 360, "event": "call_ended"}
    /// "#;
    /// let mut tracker = Tracker::new(Config::default())?;
    /// for event in read_log(log)? {
    ///     tracker.handle_event(&event);
    /// }
    /// let record = tracker.poll_record().expect("the call has ended");
    /// let per_token = |tool: Tool, metric: Metric| {
    ///     let all = record.definitions();
    ///     all.iter().find(|one| (one.tool, one.metric) == (tool, metric)).and_then(|one| one.value)
    /// };
    /// // SGLang goes to the end of the response, AIPerf to the last content, guidellm has the time to first token inside.
    /// let time = |nanos| Some(Measure::Time(Nanos::from_nanos(nanos)));
    /// assert_eq!(per_token(Tool::Sglang, Metric::TimePerOutputToken), time(16));
    /// assert_eq!(per_token(Tool::Aiperf, Metric::InterTokenLatency), time(10));
    /// assert_eq!(per_token(Tool::Guidellm, Metric::TimePerOutputToken), time(27));
    /// # Ok::<(), llmspan_core::error::Error>(())
    /// ```
    pub fn definitions(&self) -> Vec<Definition> {
        tools::definitions(self)
    }
}
