//! What is written to a client and when: a response, planned before its first byte.

use core::time::Duration;
use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

use crate::{
    bodies::{Answer, Event},
    fault::{At, Fault},
    params::{Granularity, Params},
    protocol::Route,
    schedule::Mark,
};

/// Bytes that are handed over together, after a pause.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) pause: Duration,
    pub(crate) bytes: Vec<u8>,
    pub(crate) holds: Vec<Mark>,
}

/// A body in steps, and what becomes of the connection behind it.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
    pub(crate) last: Last,
}

/// What comes behind the last step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Last {
    /// The end of the body, of which all was sent.
    Complete,
    /// The end of the body, although more should have come.
    Cut,
    /// FIN, inside the body.
    Drop,
    /// Nothing, until the client gives up.
    Hang,
    /// RST.
    Reset,
}

impl Script {
    /// A stream.
    pub(crate) fn stream(route: &Route, answer: &Answer, params: &Params, fault: Fault) -> Self {
        let mut script = Self { steps: timeline(route, answer, params), last: Last::Complete };
        match fault {
            Fault::Cut | Fault::Drop | Fault::Hang | Fault::Reset => script.cut_at(params.at, fault),
            Fault::EndlessLine => {
                script.cut_at(At::Visible(0), fault);
                let bytes = route.framing.endless(params.size);
                script.steps.push(Step { pause: params.first, bytes, holds: vec![Mark::Filler] });
            }
            Fault::ErrorFrame => {
                script.cut_at(params.at, fault);
                let count = script.steps.iter().filter(|step| !step.holds.contains(&Mark::KeepAlive)).count();
                let mut pause = params.interval;
                for (index, event) in (count..).zip(route.protocol.error_events(answer)) {
                    script.steps.push(Step { pause, bytes: route.framing.frame(&event, index), holds: event.marks });
                    pause = Duration::ZERO;
                }
                script.close(route);
            }
            Fault::Ok | Fault::Status(_) => script.close(route),
            Fault::PingsOnly => {
                let bytes = route.protocol.keep_alive(route.framing).unwrap_or_default();
                script.steps = keep_alives(&bytes, params.pings.max(3), params.interval);
                script.last = Last::Cut;
            }
        }
        script.mark_first_and_last();
        script.grouped(params)
    }

    /// A body that is no stream. It comes at once.
    pub(crate) fn whole(bytes: Vec<u8>, params: &Params, fault: Fault) -> Self {
        let half = u64::try_from(bytes.len() / 2).unwrap_or(0);
        let mut script =
            Self { steps: vec![Step { pause: Duration::ZERO, bytes, holds: vec![Mark::Body] }], last: Last::Complete };
        if matches!(fault, Fault::Cut | Fault::Drop | Fault::Hang | Fault::Reset) {
            let at = if let At::Visible(_) = params.at { At::Byte(half) } else { params.at };
            script.cut_at(at, fault);
        }
        script
    }

