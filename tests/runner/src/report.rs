//! What a run of many cases has to say.

use core::fmt;
use std::path::PathBuf;

/// Results of a run, printed as one line per failure and a last line with the counts.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Cases that passed.
    pub passed: usize,
    /// Cases that were not run, with the reason.
    pub skipped: Vec<(PathBuf, String)>,
    /// Cases that failed, each with its differences.
    pub failures: Vec<(PathBuf, Vec<String>)>,
}

impl Report {
    /// Adds the result of one case.
    pub fn add(&mut self, case: PathBuf, differences: Vec<String>) {
        if differences.is_empty() {
            self.passed += 1;
        } else {
            self.failures.push((case, differences));
        }
    }

    /// Whether the run failed: a case failed, or there was none at all.
    pub fn failed(&self) -> bool {
        !self.failures.is_empty() || self.passed == 0
    }

    /// Adds the results of another run.
    pub fn merge(&mut self, other: Self) {
        self.passed += other.passed;
        self.skipped.extend(other.skipped);
        self.failures.extend(other.failures);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (case, differences) in &self.failures {
            for difference in differences {
                writeln!(f, "FAILED {}: {difference}", case.display())?;
            }
        }
        let mut reasons: Vec<&str> = self.skipped.iter().map(|(_, reason)| reason.as_str()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        for reason in reasons {
            let count = self.skipped.iter().filter(|(_, own)| own == reason).count();
            writeln!(f, "skipped {count}: {reason}")?;
        }
        write!(f, "{} passed, {} failed", self.passed, self.failures.len())?;
        if !self.skipped.is_empty() {
            write!(f, ", {} skipped", self.skipped.len())?;
        }
        writeln!(f)
    }
}
