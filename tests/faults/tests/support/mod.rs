//! A server for tests.

use core::time::Duration;
use std::{sync::mpsc, thread};

use llmspan_faults::Server;

/// The URL of a server on a thread of its own, so that a busy client does not hold it back. It lives as long as the test.
pub(crate) fn server_of_its_own() -> String {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::start("127.0.0.1:0").await.unwrap();
            send.send(server.base_url("")).unwrap();
            server.run().await;
        });
    });
    receive.recv_timeout(Duration::from_secs(5)).unwrap()
}
