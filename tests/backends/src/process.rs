//! Programs that a test starts and stops.

use core::time::Duration;
use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tokio::time::{sleep, timeout};

use crate::Result;

/// A running backend, with a folder of its own for what it writes.
///
/// Dropping it stops the program and removes the folder. What the program printed goes to the standard error of the test,
/// which shows it when the test fails.
#[derive(Debug)]
pub struct Backend {
    name: &'static str,
    child: Child,
    dir: PathBuf,
}

impl Backend {
    /// Starts a program and waits until it answers `GET ready`, whatever it says, but for a failure of the server.
    ///
    /// `command` makes the command out of the folder.
    ///
    /// # Errors
    /// A program that is not there, or ends early, or is not ready in time.
    pub async fn start(name: &'static str, ready: &str, command: impl FnOnce(&Path) -> Command) -> Result<Self> {
        let dir = env::temp_dir().join(format!("llmspan-{name}-{}-{}", std::process::id(), free_port()?));
        fs::create_dir_all(&dir)?;
        let log = fs::File::create(dir.join(LOG))?;
        let mut command = command(&dir);
        command.current_dir(&dir).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().map_err(|error| {
            let program = command.get_program().display();
            format!("{program}: {error}; `cargo xtask backends` installs what is missing")
        })?;
        let mut started = Self { name, child, dir };
        started.wait_until_ready(ready).await?;
        Ok(started)
    }

    /// What the program printed so far.
    pub fn printed(&self) -> String {
        fs::read(self.dir.join(LOG)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    async fn wait_until_ready(&mut self, ready: &str) -> Result<()> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
        let answers = async {
            while !client.get(ready).send().await.is_ok_and(|answer| !answer.status().is_server_error()) {
                if let Some(status) = self.child.try_wait()? {
                    return Err(format!("{} ended before it was ready: {status}", self.name).into());
                }
                sleep(PACE).await;
            }
            Ok(())
        };
        let in_time = timeout(READY_WITHIN, answers).await;
        in_time.map_err(|_| format!("{} is not ready after {} s", self.name, READY_WITHIN.as_secs()))?
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        stop(&mut self.child);
        eprintln!("--- {} printed:\n{}\n---", self.name, self.printed());
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Calls `attempt` until it gives something, for at most a minute.
///
/// # Errors
/// The last error of `attempt`, or that there was nothing.
pub async fn eventually<T>(what: &str, mut attempt: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let mut last = None;
    let found = timeout(FOUND_WITHIN, async {
        loop {
            match attempt().await {
                Ok(Some(found)) => return found,
                Ok(None) => last = None,
                Err(error) => last = Some(error),
            }
            sleep(PACE).await;
        }
    });
    let found = found.await;
    found.map_err(|_| format!("{what}: {}", last.unwrap_or_else(|| "not in time".into())).into())
}

/// A port that was free a moment ago.
///
/// # Errors
/// When no port is free.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A program below the folder that `cargo xtask test --backends` installs into.
pub fn installed(program: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/backends").join(program)
}

/// Asks the program to stop, so that it can stop what it started itself; after five seconds it is killed.
fn stop(child: &mut Child) {
    let asked = Command::new("kill").arg(child.id().to_string()).status().is_ok_and(|status| status.success());
    for _ in 0..50 {
        if !asked || !matches!(child.try_wait(), Ok(None)) {
            break;
        }
        std::thread::sleep(PACE);
    }
    // Without effect on a program that has ended.
    let _ = child.kill();
    let _ = child.wait();
}

/// Between two looks at something that takes a while.
const PACE: Duration = Duration::from_millis(100);

const LOG: &str = "printed.log";

/// Backends show what they are sent after a while, most of them within a second.
const FOUND_WITHIN: Duration = Duration::from_secs(60);

/// A first start makes a database and loads a great many modules.
const READY_WITHIN: Duration = Duration::from_secs(300);
