//! Models with a text API of their own: Titan, Llama, Mistral and Jurassic. No field of one means another thing to the
//! next, so that one reader serves them all.
//!
//! Sources: "Inference request parameters and response fields for foundation models" in the Amazon Bedrock user guide.

use crate::delta::{ChoiceDelta, ContentKind, Delta, RawUsage, Terminal};
use crate::provider::accounting::{Accounting, Tally};
use crate::provider::lenient::{Code, Count, List, Str, Text, object};
use crate::provider::source::Input;

/// Reads one event or one whole answer.
pub(super) fn decode<'a>(delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
    let mut event = Event::default();
    if json.fill(&mut event).is_none() {
        delta.decode_errors = 1;
        return;
    }
    delta.chunk = true;
    delta.whole = body;
    delta.response_id = core::mem::take(&mut event.id).label();
    delta.add_text(ContentKind::Text, event.output_text.bytes + event.generation.bytes);
    let mut tally = Tally::default();
    let mut output = tally.take(event.output);
    for (index, answer) in (0..).zip(&mut event.answers.0) {
        delta.add_text(ContentKind::Text, answer.text.bytes + answer.data.text.bytes);
        let finish_reason = answer.reason.take().or_else(|| answer.finish.reason.take());
        delta.choices.push(ChoiceDelta { index, finish_reason });
        if let Some(count) = tally.take(answer.count) {
            output = Some(output.unwrap_or(0).saturating_add(count));
        }
    }
    if event.answers.0.is_empty() {
        delta.choices.push(ChoiceDelta { index: 0, finish_reason: event.reason.take() });
    }
    // Titan and Llama count the whole input and all of the output so far; the others count nothing. None of them knows a
    // cache or reasoning.
    let raw = RawUsage { input: tally.take(event.input), output, ..RawUsage::default() };
    delta.usage = Accounting::PLAIN.report(raw, tally.rejected);
    delta.terminal = if body { Terminal::Yes } else { Terminal::WhenEveryChoiceFinished };
}

object! {
    struct Event<'a> {
        // A number, of Jurassic.
        "id" => id: Code<'a>,
        "outputText" => output_text: Text,
        "generation" => generation: Text,
        // Titan's name and Llama's for each.
        "completionReason" | "stop_reason" => reason: Str<'a>,
        "inputTextTokenCount" | "prompt_token_count" => input: Count,
        "totalOutputTextTokenCount" | "generation_token_count" => output: Count,
        // Of a whole answer of Titan, of every event of Mistral, of an answer of Jurassic.
        "results" | "outputs" | "completions" => answers: List<Answer<'a>, 1>,
    }
}

object! {
    struct Answer<'a> {
        "outputText" | "text" => text: Text,
        "data" => data: Data,
        "completionReason" | "stop_reason" => reason: Str<'a>,
        "finishReason" => finish: Finish<'a>,
        "tokenCount" => count: Count,
    }
}

object! {
    struct Data { "text" => text: Text }
}

object! {
    struct Finish<'a> { "reason" => reason: Str<'a> }
}
