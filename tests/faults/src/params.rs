//! What a request asks the server to do: `key=value&key=value`, in the path or in the header `x-faults`.

use core::time::Duration;

use crate::{
    fault::{At, Fault},
    retry_after::RetryAfter,
};

/// Everything that can be asked for, for one request.
#[derive(Clone, Debug)]
pub(crate) struct Params {
    /// The run that the request belongs to: requests of one run are counted and logged together.
    pub(crate) run: Option<String>,
    /// What to do with the first request of the run, the second, …; the last one stays.
    pub(crate) plan: Vec<Fault>,
    /// Protocol, where the path belongs to several.
    pub(crate) protocol: Option<String>,

    /// Pieces of answer text.
    pub(crate) text: Option<usize>,
    /// Pieces of reasoning before the answer.
    pub(crate) reasoning: usize,
    /// Pieces of the arguments of a tool call; 0 for no call.
    pub(crate) tool: usize,
    /// Pieces of a refusal.
    pub(crate) refusal: usize,
    /// `stop`, or `length` for an answer that met the token limit.
    pub(crate) is_cut_by_length: bool,

    /// Token counts: input with the cached part, output with the reasoning.
    pub(crate) input: u64,
    pub(crate) output: u64,
    pub(crate) cached: u64,
    pub(crate) cache_write: u64,
    pub(crate) reasoning_tokens: u64,
    pub(crate) usage: Usage,
    /// Copies of the end marker.
    pub(crate) end_markers: usize,

    /// Before the head of the response.
    pub(crate) head_delay: Duration,
    /// From the head to the first visible content.
    pub(crate) first: Duration,
    /// Between visible pieces.
    pub(crate) interval: Duration,
    /// A pause of that length before visible piece `stall_at` + 1.
    pub(crate) stall: Duration,
    pub(crate) stall_at: Option<usize>,
    /// From the last visible content to the finish reason.
    pub(crate) tail: Duration,
    /// Comments or pings before the first content, an interval apart.
    pub(crate) pings: usize,

    pub(crate) write: Granularity,
    pub(crate) transfer: Transfer,
    pub(crate) gzip: Gzip,
    pub(crate) content_type: Option<String>,
    /// Where cuts, resets and error frames come.
    pub(crate) at: At,
    /// Bytes of an endless line.
    pub(crate) size: usize,
    pub(crate) error_body: ErrorBody,
    pub(crate) retry: RetryAfter,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            run: None,
            plan: Vec::new(),
            protocol: None,
            text: None,
            reasoning: 0,
            tool: 0,
            refusal: 0,
            is_cut_by_length: false,
            input: 21,
            output: 9,
            cached: 0,
            cache_write: 0,
            reasoning_tokens: 0,
            usage: Usage::Sent,
            end_markers: 1,
            head_delay: Duration::ZERO,
            first: Duration::from_millis(20),
            interval: Duration::from_millis(5),
            stall: Duration::ZERO,
            stall_at: None,
            tail: Duration::ZERO,
            pings: 0,
            write: Granularity::Event,
            transfer: Transfer::Chunked,
            gzip: Gzip::Off,
            content_type: None,
            at: At::Visible(2),
            size: 3 << 20,
            error_body: ErrorBody::Provider,
            retry: RetryAfter::default(),
        }
    }
}

impl Params {
    /// Text pieces of the answer: 4, unless something else is asked for.
    pub(crate) fn text_pieces(&self) -> usize {
        self.text.unwrap_or(if self.tool > 0 || self.refusal > 0 { 0 } else { 4 })
    }

    /// What request `number` of the run (from 1) meets.
    pub(crate) fn fault(&self, number: usize) -> Fault {
        self.plan.get(number - 1).or(self.plan.last()).copied().unwrap_or(Fault::Ok)
    }

    /// Applies a text of parameters for request `number` of a run.
    ///
    /// Without a number those that belong to all requests are applied, and the others only checked.
    pub(crate) fn apply(&mut self, text: &str, number: Option<usize>) -> Result<(), String> {
        for part in parts(text) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key.split_once('.') {
                None => self.set(key, value)?,
                Some((only, key)) => {
                    let only: usize = parse("the number of a request", only)?;
                    if number == Some(only) {
                        self.set(key, value)?;
                    } else {
                        self.clone().set(key, value)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "run" => self.run = Some(value.into()),
            "plan" => self.plan = value.split(',').map(Fault::parse).collect::<Result<_, _>>()?,
            "protocol" => self.protocol = Some(value.into()),
            "chunks" => self.text = Some(count(key, value)?),
            "reasoning" => self.reasoning = count(key, value)?,
            "tool" => self.tool = count(key, value)?,
            "refusal" => self.refusal = count(key, value)?,
            "finish" => self.is_cut_by_length = choice(key, value, &[("stop", false), ("length", true)])?,
            "input" => self.input = parse(key, value)?,
            "output" => self.output = parse(key, value)?,
            "cached" => self.cached = parse(key, value)?,
            "cache-write" => self.cache_write = parse(key, value)?,
            "reasoning-tokens" => self.reasoning_tokens = parse(key, value)?,
            "usage" => self.usage = choice(key, value, USAGES)?,
            "end" => self.end_markers = choice(key, value, &[("once", 1), ("missing", 0), ("twice", 2)])?,
            "head" => self.head_delay = millis(key, value)?,
            "first" => self.first = millis(key, value)?,
            "interval" => self.interval = millis(key, value)?,
            "stall" => self.stall = millis(key, value)?,
            "stall-at" => self.stall_at = Some(parse(key, value)?),
            "tail" => self.tail = millis(key, value)?,
            "pings" => self.pings = count(key, value)?,
            "write" => self.write = Granularity::parse(value)?,
            "body" => self.transfer = choice(key, value, TRANSFERS)?,
            "gzip" => self.gzip = choice(key, value, GZIPS)?,
            "content-type" => self.content_type = Some(value.into()),
            "at" => self.at = At::parse(value)?,
            "size" => self.size = parse(key, value)?,
            "error-body" => self.error_body = choice(key, value, ERROR_BODIES)?,
            _ => {
                if !self.retry.set(key, value)? {
                    return Err(format!("there is no parameter `{key}`"));
                }
            }
        }
        Ok(())
    }
}

/// The parts of a text of parameters. `;` separates too, but clients that read it as the begin of URL parameters move it.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(['&', ';']).map(str::trim).filter(|part| !part.is_empty())
}

/// What is said about token counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Usage {
    /// The counts, where and when the provider sends them.
    Sent,
    /// Also where the request has to ask for them and did not.
    Always,
    /// An output of a million tokens.
    Huge,
    /// None.
    Missing,
    /// A negative output.
    Negative,
    /// Zeros.
    Zero,
}

