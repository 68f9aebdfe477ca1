//! The names of the fuzz targets, and what each is about.

use llmspan_core::{framing::Framing, provider::Protocol};

/// A target of `fuzz/fuzz_targets`.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) about: About,
}

/// What the inputs of a target are.
#[derive(Clone, Copy, Debug)]
pub(super) enum About {
    Decoder(Protocol),
    EventLog,
    Framing(Framing),
    Machine,
    ResponseHead,
}

impl Target {
    /// Every target: one per framing and per protocol, of the event log, of the machine and of what comes before a body.
    pub(super) fn all() -> Vec<Self> {
        let framings = FRAMINGS.map(|(name, framing)| (format!("framing_{name}"), About::Framing(framing)));
        let decoders = Protocol::ALL
            .iter()
            .map(|protocol| (format!("decoder_{}", protocol.as_str().replace('.', "_")), About::Decoder(*protocol)));
        let others =
            [("event_log", About::EventLog), ("machine", About::Machine), ("response_head", About::ResponseHead)]
                .map(|(name, about)| (String::from(name), about));
        framings.into_iter().chain(decoders).chain(others).map(|(name, about)| Self { name, about }).collect()
    }

    pub(super) fn by_name(name: &str) -> Result<Self, String> {
        let known = Self::all();
        known.iter().find(|target| target.name == name).cloned().ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|target| target.name.as_str()).collect();
            format!("there is no target `{name}`; the known ones: {}", names.join(", "))
        })
    }
}

const FRAMINGS: [(&str, Framing); 5] = [
    ("event_stream", Framing::EventStream),
    ("json", Framing::Json),
    ("json_array", Framing::JsonArray),
    ("ndjson", Framing::Ndjson),
    ("sse", Framing::Sse),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_a_program_of_the_package() {
        let manifest: toml::Table = include_str!("../../../fuzz/Cargo.toml").parse().unwrap();
        let bins = manifest["bin"].as_array().unwrap().iter();
        let mut bins: Vec<&str> = bins.map(|bin| bin["name"].as_str().unwrap()).collect();
        let targets = Target::all();
        let mut names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        bins.sort_unstable();
        names.sort_unstable();
        assert_eq!(names, bins);
    }
}
