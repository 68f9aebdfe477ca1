//! The table of scenarios, run through `reqwest` and llmspan.

mod client;
mod support;
mod truth;

use futures_util::{StreamExt as _, stream};
use llmspan::{Nanos, Record, core::record::Value as _};
use llmspan_faults::{RequestLog, Scenario, Table};
use llmspan_runner::{compare::compare, identities};

use crate::{client::Measured, support::server_of_its_own};

/// Scenarios that are played at the same time.
const AT_ONCE: usize = 8;

#[tokio::test]
async fn every_scenario_gives_its_record() {
    let table = Table::load().unwrap();
    assert!(table.scenarios.len() >= 60, "the table has {} scenarios", table.scenarios.len());
    let url = server_of_its_own();
    let http = reqwest::Client::new();
    let played = stream::iter(&table.scenarios).map(|scenario| {
        let (http, url) = (&http, &url);
        async move {
            let differences = match play(table, scenario, url, http).await {
                Ok((measured, requests)) => judge(table, scenario, &measured, &requests),
                Err(error) => vec![error],
            };
            differences.into_iter().map(|difference| format!("{}: {difference}", scenario.name)).collect::<Vec<_>>()
        }
    });
    let differences: Vec<String> = played.buffer_unordered(AT_ONCE).concat().await;
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// A library that measures wrong is found out.
#[tokio::test]
async fn wrong_records_are_told() {
    let table = Table::load().unwrap();
    let url = server_of_its_own();
    let scenario = table.scenarios.iter().find(|scenario| scenario.name == "slow_stream").unwrap();
    let (right, requests) = play(table, scenario, &url, &reqwest::Client::new()).await.unwrap();
    assert_eq!(judge(table, scenario, &right, &requests), [""; 0]);
    let wrongs: [(&str, Spoil); 5] = [
        ("first token taken from the end", |record| record.marks.first_content_ns = record.marks.last_content_ns),
        ("first token taken from the start", |record| record.marks.first_content_ns = record.marks.started_ns),
        ("no first token", |record| record.ttft_ns = None),
        ("a retry that never was", |record| record.attempt_count = 2),
        ("the finish reason lost", |record| record.finish_reasons.clear()),
    ];
    for (what, spoil) in wrongs {
        let mut wrong = Measured { record: right.record.clone(), started_at_ns: right.started_at_ns };
        spoil(&mut wrong.record);
        assert!(!judge(table, scenario, &wrong, &requests).is_empty(), "not told: {what}");
    }
    let mut hurried = Measured { record: right.record.clone(), started_at_ns: right.started_at_ns };
    hurried.record.duration_ns = Nanos::ZERO;
    assert!(!judge(table, scenario, &hurried, &requests).is_empty(), "not told: a call without a duration");
}

/// A way to get a record wrong.
type Spoil = fn(&mut Record);

async fn play(
    table: &Table,
    scenario: &Scenario,
    url: &str,
    http: &reqwest::Client,
) -> Result<(Measured, Vec<RequestLog>), String> {
    let base_url = format!("{url}/s/{}&run={}", scenario.faults, scenario.name);
    let measured = client::play(table, scenario, &base_url, http).await?;
    let answer = http.get(format!("{url}/runs/{}?wait=5000", scenario.name)).send().await;
    let text = answer.map_err(|error| error.to_string())?.text().await.map_err(|error| error.to_string())?;
    let mut run: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let requests = serde_json::from_value(run["requests"].take()).map_err(|error| error.to_string())?;
    Ok((measured, requests))
}

/// Everything that is wrong with a record, in words.
fn judge(table: &Table, scenario: &Scenario, measured: &Measured, requests: &[RequestLog]) -> Vec<String> {
    let mut out = identities::broken(&measured.record);
    let got = serde_json::to_value(&measured.record).unwrap();
    compare("record", Record::SHAPE, &scenario.expect, Some(&got), &mut out);
    out.extend(truth::contradictions(
        scenario,
        measured,
        requests,
        scenario.tolerance_ms.unwrap_or(table.tolerance_ms),
    ));
    out
}
