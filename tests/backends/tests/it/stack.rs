//! The files of `examples/observability` fit together: names, ports, hosts and mounts.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use llmspan_backends::{
    Result,
    query::{at, list, text},
};
use serde_json::{Map, Value};

#[test]
fn pipelines_use_what_the_collector_defines_and_nothing_is_idle() -> Result<()> {
    let collector = yaml("collector.yaml")?;
    for section in ["receivers", "processors", "exporters"] {
        let defined: BTreeSet<&str> = keys(at(&collector, &format!("/{section}"))?)?;
        let mut used = BTreeSet::new();
        for (name, pipeline) in members(at(&collector, "/service/pipelines")?)? {
            assert!(["traces", "metrics", "logs"].contains(&name.as_str()), "{name} is no signal");
            for component in list(pipeline, &format!("/{section}"))? {
                used.insert(component.as_str().ok_or("a component has a name")?);
            }
        }
        assert_eq!(used, defined, "{section}");
    }
    assert_eq!(keys(at(&collector, "/service/pipelines")?)?.len(), 3);
    for (name, pipeline) in members(at(&collector, "/service/pipelines")?)? {
        assert_eq!(text(pipeline, "/processors/0")?, "memory_limiter", "{name}: it protects what comes after it");
    }
    Ok(())
}

#[test]
fn the_collector_listens_where_applications_send_to() -> Result<()> {
    let (collector, compose) = (yaml("collector.yaml")?, yaml("compose.yml")?);
    // The ports that OTLP has for gRPC and for HTTP.
    for (protocol, standard) in [("grpc", 4317), ("http", 4318)] {
        let endpoint = text(&collector, &format!("/receivers/otlp/protocols/{protocol}/endpoint"))?;
        assert_eq!(endpoint, format!("0.0.0.0:{standard}"), "inside a container the loopback is its own");
        assert!(published(&compose, "collector")?.contains(&standard), "{protocol}");
    }
    let readme = fs::read_to_string(files().join("README.md"))?;
    assert!(readme.contains("OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318"));
    Ok(())
}

#[test]
fn every_address_is_a_port_of_a_service() -> Result<()> {
    let compose = yaml("compose.yml")?;
    let collector = yaml("collector.yaml")?;
    let prometheus = yaml("prometheus-collector.yml")?;
    let sources = yaml("grafana/provisioning/datasources/llmspan.yaml")?;
    let scraped = text(&prometheus, "/scrape_configs/0/static_configs/0/targets/0")?;
    let mut addresses = vec![text(&collector, "/exporters/otlp~1jaeger/endpoint")?, scraped];
    for source in list(&sources, "/datasources")? {
        addresses.push(text(source, "/url")?.strip_prefix("http://").ok_or("a source has an HTTP address")?);
    }
    assert_eq!(addresses.len(), 4);
    for address in addresses {
        let (service, port) = address.split_once(':').ok_or_else(|| format!("{address} has no port"))?;
        assert!(listens(&compose, service)?.contains(&port.parse()?), "{address}: {service} does not listen there");
    }
    let served = text(&collector, "/exporters/prometheus/endpoint")?;
    assert_eq!(served.split_once(':').map(|(_, port)| port), scraped.split_once(':').map(|(_, port)| port));
    Ok(())
}

#[test]
fn mounted_files_exist_and_are_where_programs_look_for_them() -> Result<()> {
    let compose = yaml("compose.yml")?;
    let mut mounts = 0;
    for (name, service) in members(at(&compose, "/services")?)? {
        for (source, target) in volumes(service)? {
            assert!(files().join(&source).exists(), "{name}: there is no {source}");
            assert!(target.starts_with('/'), "{name}: {target}");
            mounts += 1;
        }
        let image = text(service, "/image")?;
        let tag = image.rsplit_once(':').map(|(_, tag)| tag);
        assert!(tag.is_some_and(|tag| tag.split('.').count() == 3), "{image} is no exact version");
        for dependency in service.get("depends_on").and_then(Value::as_array).into_iter().flatten() {
            assert!(compose["services"].get(dependency.as_str().unwrap_or_default()).is_some(), "{name}: {dependency}");
        }
        for port in service.get("ports").and_then(Value::as_array).into_iter().flatten() {
            assert!(
                port.as_str().is_some_and(|port| port.starts_with("127.0.0.1:")),
                "{name}: {port} is open to others"
            );
        }
    }
    assert_eq!(mounts, 5);

    let target_of = |service: &str, source: &str| -> Result<String> {
        let volumes = volumes(at(&compose, &format!("/services/{service}"))?)?;
        Ok(volumes.into_iter().find(|(from, _)| from == source).ok_or_else(|| format!("{source} is not mounted"))?.1)
    };
    let config = |file: &str| format!("--config={file}");
    assert_eq!(text(&compose, "/services/collector/command/0")?, config(&target_of("collector", "./collector.yaml")?));
    let prometheus = target_of("prometheus", "./prometheus-collector.yml")?;
    assert_eq!(text(&compose, "/services/prometheus/command/0")?, format!("--config.file={prometheus}"));
    let rules = yaml("prometheus-collector.yml")?;
    let beside = Path::new(&prometheus).with_file_name(text(&rules, "/rule_files/0")?);
    assert_eq!(beside, Path::new(&target_of("prometheus", "./alerts.yml")?));
    assert_eq!(target_of("grafana", "./grafana/provisioning")?, "/etc/grafana/provisioning");
    let dashboards = yaml("grafana/provisioning/dashboards/llmspan.yaml")?;
    let dashboard = target_of("grafana", "./grafana/llm-calls.json")?;
    assert_eq!(Path::new(&dashboard).parent(), Some(Path::new(text(&dashboards, "/providers/0/options/path")?)));
    Ok(())
}

