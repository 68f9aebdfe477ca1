//! Misuse of the API is one error with a stable code; it changes nothing.

use llmspan_core::{
    config::Config,
    engine::Tracker,
    error::ErrorKind,
    event::{TimedEvent, read_log},
    limits::Limits,
    names::Profile,
    time::Nanos,
};

#[test]
fn a_call_that_is_not_open_is_unknown() {
    let mut tracker = Tracker::new(Config::default()).unwrap();
    let error = tracker.with_call("nobody", |_| ()).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::UnknownCall, "unknown_call"));
    assert_eq!(error.to_string(), "unknown call: nobody");
    assert!(tracker.poll_record().is_none());
}

#[test]
fn values_out_of_range_are_refused_by_name() {
    for (config, name) in [
        (r#"{"idle_timeout_ns": 0}"#, "idle_timeout_ns"),
        (r#"{"deadline_ns": 0}"#, "deadline_ns"),
        (r#"{"buffered_ttft_percent": 101}"#, "buffered_ttft_percent"),
        (r#"{"limits": {"frame_bytes": 0}}"#, "frame_bytes"),
        (r#"{"limits": {"open_calls": 0}}"#, "open_calls"),
        (r#"{"limits": {"atempts": 1}}"#, "atempts"),
        (r#"{"stall_after": 1}"#, "stall_after"),
        (r#"{"slo": {"ttft": 1}}"#, "ttft"),
        (r#"{"prices": [{"input": 1}]}"#, "model"),
        (r#"{"prices": [{"model": "m", "cache_reed": 1}]}"#, "cache_reed"),
        (r#"{"prices": [{"model": "m", "currency": "dollars"}]}"#, "currency"),
        (r#"{"prices": [{"model": "m", "tiers": [{"above_input_tokens": 9}, {"above_input_tokens": 1}]}]}"#, "tiers"),
        (r#"{"prices": [{"model": "m", "from_unix_ns": "9", "until_unix_ns": "9"}]}"#, "price"),
        ("[]", ""),
    ] {
        let error = Config::from_json(config).unwrap_err();
        assert_eq!(error.code(), "invalid_config", "{config}");
        assert!(error.to_string().contains(name), "{config}: {error}");
    }
    let config = Config::default().with_deadline(Nanos::ZERO);
    assert_eq!(Tracker::new(config).unwrap_err().code(), "invalid_config");
    assert!(Tracker::new(Config::default().with_limits(Limits { attempts: 0, ..Limits::default() })).is_ok());
}

#[test]
fn a_broken_log_names_its_line() {
    let log = "{\"at_ns\": 0, \"event\": \"tick\"}\n\n{\"at_ns\": 1, \"event\": \"tock\"}\n";
    let error = read_log(log).unwrap_err();
    assert_eq!(error.code(), "invalid_event");
    assert!(error.to_string().contains("line 3"), "{error}");
    let protocol = r#"{"at_ns": 0, "event": "payload", "protocol": "no.such", "data": {}}"#;
    assert_eq!(TimedEvent::from_json(protocol).unwrap_err().code(), "unknown_protocol");
    assert_eq!(Profile::by_name("no-such").unwrap_err().code(), "unknown_profile");
}
