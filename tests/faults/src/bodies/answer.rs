//! What is said, whatever the protocol.

/// An answer, in the pieces in which a stream brings it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Letters and digits; families put their prefix before it.
    pub(crate) id: String,
    /// Seconds since the Unix epoch.
    pub(crate) created: u64,
    pub(crate) model: String,
    /// In the order of reasoning, text, refusal, tool call.
    pub(crate) pieces: Vec<Piece>,
    pub(crate) finish: Finish,
    /// `None`: the provider says nothing about tokens.
    pub(crate) counts: Option<Counts>,
    /// Whether the request asked for counts in the stream, where it has to.
    pub(crate) wants_usage: bool,
    /// Whether each event of the stream should bring the text so far, not a piece of it.
    pub(crate) is_cumulative: bool,
}

/// A visible piece.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Piece {
    Reasoning(String),
    Refusal(String),
    Text(String),
    /// A piece of the JSON text of a tool call's arguments.
    Tool(String),
}

/// Why the answer ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Finish {
    Length,
    Refusal,
    Stop,
    Tool,
}

/// Token counts: the input with what came from or went to the cache, the output with the reasoning.
///
/// Families that count otherwise subtract. Numbers are signed so that a server can lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) input: i64,
    pub(crate) output: i64,
    pub(crate) cached: i64,
    pub(crate) cache_write: i64,
    pub(crate) reasoning: i64,
}

impl Counts {
    /// Input that has nothing to do with a cache.
    pub(crate) const fn fresh_input(&self) -> i64 {
        self.input - self.cached - self.cache_write
    }

    /// Output without the reasoning.
    pub(crate) const fn answer_output(&self) -> i64 {
        self.output - self.reasoning
    }

    pub(crate) const fn total(&self) -> i64 {
        self.input + self.output
    }
}

impl Answer {
    /// The text of the answer.
    pub(crate) fn text(&self) -> String {
        self.join(|piece| if let Piece::Text(text) = piece { Some(text) } else { None })
    }

    /// The reasoning.
    pub(crate) fn reasoning(&self) -> String {
        self.join(|piece| if let Piece::Reasoning(text) = piece { Some(text) } else { None })
    }

    /// The text of the refusal.
    pub(crate) fn refusal(&self) -> String {
        self.join(|piece| if let Piece::Refusal(text) = piece { Some(text) } else { None })
    }

    /// The arguments of the tool call as JSON text; `None` without a call.
    pub(crate) fn arguments(&self) -> Option<String> {
        let has_call = self.pieces.iter().any(|piece| matches!(piece, Piece::Tool(_)));
        has_call.then(|| self.join(|piece| if let Piece::Tool(text) = piece { Some(text) } else { None }))
    }

    /// The arguments of the tool call as an object; `None` without a call.
    pub(crate) fn arguments_object(&self) -> Option<serde_json::Value> {
        self.arguments().map(|text| serde_json::from_str(&text).unwrap_or_default())
    }

    /// The pieces, with all pieces of a tool call in one: for providers that send a call whole.
    pub(crate) fn with_whole_call(&self) -> Vec<Piece> {
        let mut pieces: Vec<Piece> =
            self.pieces.iter().filter(|piece| !matches!(piece, Piece::Tool(_))).cloned().collect();
        pieces.extend(self.arguments().map(Piece::Tool));
        pieces
    }

    fn join<'a>(&'a self, part: impl Fn(&'a Piece) -> Option<&'a String>) -> String {
        self.pieces.iter().filter_map(part).map(String::as_str).collect()
    }
}

/// The name of the tool that answers call.
pub(super) const TOOL: &str = "get_weather";
