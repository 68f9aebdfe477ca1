//! What a record has to have in common with the schedule of the server, whatever the scenario.

use llmspan::{Nanos, Outcome, Record};
use llmspan_faults::{RequestLog, Scenario};

use crate::client::Measured;

/// The ways in which the record contradicts the schedule.
pub(crate) fn contradictions(
    scenario: &Scenario,
    measured: &Measured,
    requests: &[RequestLog],
    tolerance_ms: u64,
) -> Vec<String> {
    let mut truth = Truth { measured, tolerance: tolerance_ms * 1_000_000, found: Vec::new() };
    if requests.len() != scenario.requests {
        truth.found.push(format!("the server saw {} requests, not {}", requests.len(), scenario.requests));
    }
    for request in requests {
        truth.check_order(request);
    }
    if let Some(last) = requests.last() {
        truth.check_marks(last);
        truth.check_presence(scenario, last);
    }
    truth.check_waits(requests);
    truth.found
}

struct Truth<'a> {
    measured: &'a Measured,
    tolerance: u64,
    found: Vec<String>,
}

impl Truth<'_> {
    fn record(&self) -> &Record {
        &self.measured.record
    }

    /// A time of the record on the clock of the server.
    fn absolute(&self, since_start: Nanos) -> u64 {
        self.measured.started_at_ns + since_start.as_nanos()
    }

    fn check_order(&mut self, request: &RequestLog) {
        let marks = [
            Some(request.accepted_at_ns),
            Some(request.read_at_ns),
            request.headers_at_ns,
            request.first_visible_at_ns,
            request.last_visible_at_ns,
            request.ended_at_ns,
        ];
        if !marks.iter().flatten().is_sorted() || request.end.is_none() {
            self.found.push(format!("the schedule of request {} is out of order: {marks:?}", request.request));
        }
    }

    /// The client sees nothing before it was sent, and what was sent soon.
    fn check_marks(&mut self, last: &RequestLog) {
        let marks = self.record().marks.clone();
        let pairs = [
            ("headers", marks.headers_ns, last.headers_at_ns),
            ("first_content", marks.first_content_ns, last.first_visible_at_ns),
            ("last_content", marks.last_content_ns, last.last_visible_at_ns),
        ];
        for (name, mark, sent) in pairs {
            let (Some(mark), Some(sent)) = (mark.map(|mark| self.absolute(mark)), sent) else { continue };
            if mark < sent {
                self.found.push(format!("{name} is {} us before it was sent", (sent - mark) / 1000));
            }
            if mark > sent + self.tolerance {
                self.found.push(format!("{name} is {} ms after it was sent", (mark - sent) / 1_000_000));
            }
        }
        let (record, accepted) = (self.record(), last.accepted_at_ns);
        if let Some(setup) = record.request_setup_ns
            && self.absolute(setup) > accepted
        {
            self.found.push("the final attempt starts after its request has arrived".into());
        }
        if last.last_visible_at_ns.is_some_and(|sent| self.absolute(self.record().duration_ns) < sent) {
            self.found.push("the call ends before the last content was sent".into());
        }
    }

    /// What was seen in full has its times.
    fn check_presence(&mut self, scenario: &Scenario, last: &RequestLog) {
        let record = self.record();
        if record.outcome == Outcome::Success && scenario.stream && last.visible_writes > 0 {
            if record.ttft_ns.is_none() {
                self.found.push("a stream with visible content has no time to first token".into());
            }
        } else if last.visible_writes == 0 && record.ttft_ns.is_some() {
            self.found.push("a time to first token, although nothing visible was sent".into());
        }
    }

    /// Between two requests the client waited as long as it was asked to, and the record says how long.
    fn check_waits(&mut self, requests: &[RequestLog]) {
        let waits = self.record().waits.clone();
        for (pair, wait) in requests.windows(2).zip(&waits) {
            let planned = wait.planned_delay_ns.as_nanos();
            let actual = wait.actual_delay_ns.as_nanos();
            if actual < planned || actual > planned + self.tolerance {
                self.found.push(format!("a wait of {planned} ns took {actual} ns"));
            }
            let answered = pair[0].headers_at_ns.unwrap_or(pair[0].read_at_ns);
            if pair[1].accepted_at_ns < answered + planned {
                self.found.push(format!("request {} came too early", pair[1].request));
            }
        }
    }
}
