//! The programs in Rust that the documents show. `cargo xtask snippets` runs them, against a server that it starts.
#![cfg(snippets)]

#[doc = include_str!("../../../README.md")]
pub mod readme {}

#[doc = include_str!("../../../bindings/rust/README.md")]
pub mod rust {}

#[doc = include_str!("../../../docs/by-hand.md")]
pub mod by_hand {}

#[doc = include_str!("../../../docs/opentelemetry.md")]
pub mod opentelemetry {}

#[doc = include_str!("../../../docs/recipes.md")]
pub mod recipes {}
