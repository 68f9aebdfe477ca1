//! A call on a virtual clock, for scenarios: `sim.at_ms(120).text()`.

use alloc::sync::Arc;

use llmspan_core::{
    config::Config,
    delta::ContentKind,
    engine::Call,
    event::{Chunk, Event, ReportedUsage},
    machine::{AttemptStart, CallStart, Failure, Retry},
    provider::Protocol,
    record::{Record, WaitReason},
    time::{Nanos, Timestamp},
};

/// A streamed chat call whose time is what the scenario says it is.
#[derive(Debug)]
pub struct Sim {
    call: Call,
    now: Timestamp,
}

impl Sim {
    /// Begins a streamed call at time 0.
    pub fn streamed(config: Config) -> Self {
        let start = CallStart::new("chat").with_provider("openai").with_model("gpt-4.1-mini").streamed();
        Self::with_start(config, start)
    }

    /// Begins a call at time 0.
    pub fn with_start(config: Config, start: CallStart) -> Self {
        let now = Timestamp::default();
        Self { call: Call::new(Arc::new(config), now, start), now }
    }

    /// Moves the clock to a time, in milliseconds from the start of the call.
    pub fn at_ms(&mut self, millis: u64) -> &mut Self {
        self.now = Timestamp::from_millis(millis);
        self
    }

    /// Any event at this time.
    #[expect(clippy::needless_pass_by_value, reason = "events are made where they are told")]
    pub fn event(&mut self, event: Event) -> &mut Self {
        self.call.handle_event(self.now, None, &event);
        self
    }

    /// An attempt begins.
    pub fn attempt(&mut self) -> &mut Self {
        self.event(Event::AttemptStarted(Box::default()))
    }

    /// An attempt with another model begins.
    pub fn attempt_with_model(&mut self, model: &str) -> &mut Self {
        self.event(Event::AttemptStarted(Box::new(AttemptStart::default().with_model(model))))
    }

    /// A chunk of text comes.
    pub fn text(&mut self) -> &mut Self {
        self.event(Event::Chunk(Box::new(Chunk::of(ContentKind::Text))))
    }

    /// Raw bytes of the response come.
    pub fn bytes(&mut self, protocol: Protocol, bytes: &[u8]) -> &mut Self {
        self.event(Event::Bytes(protocol, bytes.to_vec()))
    }

    /// The response is complete, with these token counts.
    pub fn complete(&mut self, input: u64, output: u64) -> &mut Self {
        let mut chunk = Chunk::default();
        chunk.finish_reasons = vec![Some("stop".into())];
        chunk.usage = Some(ReportedUsage::of(input, output));
        chunk.terminal = true;
        self.event(Event::Chunk(Box::new(chunk)))
    }

    /// The attempt fails with a status.
    pub fn fails(&mut self, status: u16) -> &mut Self {
        self.event(Event::AttemptFailed(Box::new(Failure::of_status(status))))
    }

    /// A retry is scheduled.
    pub fn waits_ms(&mut self, millis: u64, reason: WaitReason) -> &mut Self {
        self.event(Event::RetryScheduled(Retry::after(Nanos::from_millis(millis), reason)))
    }

    /// Time passes, and nobody reports anything.
    pub fn tick(&mut self) -> &mut Self {
        self.event(Event::Tick)
    }

    /// The call ends; gives its record, or nothing if it was taken before.
    pub fn end(&mut self) -> Option<Record> {
        self.event(Event::CallEnded(Box::default()));
        self.call.poll_record()
    }

    /// The call, for what has no shorthand.
    pub fn call(&mut self) -> &mut Call {
        &mut self.call
    }
}