    /// Compresses the body. Every step can be decompressed as soon as it is there.
    pub(crate) fn compressed(mut self) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let count = self.steps.len();
        for (at, step) in self.steps.iter_mut().enumerate() {
            // Writing to a vector cannot fail.
            let _infallible = encoder.write_all(&step.bytes).and_then(|()| encoder.flush());
            if at + 1 == count && self.last == Last::Complete {
                let _infallible = encoder.try_finish();
            }
            step.bytes = core::mem::take(encoder.get_mut());
        }
        self
    }

    /// Bytes of the body.
    pub(crate) fn length(&self) -> usize {
        self.steps.iter().map(|step| step.bytes.len()).sum()
    }

    /// Leaves out what comes at that place and behind it.
    fn cut_at(&mut self, at: At, fault: Fault) {
        self.last = match fault {
            Fault::Drop => Last::Drop,
            Fault::Hang => Last::Hang,
            Fault::Reset => Last::Reset,
            _ => Last::Cut,
        };
        match at {
            At::Head => self.steps.clear(),
            At::Visible(0) => {
                let first = self.steps.iter().position(Step::is_visible);
                self.steps.truncate(first.unwrap_or(0));
            }
            At::Visible(pieces) => {
                let visible = self.steps.iter().enumerate().filter(|(_, step)| step.is_visible());
                let last = visible.take(pieces).last().map_or(0, |(at, _)| at + 1);
                self.steps.truncate(last);
            }
            At::Byte(bytes) => self.cut_at_byte(usize::try_from(bytes).unwrap_or(usize::MAX), fault),
        }
    }

    fn cut_at_byte(&mut self, bytes: usize, fault: Fault) {
        let mut left = bytes;
        let whole = self.steps.iter().take_while(|step| {
            let fits = step.bytes.len() <= left;
            left -= if fits { step.bytes.len() } else { 0 };
            fits
        });
        let whole = whole.count();
        self.steps.truncate(whole + 1);
        if whole == self.steps.len() {
            return;
        }
        if left == 0 || fault == Fault::ErrorFrame {
            // An error frame comes between events.
            self.steps.truncate(whole);
        } else {
            // What is not written to its end holds nothing.
            self.steps[whole].bytes.truncate(left);
            self.steps[whole].holds.clear();
        }
    }

    /// Ends a stream that was written to its end.
    fn close(&mut self, route: &Route) {
        self.last = Last::Complete;
        if let (Some(closing), Some(last)) = (route.framing.closing(), self.steps.last_mut()) {
            last.bytes.extend(closing);
        }
    }

    fn mark_first_and_last(&mut self) {
        let (first, last) =
            (self.steps.iter().position(Step::is_visible), self.steps.iter().rposition(Step::is_visible));
        if let (Some(first), Some(last)) = (first, last) {
            self.steps[first].holds.push(Mark::FirstVisible);
            self.steps[last].holds.push(Mark::LastVisible);
        }
    }

    /// Puts everything into one step, if that is asked for. It comes when the first content would.
    fn grouped(self, params: &Params) -> Self {
        if params.write != Granularity::Burst || self.steps.is_empty() {
            return self;
        }
        let mut all = Step { pause: params.first, bytes: Vec::new(), holds: Vec::new() };
        for step in self.steps {
            all.bytes.extend(step.bytes);
            all.holds.extend(step.holds);
        }
        Self { steps: vec![all], last: self.last }
    }
}

impl Step {
    fn is_visible(&self) -> bool {
        self.holds.iter().any(|mark| mark.is_visible())
    }
}

/// The steps of a stream that nothing goes wrong with.
fn timeline(route: &Route, answer: &Answer, params: &Params) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut visible = 0;
    let mut tail = params.tail;
    for (index, event) in with_end_markers(route.protocol.events(answer), params.end_markers).enumerate() {
        let mut pause = Duration::ZERO;
        if event.is_visible() {
            pause = params.interval;
            if visible == 0 {
                pause = params.first;
                if let Some(bytes) = route.protocol.keep_alive(route.framing) {
                    let pings = keep_alives(&bytes, params.pings, params.interval);
                    pause = pause.saturating_sub(pings.iter().map(|ping| ping.pause).sum());
                    steps.extend(pings);
                }
            }
            if params.stall_at.unwrap_or(2) == visible {
                pause += params.stall;
            }
            visible += 1;
        } else if event.is_of_the_end() {
            // Without visible content the answer still takes its time.
            pause = core::mem::take(&mut tail) + if visible == 0 { params.first } else { Duration::ZERO };
            visible = visible.max(1);
        }
        steps.push(Step { pause, bytes: route.framing.frame(&event, index), holds: event.marks });
    }
    steps
}

fn keep_alives(bytes: &[u8], count: usize, pause: Duration) -> Vec<Step> {
    let count = if bytes.is_empty() { 0 } else { count };
    vec![Step { pause, bytes: bytes.into(), holds: vec![Mark::KeepAlive] }; count]
}

/// The events with as many copies of each end marker.
fn with_end_markers(events: Vec<Event>, copies: usize) -> impl Iterator<Item = Event> {
    events.into_iter().flat_map(move |event| {
        let copies = if event.holds(Mark::End) { copies } else { 1 };
        core::iter::repeat_n(event, copies)
    })
}

impl Event {
    fn is_of_the_end(&self) -> bool {
        self.marks.iter().any(|mark| matches!(mark, Mark::End | Mark::Finish | Mark::Usage))
    }
}
