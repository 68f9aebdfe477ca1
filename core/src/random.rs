//! Numbers for tests that look random and are the same in every run.

/// Marsaglia's xorshift of 64 bits.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Begins with a seed, which is not 0.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
