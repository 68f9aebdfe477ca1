//! A real Prometheus scrapes the example, and answers the queries of the dashboard and the rules.
#![allow(clippy::std_instead_of_core, reason = "examples are written as applications are")]

use std::{
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use llmspan_examples::load;
use serde_json::Value;
use tokio::{net::TcpListener, time::sleep};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::test(flavor = "current_thread")]
#[ignore = "needs prometheus: `cargo xtask test --backends`"]
async fn prometheus_answers_what_was_served() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let target = listener.local_addr()?.to_string();
    let prometheus = Prometheus::start(&target).await?;
    tokio::select! {
        served = load::serve(listener, Duration::from_millis(200)) => served,
        checked = check(&prometheus) => checked,
    }
}

async fn check(prometheus: &Prometheus) -> Result<()> {
    // The load has 98 first tokens of each model in a round. Of fast-1, 60 came within 160 ms and 38 within 320 ms; of slow-1,
    // 39 within 1.28 s and 59 within 2.56 s. Inside a bucket Prometheus goes by the share of the rank, here 0.95 * 98.
    let rank = 0.95 * 98.0;
    let expected = [("fast-1", 0.16 + 0.16 * (rank - 60.0) / 38.0), ("slow-1", 1.28 + 1.28 * (rank - 39.0) / 59.0)];
    let p95 = "histogram_quantile(0.95, sum by (le, gen_ai_request_model) \
               (rate(llmspan_time_to_first_token_seconds_bucket[10s])))";
    let mut found = Vec::new();
    for _ in 0..60 {
        sleep(Duration::from_millis(500)).await;
        found = prometheus.query(p95).await.unwrap_or_default();
        if found.len() == expected.len() && found.iter().all(|(_, value)| value.is_finite()) {
            break;
        }
    }
    for (model, p95) in expected {
        let labels = |labels: &Value| labels.get("gen_ai_request_model").and_then(Value::as_str) == Some(model);
        let (_, got) =
            found.iter().find(|(found, _)| labels(found)).ok_or_else(|| format!("{model}: no p95 in {found:?}"))?;
        assert!((got - p95).abs() < 1e-6, "{model}: Prometheus says {got}, served was {p95}");
    }

    for (title, query) in dashboard_queries()? {
        let query = query.replace("$__rate_interval", "10s").replace("$model", ".*");
        let series = prometheus.query(&query).await.map_err(|error| format!("{title}: {error}"))?;
        assert!(!series.is_empty(), "{title}: no series\n  {query}");
        assert!(series.iter().all(|(_, value)| value.is_finite()), "{title}: {series:?}");
    }

    let rules = prometheus.get("/api/v1/rules").await?;
    let rules = rules.pointer("/data/groups/0/rules").and_then(Value::as_array).ok_or("no rules")?;
    assert_eq!(rules.len(), 6);
    for rule in rules {
        assert_eq!(rule.get("health").and_then(Value::as_str), Some("ok"), "{rule}");
    }
    Ok(())
}

/// Title and query of every target of the dashboard.
fn dashboard_queries() -> Result<Vec<(String, String)>> {
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(files().join("grafana/llm-calls.json"))?)?;
    let mut queries = Vec::new();
    for panel in dashboard.get("panels").and_then(Value::as_array).ok_or("no panels")? {
        let title = panel.get("title").and_then(Value::as_str).unwrap_or_default();
        for target in panel.get("targets").and_then(Value::as_array).ok_or("no targets")? {
            let query = target.get("expr").and_then(Value::as_str).ok_or("no query")?;
            queries.push((title.to_owned(), query.to_owned()));
        }
    }
    assert!(queries.len() >= 12);
    Ok(queries)
}

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../observability")
}

/// A Prometheus of our own, with the committed configuration but for its target and its pace.
struct Prometheus {
    child: Child,
    dir: PathBuf,
    url: String,
    client: reqwest::Client,
}

impl Prometheus {
    async fn start(target: &str) -> Result<Self> {
        let dir = std::env::temp_dir().join(format!("llmspan-prometheus-{}", std::process::id()));
        fs::create_dir_all(&dir)?;
        let config = fs::read_to_string(files().join("prometheus.yml"))?;
        assert!(config.contains("127.0.0.1:9464") && config.contains("15s"));
        fs::write(dir.join("prometheus.yml"), config.replace("127.0.0.1:9464", target).replace("15s", "1s"))?;
        fs::copy(files().join("alerts.yml"), dir.join("alerts.yml"))?;
        // A port that was free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", dir.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", dir.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let started = Self { child, dir, url: format!("http://127.0.0.1:{port}"), client: reqwest::Client::new() };
        for _ in 0..100 {
            sleep(Duration::from_millis(200)).await;
            if started
                .client
                .get(format!("{}/-/ready", started.url))
                .send()
                .await
                .is_ok_and(|ready| ready.status().is_success())
            {
                return Ok(started);
            }
        }
        Err("prometheus does not get ready".into())
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let body = self.client.get(format!("{}{path}", self.url)).send().await?.bytes().await?;
        let answer: Value = serde_json::from_slice(&body)?;
        if answer.get("status").and_then(Value::as_str) == Some("success") {
            Ok(answer)
        } else {
            Err(answer.to_string().into())
        }
    }

    /// Labels and value of each series that answers.
    async fn query(&self, query: &str) -> Result<Vec<(Value, f64)>> {
        let mut encoded = String::new();
        for byte in query.bytes() {
            write!(encoded, "%{byte:02X}")?;
        }
        let answer = self.get(&format!("/api/v1/query?query={encoded}")).await?;
        let series = answer.pointer("/data/result").and_then(Value::as_array).ok_or("no result")?;
        let read = |series: &Value| {
            let value = series.pointer("/value/1").and_then(Value::as_str)?.parse().ok()?;
            Some((series.get("metric")?.clone(), value))
        };
        Ok(series.iter().filter_map(read).collect())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}
