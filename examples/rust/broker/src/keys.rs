//! Keys of a provider, each for a few requests at a time.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Keys that are free. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct KeyPool {
    free: Arc<Mutex<Vec<String>>>,
    permits: Arc<Semaphore>,
}

impl KeyPool {
    /// A pool in which each key is there `requests_per_key` times, at least once. Without keys, it has an empty one.
    pub(crate) fn new(keys: &[String], requests_per_key: usize) -> Self {
        let keys = if keys.is_empty() { vec![String::new()] } else { keys.to_vec() };
        let free: Vec<_> = (0..requests_per_key.max(1)).flat_map(|_| keys.clone()).collect();
        Self { permits: Arc::new(Semaphore::new(free.len())), free: Arc::new(Mutex::new(free)) }
    }

    /// Waits for a key. First come, first served.
    pub(crate) async fn acquire(&self) -> Lease {
        // An error means that the semaphore was closed, which nobody does.
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        let key = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        Lease { key, pool: self.clone(), _permit: permit }
    }
}

/// A key in use. Dropping it gives the key back.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) key: String,
    pool: KeyPool,
    /// Dropped after the key is back.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let key = std::mem::take(&mut self.key);
        self.pool.free.lock().unwrap_or_else(PoisonError::into_inner).push(key);
    }
}
