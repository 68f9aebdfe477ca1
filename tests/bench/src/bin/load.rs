//! Offers chunks to many open calls: `cargo xtask load [--seconds N] [--calls N] [--rate N] [--threads N]`.

use std::{env, process::ExitCode};

use llmspan_bench::load::{Heap, Plan, run};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

fn main() -> ExitCode {
    match plan(env::args().skip(1)) {
        Ok(plan) => {
            let reset = || ALLOCATOR.reset_peak_usage();
            let heap = Heap { now: || ALLOCATOR.current_usage(), peak: || ALLOCATOR.peak_usage(), reset };
            let report = run(&plan, &heap);
            println!("{} calls open at once on {} threads\n{report}", plan.calls, plan.threads);
            let broken = report.broken();
            for broken in &broken {
                eprintln!("broken: {broken}");
            }
            if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn plan(arguments: impl Iterator<Item = String>) -> Result<Plan, String> {
    let (mut seconds, mut calls, mut rate, mut threads) = (3, 10_000, 1_000_000, 2);
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let value = match argument.as_str() {
            "--seconds" => &mut seconds,
            "--calls" => &mut calls,
            "--rate" => &mut rate,
            "--threads" => &mut threads,
            other => return Err(format!("`{other}` is none of --seconds, --calls, --rate and --threads")),
        };
        let number = arguments.next().and_then(|text| text.parse().ok()).filter(|number| *number > 0);
        *value = number.ok_or_else(|| format!("`{argument}` takes a number from 1"))?;
    }
    let count = |number: u64| usize::try_from(number).map_err(|error| error.to_string());
    let chunks = rate * seconds;
    Ok(Plan { calls: count(calls)?, chunks, chunks_per_call: 200, rate: Some(rate), threads: count(threads)? })
}
