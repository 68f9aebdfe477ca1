//! The binary, told to stop by a signal.
#![allow(clippy::std_instead_of_core, reason = "examples are written as applications are")]
#![cfg(unix)]

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Command, Stdio},
};

use reqwest::Client;
use serde_json::Value;

#[tokio::test]
async fn a_signal_ends_it_in_order() {
    let trace = std::env::temp_dir().join(format!("llmspan-broker-{}.json", std::process::id()));
    let mut broker = Command::new(env!("CARGO_BIN_EXE_broker"))
        .env("BROKER_ADDRESS", "127.0.0.1:0")
        .env("BROKER_TRACE", &trace)
        .env_remove("BROKER_UPSTREAMS")
        .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(broker.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let url = line.split(' ').next().unwrap();

    let request = r#"{"model":"gpt-4.1-mini","messages":[{"role":"user","content":"Why count retries?"}]}"#;
    let answer = Client::new().post(url).body(request).send().await.unwrap();
    assert!(answer.status().is_success());
    answer.bytes().await.unwrap();

    assert!(Command::new("kill").args(["-TERM", &broker.id().to_string()]).status().unwrap().success());
    assert!(broker.wait().unwrap().success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "stopping\n1 calls\n");

    let drawn: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&trace).unwrap()).unwrap();
    std::fs::remove_file(&trace).unwrap();
    for name in ["llm.chat", "route", "key_pool.acquire", "request.serialize", "attempt 1", "response.serialize"] {
        let slices = drawn.iter().filter(|event| event["name"] == name && event["ph"] == "X");
        assert_eq!(slices.count(), 1, "{name}");
    }
}
