import type { Record } from './record.js'
import type { Recorder } from './recorder.js'

/**
 * Takes finished records.
 *
 * Methods are called after what the application runs. Records wait in the recorder's queue, and past its capacity they are
 * dropped and counted. What a sink throws is counted and goes no further.
 */
export interface Sink {
  /** Takes note of the recorder, before its first record. */
  attach?(recorder: Recorder): void
  /** Takes one record. */
  record(record: Record): void
  /** Brings the records taken so far where they belong: at the wish of the application, and when a second has passed. */
  flush?(): void | Promise<void>
  /** Lets go of files and connections. Nothing follows but records of calls that end still later. */
  close?(): void | Promise<void>
  /** Does at the end of the process what can be done without waiting. */
  exit?(): void
}

/** Calls a function with each record. */
export class Callback implements Sink {
  constructor(private readonly run: (record: Record) => unknown) {}

  record(record: Record): void {
    this.run(record)
  }
}

/** Keeps the last records, for tests. Flush the recorder before looking at them. */
export class Memory implements Sink {
  private kept: Record[] = []

  /** Keeps at most `capacity` records; the oldest go first. */
  constructor(private readonly capacity = 10_000) {}

  /** The records in the order in which their calls ended. */
  get records(): readonly Record[] {
    return [...this.kept]
  }

  /** Forgets the records. */
  clear(): void {
    this.kept = []
  }

  record(record: Record): void {
    this.kept.push(record)
    if (this.kept.length > this.capacity) this.kept.shift()
  }
}
