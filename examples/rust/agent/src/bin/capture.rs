//! Plays every scenario and writes its event log: `capture <directory>`.
#![allow(clippy::std_instead_of_core, reason = "examples are written as applications are")]

use std::{env, error::Error, fs, path::PathBuf};

use llmspan_example_agent::{brief::brief, scenarios::Scenario};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(env::args_os().nth(1).ok_or("usage: capture <directory>")?);
    fs::create_dir_all(&directory)?;
    for scenario in Scenario::ALL {
        let record = scenario.capture(&directory).await?;
        print!("{}", brief(&record));
    }
    Ok(())
}