#[test]
fn grafana_has_the_sources_that_it_refers_to() -> Result<()> {
    let sources = yaml("grafana/provisioning/datasources/llmspan.yaml")?;
    let sources = list(&sources, "/datasources")?;
    let with = |key: &str, value: &str| sources.iter().find(|source| source[key] == value);
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(files().join("grafana/llm-calls.json"))?)?;
    let wanted = list(&dashboard, "/templating/list")?.iter().find(|variable| variable["type"] == "datasource");
    let wanted = text(wanted.ok_or("the dashboard chooses no source")?, "/query")?;
    let source = with("type", wanted).ok_or_else(|| format!("there is no source of type {wanted}"))?;
    let traces = text(source, "/jsonData/exemplarTraceIdDestinations/0/datasourceUid")?;
    let traces = with("uid", traces).ok_or_else(|| format!("there is no source {traces}"))?;
    assert_eq!(text(traces, "/type")?, "jaeger");
    assert_eq!(sources.iter().filter(|source| source["isDefault"] == true).count(), 1);
    Ok(())
}

#[test]
#[ignore = "needs prometheus: `cargo xtask test --backends`"]
fn prometheus_accepts_its_configurations() -> Result<()> {
    for file in ["prometheus.yml", "prometheus-collector.yml"] {
        let checked = Command::new("promtool").args(["check", "config"]).arg(files().join(file)).output()?;
        let said = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success(), "{file}: {said}{}", String::from_utf8_lossy(&checked.stderr));
        assert!(said.contains("6 rules found"), "{file}: {said}");
    }
    Ok(())
}

/// Ports on which a service can be reached from the other ones.
fn listens(compose: &Value, service: &str) -> Result<BTreeSet<u16>> {
    let mut ports = published(compose, service)?;
    let exposed = compose["services"][service].get("expose").and_then(Value::as_array).into_iter().flatten();
    for port in exposed {
        ports.insert(port.as_str().ok_or("ports are quoted, because YAML has numbers to the base of 60")?.parse()?);
    }
    Ok(ports)
}

/// Ports of a service's container that this machine forwards to.
fn published(compose: &Value, service: &str) -> Result<BTreeSet<u16>> {
    let ports = list(compose, &format!("/services/{service}/ports"))?;
    let port = |port: &Value| -> Result<u16> {
        let port = port.as_str().and_then(|port| port.rsplit_once(':')).ok_or("a port is address:port:port")?;
        Ok(port.1.parse()?)
    };
    ports.iter().map(port).collect()
}

/// Sources and targets of what a service has mounted.
fn volumes(service: &Value) -> Result<Vec<(String, String)>> {
    let volumes = service.get("volumes").and_then(Value::as_array).into_iter().flatten();
    let volume = |volume: &Value| -> Result<(String, String)> {
        let parts: Vec<&str> = volume.as_str().unwrap_or_default().split(':').collect();
        match parts[..] {
            [source, target, "ro"] => Ok((source.to_owned(), target.to_owned())),
            _ => Err(format!("{volume} is no source:target:ro").into()),
        }
    };
    volumes.map(volume).collect()
}

fn members(value: &Value) -> Result<&Map<String, Value>> {
    Ok(value.as_object().ok_or_else(|| format!("{value} has no members"))?)
}

fn keys(value: &Value) -> Result<BTreeSet<&str>> {
    Ok(members(value)?.keys().map(String::as_str).collect())
}

fn yaml(file: &str) -> Result<Value> {
    let text = fs::read_to_string(files().join(file)).map_err(|error| format!("{file}: {error}"))?;
    Ok(serde_norway::from_str(&text).map_err(|error| format!("{file}: {error}"))?)
}

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/observability")
}
