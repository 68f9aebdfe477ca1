//! The examples of the page on OTLP are what the library writes.

use llmspan_core::{
    metrics::{Aggregator, Buckets, MetricNames, Options, Window},
    names::Profile,
    otlp::{Resource, metrics_to_json, metrics_to_protobuf, traces_to_json, traces_to_protobuf},
    record::Record,
    spans::{ChildSpan, Context, Layout, Shape, SpanTree, child_span_id},
    time::UnixNanos,
};

const PAGE: &str = include_str!("../../../core/docs/otlp.md");

/// The version that the page shows.
const SHOWN: &str = "0.1.0";

/// The indented blocks of a section, such as record, JSON, protobuf.
fn blocks(section: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = PAGE.split_once(&format!("\n## {section}\n")).unwrap();
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    let mut in_block = false;
    for line in section.split("\n## ").next().unwrap().lines() {
        match line.strip_prefix("    ") {
            Some(line) if in_block => blocks.last_mut().unwrap().push(line.trim()),
            Some(line) => blocks.push(vec![line.trim()]),
            None => {}
        }
        in_block = line.starts_with("    ");
    }
    blocks
}

/// The text of a JSON block, with the version of the crate.
fn json(block: &[&str]) -> String {
    block.concat().replace(SHOWN, env!("CARGO_PKG_VERSION"))
}

/// The bytes of a block of hex, without its comments.
fn bytes(block: &[&str]) -> Vec<u8> {
    let words = block.iter().flat_map(|line| line.split('#').next().unwrap().split_whitespace());
    words.map(|word| u8::from_str_radix(word, 16).unwrap()).collect()
}

/// The same, with the version of the crate.
fn request(block: &[&str]) -> Vec<u8> {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(version.len(), SHOWN.len(), "lengths in the example have to change with the version");
    let request = bytes(block);
    let at = request.windows(SHOWN.len()).position(|bytes| bytes == SHOWN.as_bytes()).unwrap();
    [&request[..at], version.as_bytes(), &request[at + SHOWN.len()..]].concat()
}

#[test]
fn the_page_tells_the_truth_about_traces() {
    let [record, text, protobuf] = &blocks("Example")[..] else { panic!("three examples") };
    let record = Record::from_json(&record.concat()).unwrap();
    let profiles = [Profile::by_name("otel-1.41").unwrap()];
    let tree = SpanTree::new(&record, &Layout::new(Shape::Call, &profiles), &Context::default()).unwrap();
    let resource = Resource::of_service("demo");
    let mut body = Vec::new();
    assert_eq!(traces_to_json([&tree], &resource, &mut body), 2);
    assert_eq!(str::from_utf8(&body).unwrap(), json(text));
    body.clear();
    assert_eq!(traces_to_protobuf([&tree], &resource, &mut body), 2);
    assert_eq!(body, request(protobuf));
}

#[test]
fn the_page_tells_the_truth_about_metrics() {
    let [record, text, protobuf, exponential_text, exponential] = &blocks("Example of metrics")[..] else {
        panic!("five examples")
    };
    let record = Record::from_json(&record.concat()).unwrap();
    let bodies = |buckets: Buckets| {
        let options = Options::default().with_buckets(buckets);
        let mut aggregator = Aggregator::new(MetricNames::by_profile("qwen-code").unwrap(), options);
        aggregator.observe(&record);
        let [start, end] =
            [1_763_713_200, 1_763_713_260].map(|seconds: u64| UnixNanos::from_nanos(seconds * 1_000_000_000));
        let view = aggregator.view(Window::cumulative(start, end));
        let resource = Resource::of_service("demo");
        let (mut text, mut protobuf) = (Vec::new(), Vec::new());
        assert_eq!(metrics_to_json(&view, &resource, &mut text), 2);
        assert_eq!(metrics_to_protobuf(&view, &resource, &mut protobuf), 2);
        (String::from_utf8(text).unwrap(), protobuf)
    };
    assert_eq!(bodies(Buckets::Explicit), (json(text), request(protobuf)));

    let (body, bytes_of_body) = bodies(Buckets::ExplicitAndExponential);
    assert!(body.ends_with(&format!("{}}}]}}]}}]}}", json(exponential_text))), "{body}");
    assert!(bytes_of_body.ends_with(&bytes(exponential)), "{bytes_of_body:02x?}");
}

#[test]
fn ids_on_the_page_are_those_of_the_rule() {
    let (_, ids) = PAGE.split_once("With the ids of the example below: ").unwrap();
    let record = Record::from_json(&blocks("Example")[0].concat()).unwrap();
    let tree = SpanTree::new(&record, &Layout::default(), &Context::default()).unwrap();
    let shown: Vec<_> = ids.split('`').skip(1).step_by(2).take(4).collect();
    let computed = [ChildSpan::Attempt(1), ChildSpan::Attempt(2), ChildSpan::Wait(0), ChildSpan::Phase(0)]
        .map(|child| child_span_id(tree.trace_id, tree.spans[0].span_id, child).to_string());
    assert_eq!(shown, computed);
}
