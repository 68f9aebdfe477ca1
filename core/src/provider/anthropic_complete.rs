//! `anthropic.complete`: the older text completions of Anthropic, and of Claude models at Bedrock.
//!
//! Each event brings the next piece of `completion`; the one that ends the answer has a stop reason. There is no usage.
//! Servers asked for the version 2023-01-01 repeat the whole completion in every event: their marks hold, the sizes do not.

use super::error::ErrorField;
use super::lenient::{Str, Text, object};
use super::source::Input;
use crate::delta::{ChoiceDelta, ContentKind, Delta, Terminal};

/// Reads one event, one whole completion or one error body.
pub(super) fn decode<'a>(delta: &mut Delta<'a>, json: Input<'a>, body: bool) {
    let mut event = Event::default();
    match json.fill(&mut event) {
        Some(()) => event.write(delta, body),
        None => delta.decode_errors = 1,
    }
}

object! {
    struct Event<'a> {
        "type" => kind: Str<'a>,
        "id" => id: Str<'a>,
        "completion" => completion: Text,
        "stop_reason" => stop_reason: Str<'a>,
        "model" => model: Str<'a>,
        // The same as `id`, and all there is before version 2023-06-01.
        "log_id" => log_id: Str<'a>,
        "error" => error: ErrorField<'a>,
    }
}

impl<'a> Event<'a> {
    fn write(&mut self, delta: &mut Delta<'a>, body: bool) {
        if self.kind.is("ping") {
            delta.keep_alives = 1;
            return;
        }
        delta.chunk = true;
        delta.whole = body;
        delta.error = self.error.take();
        if delta.error.is_some() {
            return;
        }
        delta.add_text(ContentKind::Text, self.completion.bytes);
        delta.response_id = self.id.take().or_else(|| self.log_id.take());
        delta.response_model = self.model.take();
        let finish_reason = self.stop_reason.take();
        if finish_reason.is_some() {
            delta.terminal = Terminal::Yes;
            delta.choices.push(ChoiceDelta { index: 0, finish_reason });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, body: bool) -> Delta<'_> {
        let mut delta = Delta::default();
        decode(&mut delta, Input::Json(json.as_bytes()), body);
        delta
    }

    #[test]
    fn a_stop_reason_ends_the_completion() {
        let piece = read(
            r#"{"type":"completion","id":"compl_1","completion":" Hi","stop_reason":null,"model":"claude-2.1","stop":null,"log_id":"compl_1"}"#,
            false,
        );
        assert_eq!((piece.bytes[0], piece.terminal, piece.choices.len()), (3, Terminal::No, 0));
        assert_eq!(
            (piece.response_id.as_deref(), piece.response_model.as_deref()),
            (Some("compl_1"), Some("claude-2.1"))
        );
        let end = read(
            r#"{"type":"completion","completion":"","stop_reason":"stop_sequence","stop":"\n\nHuman:","log_id":"l"}"#,
            false,
        );
        assert!(end.visible.is_empty() && end.terminal == Terminal::Yes);
        assert_eq!(
            (end.choices[0].finish_reason.as_deref(), end.response_id.as_deref()),
            (Some("stop_sequence"), Some("l"))
        );
    }

    #[test]
    fn a_whole_completion_is_read_at_once() {
        let whole =
            read(r#"{"type":"completion","completion":" Hi there","stop_reason":"max_tokens","stop":null}"#, true);
        assert!(whole.whole && whole.terminal == Terminal::Yes);
        assert_eq!((whole.bytes[0], whole.choices[0].finish_reason.as_deref()), (9, Some("max_tokens")));
    }

    #[test]
    fn pings_are_no_chunks_and_errors_have_their_type() {
        let ping = read(r#"{"type":"ping"}"#, false);
        assert!(!ping.chunk && ping.keep_alives == 1);
        let error = read(r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#, false);
        assert!(error.chunk && error.terminal == Terminal::No);
        assert_eq!(error.error.unwrap().error_type.as_deref(), Some("overloaded_error"));
        assert!(read(r#"{"type":"later","completion":7}"#, false).visible.is_empty());
        assert_eq!(read("{", false).decode_errors, 1);
    }
}
