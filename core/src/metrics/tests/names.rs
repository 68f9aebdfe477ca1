//! The tables of the profiles.

use alloc::{collections::BTreeSet, format, string::ToString};

use super::*;

#[test]
fn the_bounds_are_those_of_the_semantic_conventions() {
    let duration = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
    let tokens = [
        1.0,
        4.0,
        16.0,
        64.0,
        256.0,
        1024.0,
        4096.0,
        16384.0,
        65536.0,
        262_144.0,
        1_048_576.0,
        4_194_304.0,
        16_777_216.0,
        67_108_864.0,
    ];
    let ttft = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
    for (profile, metric, unit, bounds) in [
        ("otel-1.41", "gen_ai.client.operation.duration", "s", &duration[..]),
        ("otel-1.41", "gen_ai.client.operation.time_to_first_chunk", "s", &duration),
        ("otel-1.41", "gen_ai.client.operation.time_per_output_chunk", "s", &duration),
        ("otel-1.41", "gen_ai.client.token.usage", "{token}", &tokens),
        ("otel-main", "gen_ai.client.inference.duration", "s", &duration),
        ("otel-main", "gen_ai.client.inference.operation.input_tokens", "{token}", &tokens),
        ("openllmetry", "gen_ai.server.time_to_first_token", "s", &ttft),
        ("vercel", "gen_ai.client.inference.duration", "s", &duration),
    ] {
        let metric =
            MetricNames::by_profile(profile).unwrap().metrics().iter().find(|known| known.name() == metric).unwrap();
        assert_eq!(metric.unit(), unit);
        assert_eq!(metric.kind(), MetricKind::Histogram);
        assert_eq!(metric.bounds().map(Quantity::as_f64).collect::<Vec<_>>(), bounds, "{}", metric.name());
    }
}

#[test]
fn every_measure_is_counted_under_the_default_profile() {
    let default = MetricNames::all().first().unwrap();
    assert_eq!((default.profile(), default.overflow_label()), ("otel-1.41", "otel.metric.overflow"));
    let counted: BTreeSet<_> = default.metrics().iter().map(Metric::measure).collect();
    // How long a stream generates is in the breakdown.
    let missing: Vec<_> = Measure::ALL.iter().filter(|measure| !counted.contains(measure)).collect();
    assert_eq!(missing, [&Measure::Sampling]);
}

#[test]
fn names_stay_apart_where_dots_become_underscores() {
    for names in MetricNames::all() {
        let mut seen = BTreeSet::new();
        for metric in names.metrics() {
            let plain: String =
                metric.name().chars().map(|char| if char.is_alphanumeric() { char } else { '_' }).collect();
            // The names of samples that belong to it, with and without the unit.
            for suffix in ["", "_bucket", "_count", "_sum", "_total", "_created"] {
                assert!(seen.insert(format!("{plain}{suffix}")), "{}: {}{suffix}", names.profile(), metric.name());
            }
        }
    }
}

#[test]
fn metrics_belong_to_profiles_of_attributes() {
    for names in MetricNames::all() {
        crate::names::Profile::by_name(names.profile()).unwrap();
    }
    assert_eq!(MetricNames::by_profile("nonesuch").unwrap_err().code(), "unknown_profile");
    let of_attributes_only = MetricNames::by_profile("langfuse").unwrap_err();
    assert_eq!(of_attributes_only.code(), "unknown_profile");
    assert!(of_attributes_only.to_string().ends_with("langfuse names no metrics"));
}
