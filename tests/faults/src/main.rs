//! Runs the fault server: `llmspan-faults --port 4010`.

use std::{env, process::ExitCode};

use llmspan_faults::Server;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("llmspan-faults: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[String]) -> Result<(), String> {
    let mut port = 0;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match (argument.as_str(), rest.next()) {
            ("--help" | "-h", _) => {
                print!("{HELP}");
                return Ok(());
            }
            ("--port", Some(value)) => {
                port = value.parse().map_err(|_| format!("`--port` takes a number up to 65535, not `{value}`"))?;
            }
            (other, _) => return Err(format!("`{other}` is not understood\n\n{HELP}")),
        }
    }
    let address = ("127.0.0.1", port);
    let server = Server::start(address).await.map_err(|error| format!("127.0.0.1:{port}: {error}"))?;
    println!("listening on http://{}", server.address());
    server.run().await;
    Ok(())
}

const HELP: &str = "\
llmspan-faults [--port PORT]

Speaks the protocols of LLM providers on 127.0.0.1 and misbehaves on request; port 0, the default, takes a free one.
Prints `listening on http://127.0.0.1:PORT` and runs until it is ended. tests/faults/README.md has what can be asked for.
";
