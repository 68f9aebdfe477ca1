//! The `Server-Timing` header of the W3C: `db;dur=53.2;desc="a, b", total;dur=80`.

use super::reading::{NANOS_PER_MILLI, decimal};
use crate::time::Nanos;

/// The server's total in one header, with the rank of its metric.
pub(super) fn total(header: &str) -> Option<(usize, Nanos)> {
    let mut best: Option<(usize, Nanos)> = None;
    for metric in Parts::of(header, b',') {
        let mut parts = Parts::of(metric, b';');
        let name = parts.next().unwrap_or_default();
        let Some(rank) = TOTALS.iter().position(|total| name.eq_ignore_ascii_case(total)) else { continue };
        if let Some(total) = parts.find_map(duration).filter(|_| best.is_none_or(|(known, _)| rank < known)) {
            best = Some((rank, total));
        }
    }
    best
}

/// Metrics that stand for the work behind the answer, the best first. Others are parts of it, or about caches and connections.
///
/// - `total` is the W3C's own example of a whole.
/// - `x-originResponse` is what Anthropic's edge waited for the API behind it.
/// - `gfet4t7` is what Google's front end waited for the service behind it.
/// - `origin`, once `cfOrigin`, is what Cloudflare waited for the server behind it.
const TOTALS: [&str; 5] = ["total", "x-originResponse", "gfet4t7", "origin", "cfOrigin"];

/// The value of a `dur` parameter, in milliseconds, as a token or a quoted string.
fn duration(parameter: &str) -> Option<Nanos> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim_end().eq_ignore_ascii_case("dur") {
        return None;
    }
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    decimal(value, NANOS_PER_MILLI)
}

/// The parts of a text between separators that are not quoted, without the white space around them.
struct Parts<'a> {
    rest: Option<&'a str>,
    separator: u8,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str, separator: u8) -> Self {
        Self { rest: Some(text), separator }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.rest.take()?;
        let (mut is_quoted, mut is_escaped) = (false, false);
        let end = text.bytes().position(|byte| {
            let was_escaped = core::mem::take(&mut is_escaped);
            match byte {
                _ if was_escaped => {}
                b'\\' if is_quoted => is_escaped = true,
                b'"' => is_quoted = !is_quoted,
                _ => return byte == self.separator && !is_quoted,
            }
            false
        });
        let Some((part, rest)) = end.and_then(|end| text.split_at_checked(end)) else { return Some(text.trim()) };
        self.rest = rest.get(1..);
        Some(part.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_found_among_other_metrics() {
        for (header, expected) in [
            ("total;dur=80", Some((0, 80_000))),
            ("db;dur=53.2;desc=\"a, total;dur=1; \\\" b\", Total ; desc=x ; DUR = 80.25", Some((0, 80_250))),
            ("origin;dur=100, edge;dur=20, x-originResponse;dur=\"90\"", Some((1, 90_000))),
            ("gfet4t7; dur=1578", Some((2, 1_578_000))),
            ("cfOrigin;dur=0", Some((4, 0))),
            ("total;dur=-1, origin;dur=7", Some((3, 7_000))),
            ("total;dur=1;dur=2", Some((0, 1_000))),
            ("total;duration=5", None),
            ("total", None),
            ("total;dur=1e3", None),
            ("cfL4;desc=\"?proto=TCP&rtt=24558\"", None),
            ("db;dur=53, app;dur=47.2", None),
            ("total;desc=\"open;dur=5", None),
            ("\\\";,=", None),
            ("", None),
        ] {
            let expected = expected.map(|(rank, micros): (usize, u64)| (rank, Nanos::from_nanos(micros * 1_000)));
            assert_eq!(total(header), expected, "{header}");
        }
    }
}
