//! Memory that JavaScript writes to.

use alloc::{vec, vec::Vec};

use wasm_bindgen::prelude::*;

/// Room for the bytes of one crossing. It is kept from one crossing to the next, where the bindings would allocate and free for
/// each.
#[wasm_bindgen]
pub struct Scratch(Vec<u8>);

#[wasm_bindgen]
impl Scratch {
    /// Room for so many bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(length: u32) -> Self {
        Self(vec![0; usize::try_from(length).unwrap_or_default()])
    }

    /// Where in the memory of the module it is; that does not change.
    #[wasm_bindgen(getter)]
    pub fn address(&self) -> *const u8 {
        self.0.as_ptr()
    }
}

impl Scratch {
    /// The first bytes; none when there are not as many.
    pub(crate) fn first(&self, length: u32) -> &[u8] {
        usize::try_from(length).ok().and_then(|length| self.0.get(..length)).unwrap_or_default()
    }
}
