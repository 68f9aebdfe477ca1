use llmspan_core::{record::Outcome, waterfall::display_width};

use super::*;

const LOG: &str = r#"
{"at_ns":0,"event":"call_started","operation":"chat","provider":"openai","model":"gpt-4.1-mini","stream":true}
{"at_ns":0,"event":"attempt_started"}
{"at_ns":250000000,"event":"chunk","content":"text","response_id":"id-1"}
{"at_ns":1000000000,"event":"chunk","content":"text","finish_reasons":["stop"],"usage":{"input_tokens":1204,"output_tokens":31},"terminal":true}
{"at_ns":1000000000,"event":"call_ended"}
"#;

const PRICES: &str = r#"{"prices":[{"model":"gpt-4.1-mini","input":400000000,"output":1600000000}]}"#;

fn record() -> Record {
    engine::replay(LOG, Config::from_json(PRICES).unwrap()).unwrap().remove(0)
}

fn parse(arguments: &[&str]) -> Result<Options, String> {
    Options::parse(&arguments.iter().map(|argument| String::from(*argument)).collect::<Vec<_>>())
}

#[test]
fn a_call_is_shown_whole() {
    let expected = "\
simple  chat gpt-4.1-mini @ openai                                                      success  1 s
━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━

               0            200 ms        400 ms        600 ms        800 ms     1 s   start    time
               ┬────────────┬─────────────┬─────────────┬─────────────┬────────────┬
attempt 1      ░░░░░░░░░░░░░░░░░████████████████████████████████████████████████████       0     1 s
  first chunk  ░░░░░░░░░░░░░░░░░                                                           0  250 ms
  first token  ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒ TTFT                                                      0  250 ms
  sampling       41.33 tokens/s ████████████████████████████████████████████████████  250 ms  750 ms

duration      1 s                                  attempts      1 (0 retried)
setup         0 s                                  tokens in     1,204
first chunk   250 ms                               tokens out    31
ttft          250 ms                               cost          USD 0.0005312
call ttft     250 ms                               finish        stop
sampling      750 ms                               response id   id-1
tokens/s      41.33
per token     25 ms
gaps p50/p99  750 ms / 750 ms
longest gap   750 ms

• 1 s in all: 75 % sampling, 25 % to the first token

otel-1.41                                          qwen-code (and 9 as in otel-1.41)
gen_ai.operation.name                chat          attempt                   1
gen_ai.provider.name                 openai        duration_ms               1000
gen_ai.request.model                 gpt-4.1-mini  finish_reason             stop
gen_ai.request.stream                true          input_tokens              1204
gen_ai.response.finish_reasons       [stop]        output_tokens             31
gen_ai.response.id                   id-1          output_tokens_per_second  41.33
gen_ai.response.time_to_first_chunk  0.25          request_setup_ms          0
gen_ai.usage.input_tokens            1204          retry_total_delay_ms      0
gen_ai.usage.output_tokens           31            sampling_ms               750
                                                   success                   true
                                                   ttft_ms                   250

";
    assert_eq!(call("simple", &record(), &TextStyle::default()).unwrap(), expected);
}

#[test]
fn every_line_keeps_to_the_width() {
    for width in [LEAST_COLUMNS, 80, 100, MOST_COLUMNS] {
        for line in call("simple", &record(), &TextStyle::default().with_width(width)).unwrap().lines() {
            assert!(display_width(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn ascii_is_ascii() {
    let style = TextStyle::default().with_glyphs(Glyphs::Ascii);
    let scenarios = [Scenario { name: "simple".into(), records: vec![record()] }];
    let shown = render(&scenarios, &style).unwrap();
    assert!(shown.is_ascii(), "{shown}");
}

#[test]
fn a_page_has_a_figure_for_each_record() {
    let scenarios = [Scenario { name: "simple".into(), records: vec![record(), record()] }];
    let page = page(&scenarios);
    assert_eq!(page.matches("<figure ").count(), 2);
    assert_eq!(page.matches("<strong class=\"llmspan-title\">simple</strong>").count(), 2);
}

#[test]
fn a_log_that_stops_gives_an_abandoned_call() {
    let (open, _) = LOG.split_once(r#"{"at_ns":1000000000"#).unwrap();
    let record = engine::replay(open, Config::default()).unwrap().remove(0);
    assert_eq!(record.outcome, Outcome::Abandoned);
}

#[test]
fn options_are_read() {
    assert_eq!(parse(&[]), Ok(Options::default()));
    let all = parse(&["--json", "--only", "stalled", "--ascii", "--no-color"]).unwrap();
    let expected =
        Options { json: true, ascii: true, no_color: true, only: Some("stalled".into()), ..Options::default() };
    assert_eq!(all, expected);
    assert!(parse(&["--html"]).unwrap().html);
    assert_eq!(parse(&["--html", "--json"]), Err("--html and --json exclude each other".into()));
    assert_eq!(parse(&["--jsn"]), Err("demo has no option `--jsn`; see cargo xtask demo --help".into()));
    assert_eq!(parse(&["--only"]), Err("--only needs the name of a capture".into()));
    assert_eq!(parse(&["--only", "--json"]), Err("--only needs the name of a capture".into()));
}

#[test]
fn tables_stand_side_by_side_where_there_is_room() {
    let record = record();
    let profiles = ["otel-1.41", "qwen-code"].map(|name| Profile::by_name(name).unwrap());
    let wide = names::render(&record, &profiles, &TextStyle::default());
    assert!(wide.lines().next().unwrap().contains("otel-1.41 "), "{wide}");
    assert!(wide.lines().next().unwrap().contains("qwen-code (and "), "{wide}");
    let narrow = names::render(&record, &profiles, &TextStyle::default().with_width(64));
    assert!(narrow.lines().any(|line| line.starts_with("qwen-code (and ")), "{narrow}");
    assert!(narrow.lines().any(|line| line == "ttft_ms                   250"), "{narrow}");
}
