import type { AmbientContext } from './ambient.js'
import type { Record } from './record.js'
import type { Recorder } from './recorder.js'

/**
 * Takes finished records.
 *
 * Methods are called after what the application runs, a few milliseconds at a time. Records wait in the recorder's queue, and
 * past its capacity they are dropped and counted. What a sink throws is counted and goes no further.
 *
 * Where the application uses OpenTelemetry, the context in which a call began is the active one while its record is taken.
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
  /** Does at the end of the process, or of the page, what can be done without waiting. */
  exit?(): void
  /** Does without waiting what should not wait for later, for a page goes out of sight and may never come back. */
  hide?(): void
  /**
   * Looks at a record at once, while the application waits for the end of its call. It is not called for calls that were
   * dropped. @internal
   */
  ended?(record: Record, context: AmbientContext): void
  /** Begins what is to be current inside of {@link Call.run}. @internal */
  begin?(opening: Opening): Begun | undefined
}

/** A call that is about to run a function. @internal */
export interface Opening {
  /** Where the call began; the context that {@link Begun.kept} replaces. */
  readonly context: AmbientContext
  /** Its event `call_started`, as JSON of the event log. */
  readonly json: string
  /** Wall-clock start in nanoseconds, as decimal text; absent without a wall clock. */
  readonly startUnixNs: string | undefined
  readonly trace_id: string | undefined
  readonly span_id: string | undefined
  readonly parent_span_id: string | undefined
}

/** @internal */
export interface Begun {
  /** The context that comes back to the sink with the record. */
  readonly kept: AmbientContext
  /** The span of the call. */
  readonly span: unknown
  /** Makes the call's span the active one inside of a function. */
  enter<Result>(inside: () => Result): Result
}

/** Calls a function with each record. A flush waits for the promises that it gives back. */
export class Callback implements Sink {
  private readonly pending = new Set<Promise<unknown>>()

  constructor(private readonly run: (record: Record) => unknown) {}

  record(record: Record): void | Promise<void> {
    if (this.pending.size >= MOST_PENDING) throw new Error(`${MOST_PENDING} promises of a callback are pending: it gets no record`)
    const result = this.run(record)
    if (!(result instanceof Promise)) return undefined
    this.pending.add(result)
    const settled = (): void => void this.pending.delete(result)
    result.then(settled, settled)
    return result as Promise<void>
  }

  async flush(): Promise<void> {
    await Promise.allSettled(this.pending)
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

/** Promises of one callback. */
const MOST_PENDING = 1000
