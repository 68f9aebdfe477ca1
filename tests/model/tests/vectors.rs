//! Every vector, through the engine and through the model.

use std::path::{Path, PathBuf};

use llmspan_core::{config::Config, event::TimedEvent};
use llmspan_model::compare::differences;
use llmspan_runner::vectors;
use serde_json::Value;

#[test]
fn engine_and_model_agree_on_every_vector() {
    let mut dirs = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors")];
    // Others that somebody has beside these.
    dirs.extend(std::env::var_os("LLMSPAN_VECTORS").map(PathBuf::from));
    let report = vectors::run_with(&dirs, |_, text| {
        let vector: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let config = match &vector["config"] {
            Value::Null => Config::default(),
            config => Config::from_json(&config.to_string()).map_err(|error| error.to_string())?,
        };
        let steps = vector["steps"].as_array().ok_or("no steps")?;
        let log: Result<Vec<TimedEvent>, _> =
            steps.iter().map(|step| TimedEvent::from_json(&step.to_string())).collect();
        Ok(differences(&config, &log.map_err(|error| error.to_string())?))
    });
    assert!(!report.failed(), "{report}");
    println!("{report}");
}
