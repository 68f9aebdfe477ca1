//! What follows a call while it is open: its spans, with the feature `tracing`, and who made it, with the feature
//! `opentelemetry`.

#[cfg(feature = "opentelemetry")]
pub(crate) use crate::opentelemetry::Caller;
#[cfg(not(feature = "opentelemetry"))]
pub(crate) use nobody::Caller;
#[cfg(feature = "tracing")]
pub(crate) use on::Live;

#[cfg(not(feature = "tracing"))]
pub(crate) use off::Live;

#[cfg(feature = "tracing")]
mod on {
    use std::sync::Mutex;

    use llmspan_core::{engine, event::Event, record::Record, time::Timestamp};

    use crate::{recorder::lock, tracing::Spans};

    /// The spans of a call, if it has any.
    #[derive(Debug, Default)]
    pub(crate) struct Live {
        spans: Mutex<Option<Spans>>,
    }

    impl Live {
        /// Begins to follow a call, unless nobody asked for it.
        pub(crate) fn open(is_wanted: bool, call: &engine::Call) -> Self {
            let spans = if is_wanted { Spans::open(|| preview(call.clone())) } else { None };
            Self { spans: Mutex::new(spans) }
        }

        /// Whether an attempt may begin or end with the event, and somebody wants to know.
        pub(crate) fn follows(&self, event: &Event) -> bool {
            match event {
                Event::AttemptStarted(_)
                | Event::AttemptFailed(_)
                | Event::Cancelled
                | Event::ConsumerClosed
                | Event::RetryScheduled(_)
                | Event::StreamEnded
                | Event::TimedOut(_) => lock(&self.spans).is_some(),
                Event::PhaseStarted(_) => lock(&self.spans).as_ref().is_some_and(Spans::has_open_attempts),
                _ => false,
            }
        }

        /// Shows the call as it is after such an event.
        pub(crate) fn follow(&self, call: engine::Call) {
            if let Some(record) = preview(call)
                && let Some(spans) = &mut *lock(&self.spans)
            {
                spans.follow(&record);
            }
        }

        /// Shows the final record of the call.
        pub(crate) fn end(&self, record: &Record) {
            let spans = lock(&self.spans).take();
            if let Some(spans) = spans {
                spans.end(record);
            }
        }
    }

    /// The record of a call that goes on, as if it ended at the end of time; none if it has ended.
    fn preview(mut call: engine::Call) -> Option<Record> {
        if !call.is_open() {
            return None;
        }
        call.handle_dropped(Timestamp::from_nanos(u64::MAX));
        call.poll_record()
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use llmspan_core::{engine, event::Event, record::Record};

    /// Nothing.
    #[derive(Debug, Default)]
    pub(crate) struct Live;

    #[expect(clippy::unused_self, reason = "as with the feature")]
    impl Live {
        pub(crate) fn open(_is_wanted: bool, _call: &engine::Call) -> Self {
            Self
        }

        pub(crate) fn follows(&self, _event: &Event) -> bool {
            false
        }

        pub(crate) fn follow(&self, _call: engine::Call) {}

        pub(crate) fn end(&self, _record: &Record) {}
    }
}

#[cfg(not(feature = "opentelemetry"))]
mod nobody {
    use llmspan_core::machine::CallStart;

    /// Nothing.
    #[derive(Debug, Default)]
    pub(crate) struct Caller;

    /// Nothing, until it is dropped.
    pub(crate) struct Guard;

    #[expect(clippy::unused_self, reason = "as with the feature")]
    impl Caller {
        pub(crate) fn current() -> Self {
            Self
        }

        pub(crate) fn adopt(&self, _start: &mut CallStart) {}

        pub(crate) fn enter(&self) -> Guard {
            Guard
        }
    }
}
