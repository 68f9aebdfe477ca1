//! One program for all backends: they take their time to start, and do so side by side.

mod mlflow;
mod phoenix;
mod rotel;
mod stack;
