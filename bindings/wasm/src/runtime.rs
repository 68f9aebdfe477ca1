//! What the standard library would bring along: an allocator, and what becomes of a panic.

use core::{arch::wasm32, panic::PanicInfo};

use rlsf::SmallGlobalTlsf;

#[global_allocator]
static ALLOCATOR: SmallGlobalTlsf = SmallGlobalTlsf::new();

/// A trap, which JavaScript sees as a `RuntimeError`. Formatting a message would cost more than all of the state machine.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}
