//! Ten thousand calls at once lose no record and no chunk, and take as much memory as one call says they do. No times.

use llmspan_bench::load::{Heap, Plan, Report, run};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

#[test]
fn nothing_is_lost_and_memory_is_as_predicted() {
    let heap = Heap {
        now: || ALLOCATOR.current_usage(),
        peak: || ALLOCATOR.peak_usage(),
        reset: || ALLOCATOR.reset_peak_usage(),
    };
    let report = run(&Plan { calls: 10_000, chunks: 100_000, chunks_per_call: 20, rate: None, threads: 2 }, &heap);
    println!("{report}");
    assert_eq!(report.broken(), [""; 0]);
    assert!(report.opened > 14_000, "calls end and others begin: {}", report.opened);
    assert_eq!(report.offered, 100_000);

    // What would be broken is told.
    let spoilt = |spoil: fn(&mut Report)| {
        let mut spoilt = report;
        spoil(&mut spoilt);
        spoilt.broken().len()
    };
    assert_eq!(spoilt(|report| report.records -= 1), 1);
    assert_eq!(spoilt(|report| report.complete = 0), 1);
    assert_eq!(spoilt(|report| report.counted += 1), 1);
    assert_eq!(spoilt(|report| report.peak_bytes *= 2), 1);
    assert_eq!(spoilt(|report| report.left_bytes = 1 << 20), 1);
}