/// How bytes are grouped into writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Granularity {
    /// Everything in one write.
    Burst,
    /// That many bytes per write, at least 1.
    Bytes(usize),
    /// A write per event.
    Event,
}

impl Granularity {
    fn parse(value: &str) -> Result<Self, String> {
        match value {
            "burst" => Ok(Self::Burst),
            "byte" => Ok(Self::Bytes(1)),
            "event" => Ok(Self::Event),
            bytes => match parse("write", bytes)? {
                0 => Err("`write` takes `event`, `burst`, `byte` or a number of bytes from 1".into()),
                bytes => Ok(Self::Bytes(bytes)),
            },
        }
    }
}

/// How the body of the response is delimited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Transfer {
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// Read until the connection closes.
    Close,
    /// `Content-Length`.
    Length,
}

/// Whether the body is compressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Gzip {
    Off,
    /// With `Content-Encoding: gzip`, if the client accepts it.
    Real,
    /// Without the header: the client cannot know.
    Hidden,
}

/// The body of an HTTP error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ErrorBody {
    Empty,
    Html,
    Provider,
    Text,
}

const USAGES: &[(&str, Usage)] = &[
    ("sent", Usage::Sent),
    ("always", Usage::Always),
    ("huge", Usage::Huge),
    ("missing", Usage::Missing),
    ("negative", Usage::Negative),
    ("zero", Usage::Zero),
];

const TRANSFERS: &[(&str, Transfer)] =
    &[("chunked", Transfer::Chunked), ("close", Transfer::Close), ("length", Transfer::Length)];

const GZIPS: &[(&str, Gzip)] = &[("off", Gzip::Off), ("real", Gzip::Real), ("hidden", Gzip::Hidden)];

const ERROR_BODIES: &[(&str, ErrorBody)] = &[
    ("provider", ErrorBody::Provider),
    ("empty", ErrorBody::Empty),
    ("html", ErrorBody::Html),
    ("text", ErrorBody::Text),
];

fn choice<T: Copy>(key: &str, value: &str, choices: &[(&str, T)]) -> Result<T, String> {
    choices.iter().find(|(name, _)| *name == value).map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        format!("`{key}` takes {}, not `{value}`", names.join(", "))
    })
}

pub(crate) fn parse<T: core::str::FromStr>(key: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("`{key}` takes a number, not `{value}`"))
}

fn count(key: &str, value: &str) -> Result<usize, String> {
    let count = parse(key, value)?;
    if count > 100_000 { Err(format!("`{key}` takes at most 100000, not `{value}`")) } else { Ok(count) }
}

fn millis(key: &str, value: &str) -> Result<Duration, String> {
    let millis: f64 = parse(key, value)?;
    if !(0.0..=600_000.0).contains(&millis) {
        return Err(format!("`{key}` takes 0 to 600000 milliseconds, not `{value}`"));
    }
    Ok(Duration::from_secs_f64(millis / 1000.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_one_request_are_its_own() {
        let text = "run=r&plan=429,cut,ok&first=7.5; 2.first=40; retry-after-ms=60";
        let of = |number| {
            let mut params = Params::default();
            params.apply(text, Some(number)).unwrap();
            (params.first.as_micros(), params.fault(number))
        };
        assert_eq!(of(1), (7_500, Fault::Status(429)));
        assert_eq!(of(2), (40_000, Fault::Cut));
        assert_eq!(of(3), (7_500, Fault::Ok));
        assert_eq!(of(9), (7_500, Fault::Ok), "the last word of the plan stays");
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (text, said) in [
            ("fist=3", "no parameter `fist`"),
            ("2.fist=3", "no parameter `fist`"),
            ("first=soon", "takes a number"),
            ("first=-1", "milliseconds"),
            ("plan=ok,brake", "brake"),
            ("usage=some", "sent, always"),
            ("write=0", "from 1"),
            ("at=x", "`at`"),
        ] {
            let error = Params::default().apply(text, None).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
