//! Where the engine and the model differ.

use llmspan_core::{
    config::Config,
    engine::Tracker,
    event::TimedEvent,
    limits::{COVERAGE_INTERVALS, SKETCH_BLOCKS},
    record::{InterChunk, Record},
    time::Nanos,
};
use serde_json::{Map, Value};

/// What the engine makes of a log; calls that it leaves open are dropped at its last event.
///
/// # Panics
/// When the configuration is not valid.
pub fn engine(config: &Config, log: &[TimedEvent]) -> Vec<Record> {
    let mut tracker = Tracker::new(config.clone()).expect("a valid configuration");
    for event in log {
        tracker.handle_event(event);
    }
    tracker.handle_shutdown(log.iter().map(|event| event.at).max().unwrap_or_default());
    core::iter::from_fn(|| tracker.poll_record()).collect()
}

/// Every value in which engine and model differ, in words; none when they agree.
///
/// # Panics
/// When the configuration is not valid.
pub fn differences(config: &Config, log: &[TimedEvent]) -> Vec<String> {
    let (engine, mut model) = (engine(config, log), crate::records(config, log));
    let mut out = Vec::new();
    if engine.len() != model.len() {
        out.push(format!("the engine gives {} records, the model {}", engine.len(), model.len()));
    }
    for (at, (engine, model)) in engine.iter().zip(&mut model).enumerate() {
        allow_approximations(config, engine, model);
        let mut engine = engine.clone();
        forget_messages(&mut engine);
        compare(&format!("records[{at}]"), &value(&engine), &value(model), &mut out);
    }
    out
}

fn value(record: &Record) -> Value {
    serde_json::to_value(record).unwrap_or_default()
}

/// Messages are cleaned of credentials by rules of their own; the model keeps none.
fn forget_messages(record: &mut Record) {
    let errors = record.attempts.iter_mut().map(|attempt| &mut attempt.error).chain([&mut record.error]);
    errors.flatten().for_each(|error| error.message = None);
}

/// Takes over from the engine what it may approximate, where it is as near as it says.
fn allow_approximations(config: &Config, engine: &Record, model: &mut Record) {
    // An objective may lie between the exact percentile and the approximate one.
    let bound = config.slo.as_ref().and_then(|slo| slo.inter_chunk_p99_ns);
    let misses = |gaps: &Option<InterChunk>| gaps.as_ref().zip(bound).map(|(gaps, bound)| gaps.p99_ns > bound);
    if misses(&engine.inter_chunk) != misses(&model.inter_chunk) {
        model.slo.clone_from(&engine.slo);
    }
    allow_percentiles(engine.inter_chunk.as_ref(), model.inter_chunk.as_mut());
    for (engine, model) in engine.attempts.iter().zip(&mut model.attempts) {
        allow_percentiles(engine.inter_chunk.as_ref(), model.inter_chunk.as_mut());
    }
    // Past as many intervals as are told apart, time that was covered late may be missed.
    let intervals = model.attempt_count + (model.waits.len() + model.phases.len()) as u64;
    let dropped = &model.diagnostics.dropped;
    let intervals = intervals + dropped.waits.unwrap_or(0) + dropped.phases.unwrap_or(0);
    if intervals > COVERAGE_INTERVALS as u64 && engine.unattributed_ns > model.unattributed_ns {
        model.unattributed_ns = engine.unattributed_ns;
    }
}

fn allow_percentiles(engine: Option<&InterChunk>, model: Option<&mut InterChunk>) {
    let (Some(engine), Some(model)) = (engine, model) else { return };
    let powers = |value: Nanos| value.as_nanos().max(1).ilog2() as usize;
    let is_wide = powers(model.max_ns) - powers(model.min_ns) >= SKETCH_BLOCKS;
    let range = model.min_ns..=model.max_ns;
    for (engine, model) in
        [(engine.p50_ns, &mut model.p50_ns), (engine.p90_ns, &mut model.p90_ns), (engine.p99_ns, &mut model.p99_ns)]
    {
        let off = engine.as_nanos().abs_diff(model.as_nanos());
        // One percent, as the sketch says of itself, over as many powers of two as it tells apart.
        if u128::from(off) * 100 <= u128::from(model.as_nanos()) || (is_wide && range.contains(&engine)) {
            *model = engine;
        }
    }
}

fn compare(path: &str, engine: &Value, model: &Value, out: &mut Vec<String>) {
    match (engine, model) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                compare(&format!("{path}.{key}"), &of(a), &of(b), out);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{at}]"), a, b, out);
            }
        }
        _ if engine == model => {}
        _ => out.push(format!("{path}: the engine says {engine}, the model {model}")),
    }
}
