//! The examples of the page on OTLP are what the library writes.

use llmspan_core::{
    names::Profile,
    otlp::{Resource, traces_to_json, traces_to_protobuf},
    record::Record,
    spans::{ChildSpan, Context, Layout, Shape, SpanTree, child_span_id},
};

const PAGE: &str = include_str!("../../../core/docs/otlp.md");

/// The version that the page shows.
const SHOWN: &str = "0.1.0";

/// The indented blocks of the section with the examples: record, JSON, protobuf.
fn blocks() -> Vec<Vec<&'static str>> {
    let (_, section) = PAGE.split_once("\n## Example\n").unwrap();
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    let mut in_block = false;
    for line in section.lines() {
        match line.strip_prefix("    ") {
            Some(line) if in_block => blocks.last_mut().unwrap().push(line.trim()),
            Some(line) => blocks.push(vec![line.trim()]),
            None => {}
        }
        in_block = line.starts_with("    ");
    }
    blocks
}

#[test]
fn the_page_tells_the_truth() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(version.len(), SHOWN.len(), "lengths in the example have to change with the version");
    let [record, json, protobuf] = &blocks()[..] else { panic!("three examples") };
    let record = Record::from_json(&record.concat()).unwrap();
    let json = json.concat().replace(SHOWN, version);
    let words = protobuf.iter().flat_map(|line| line.split('#').next().unwrap().split_whitespace());
    let protobuf: Vec<u8> = words.map(|word| u8::from_str_radix(word, 16).unwrap()).collect();
    let at = protobuf.windows(SHOWN.len()).position(|bytes| bytes == SHOWN.as_bytes()).unwrap();
    let protobuf = [&protobuf[..at], version.as_bytes(), &protobuf[at + SHOWN.len()..]].concat();

    let profiles = [Profile::by_name("otel-1.41").unwrap()];
    let tree = SpanTree::new(&record, &Layout::new(Shape::Call, &profiles), &Context::default()).unwrap();
    let resource = Resource::of_service("demo");
    let mut body = Vec::new();
    assert_eq!(traces_to_json([&tree], &resource, &mut body), 2);
    assert_eq!(str::from_utf8(&body).unwrap(), json);
    body.clear();
    assert_eq!(traces_to_protobuf([&tree], &resource, &mut body), 2);
    assert_eq!(body, protobuf);
}

#[test]
fn ids_on_the_page_are_those_of_the_rule() {
    let (_, ids) = PAGE.split_once("With the ids of the example below: ").unwrap();
    let record = Record::from_json(&blocks()[0].concat()).unwrap();
    let tree = SpanTree::new(&record, &Layout::default(), &Context::default()).unwrap();
    let shown: Vec<_> = ids.split('`').skip(1).step_by(2).take(4).collect();
    let computed = [ChildSpan::Attempt(1), ChildSpan::Attempt(2), ChildSpan::Wait(0), ChildSpan::Phase(0)]
        .map(|child| child_span_id(tree.trace_id, tree.spans[0].span_id, child).to_string());
    assert_eq!(shown, computed);
}
