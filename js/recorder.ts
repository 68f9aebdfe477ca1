import type { OpenCall } from './call.js'
import type { EngineConfig, EngineRecord } from './engine.js'
import { raising } from './error.js'
import { hookFailed, state, warn } from './platform.js'
import { Record } from './record.js'
import { Callback, type Sink } from './sinks.js'

/** What a recorder did. */
export interface RecorderStats {
  /** Calls that are open. */
  openCalls: number
  /** Records of calls that ended. */
  records: number
  /** Records that no sink got, because the queue was full. */
  dropped: number
  /** Exceptions of sinks. */
  sinkErrors: number
  /** Events left out because their fields could not be read; the first one is a warning. */
  invalidEvents: number
}

export interface RecorderOptions {
  /** Sinks, or functions that are called with each record. */
  sinks?: Iterable<Sink | ((record: Record) => unknown)> | undefined
  /** Called with each record: a sink in short. */
  onRecord?: ((record: Record) => unknown) | undefined
  /** Names of the dialects that sinks write, unless a sink has its own: `otel-1.41` when it is not said. */
  profiles?: readonly string[] | undefined
  /** Configuration of the engine, under the names of its documentation, as an object or as JSON. */
  config?: Readonly<{ [key: string]: unknown }> | string | undefined
  /** Records that wait for the sinks, 10 000 when it is not said; past it they are dropped and counted. */
  queueSize?: number | undefined
  /** The monotonic clock, in milliseconds: `performance.now()` when it is not said. `atMs` of events are times of it. */
  clock?: (() => number) | undefined
  /**
   * The wall clock in milliseconds since 1970, read once per call; `null` for records without absolute times. When it is not
   * said, `performance.timeOrigin` is where the monotonic clock began.
   */
  wallClock?: (() => number) | null | undefined
}

/** Keeps calls open that may have ended. @internal */
export interface Settler {
  /** Ends what has ended as far as whoever flushes can tell. */
  flush(recorder: Recorder): void
  /** Ends what is kept open. */
  close(recorder: Recorder): void
}

/**
 * What calls share: configuration, clocks and sinks.
 *
 * Records are handed to the sinks after what runs, so that ending a call costs the application no more than to queue its
 * record. At the end of the process, calls that are open end as `abandoned`, and what is queued is handed over.
 */
export class Recorder {
  readonly profiles: readonly string[]
  readonly sinks: readonly Sink[]
  /** The clock of `atMs`, in milliseconds. */
  readonly clock: () => number
  /** @internal */
  readonly config: EngineConfig
  private readonly wallClock: (() => number) | null
  private readonly isAnchored: boolean
  private readonly queueSize: number
  private readonly open = new Set<OpenCall>()
  private readonly settlers = new Set<Settler>()
  private readonly counts = { records: 0, dropped: 0, sinkErrors: 0, invalidEvents: 0 }
  private queue: Record[] = []
  private isDraining = false
  private isClosed = false
  private lastId = 0
  private ticking: Timer
  private idle: Timer

  /** Throws an {@link LlmspanError} for a configuration that is out of range, and for a profile that does not exist. */
  constructor(options: RecorderOptions = {}) {
    const { engine } = state().platform
    const { config = {}, clock, wallClock } = options
    this.profiles = [...(options.profiles ?? ['otel-1.41'])]
    raising(() => engine.recordFromJson('{"call":"1"}').attributes([...this.profiles]))
    this.config = raising(() => engine.config(typeof config === 'string' ? config : JSON.stringify(config)))
    this.queueSize = options.queueSize ?? 10_000
    this.clock = clock ? () => timeOf(clock) ?? 0 : now
    // Of a clock that is not the platform's, the platform does not know where it began.
    this.wallClock = wallClock === undefined ? (clock ? Date.now : null) : wallClock
    this.isAnchored = wallClock === undefined && !clock
    const sinks = [...(options.sinks ?? []), ...(options.onRecord ? [options.onRecord] : [])]
    this.sinks = sinks.map(sink => (typeof sink === 'function' ? new Callback(sink) : sink))
    for (const sink of this.sinks) sink.attach?.(this)
    if (this.config.hasDeadlines) this.ticking = timer(() => this.tick(), PAUSE, 'again')
    state().recorders.add(this)
  }

  /** Counts of this recorder. */
  get stats(): RecorderStats {
    return { openCalls: this.open.size, ...this.counts }
  }

  /** Whether records have come since the last flush. @internal */
  get hasWork(): boolean {
    return this.queue.length > 0 || this.idle !== undefined
  }

  /** Waits until the sinks have the records so far, at most so many milliseconds; says whether they do. */
  async flush(timeoutMs = 5000): Promise<boolean> {
    for (const settler of this.settlers) settler.flush(this)
    this.drain()
    clearTimeout(this.idle)
    this.idle = undefined
    return this.within(timeoutMs, sink => sink.flush?.())
  }

  /** Ends open calls as `abandoned`, flushes, and closes the sinks. */
  async close(timeoutMs = 5000): Promise<void> {
    if (this.isClosed) return
    this.finish()
    await this.within(timeoutMs, async sink => {
      await sink.flush?.()
      await sink.close?.()
    })
  }

  /** Ends everything without waiting: for the end of the process. @internal */
  exit(): void {
    if (this.isClosed) return
    this.finish()
    for (const sink of this.sinks) this.guard(() => sink.exit?.())
  }

  /**
   * Ends the calls whose deadline, idle timeout or age has passed. A timer does this about every second, if the configuration
   * has one of them.
   */
  tick(atMs?: number): void {
    for (const call of this.open) call.tick(atMs)
  }

  /** Ends all open calls as they are: what never ended is `abandoned`. */
  abandonOpenCalls(atMs?: number): void {
    for (const call of this.open) call.dropped(atMs)
  }

  /** Lets somebody who keeps calls open know before a flush and before the end. @internal */
  settleWith(settler: Settler): void {
    this.settlers.add(settler)
  }

  /** @internal */
  nextId(): string {
    return String((this.lastId += 1))
  }

  /** The wall-clock time in milliseconds that the clock's `atMs` had. @internal */
  unixAt(atMs: number): number | undefined {
    if (this.isAnchored) return performance.timeOrigin + atMs
    const wall = this.wallClock ? timeOf(this.wallClock) : undefined
    return wall === undefined ? undefined : wall - (this.clock() - atMs)
  }

  /** @internal */
  opened(call: OpenCall): void {
    this.open.add(call)
  }

  /** Queues the record of a call. Never waits, never throws. @internal */
  deliver(call: OpenCall, record: EngineRecord): void {
    this.open.delete(call)
    this.counts.records += 1
    if (this.sinks.length === 0) return
    if (this.queue.length >= this.queueSize) {
      this.counts.dropped += 1
      return
    }
    this.queue.push(new Record(record))
    if (this.isClosed) this.drain()
    else this.drainSoon()
  }

  /** Counts an event that could not be read, and warns of the first one. @internal */
  refuse(error: unknown): void {
    if ((error as { code?: unknown } | null)?.code === 'GenericFailure') {
      hookFailed(error)
      return
    }
    this.counts.invalidEvents += 1
    if (this.counts.invalidEvents === 1) warn(`llmspan leaves out an event, and every one like it: ${String(error)}`)
  }

  private drainSoon(): void {
    if (this.isDraining) return
    this.isDraining = true
    state().platform.soon(() => this.drain())
  }

  private drain(): void {
    this.isDraining = false
    const queue = this.queue
    if (queue.length === 0) return
    this.queue = []
    for (const record of queue) {
      for (const sink of this.sinks) this.guard(() => sink.record(record))
    }
    this.idle ??= timer(() => {
      this.idle = undefined
      for (const sink of this.sinks) this.guard(() => sink.flush?.())
    }, PAUSE)
  }

  private finish(): void {
    for (const settler of this.settlers) settler.close(this)
    this.abandonOpenCalls()
    this.isClosed = true
    clearInterval(this.ticking)
    clearTimeout(this.idle)
    this.drain()
    clearTimeout(this.idle)
    state().recorders.delete(this)
  }

  private async within(timeoutMs: number, ask: (sink: Sink) => unknown): Promise<boolean> {
    const all = Promise.all(this.sinks.map(sink => this.guard(() => ask(sink)))).then(() => true)
    let late: Timer
    const tooLate = new Promise<boolean>(resolve => {
      late = setTimeout(() => resolve(false), timeoutMs)
    })
    const isInTime = await Promise.race([all, tooLate])
    clearTimeout(late)
    return isInTime
  }

  /** Counts what a sink throws, at once or later. */
  private guard(run: () => unknown): Promise<void> | undefined {
    try {
      const result = run()
      if (result instanceof Promise) return result.then(undefined, (error: unknown) => this.sinkFailed(error))
    } catch (error) {
      this.sinkFailed(error)
    }
    return undefined
  }

  private sinkFailed(error: unknown): void {
    this.counts.sinkErrors += 1
    if (this.counts.sinkErrors === 1) warn('a sink of llmspan failed; later failures are counted', error)
  }
}

/**
 * Makes the recorder that calls use unless they are given another one, and gives it back. The one before it is closed: its
 * calls that are open end as `abandoned`.
 */
export function configure(options: RecorderOptions = {}): Recorder {
  const recorder = new Recorder(options)
  const before = state().recorder
  state().recorder = recorder
  void before?.close()
  return recorder
}

/** The recorder that was configured, or else one without sinks. */
export function defaultRecorder(): Recorder {
  return state().recorder ?? configure()
}

/** Flushes the default recorder: see {@link Recorder.flush}. */
export function flush(timeoutMs?: number): Promise<boolean> {
  return defaultRecorder().flush(timeoutMs)
}

/** A timer that keeps no process alive. @internal */
export function timer(run: () => void, delayMs: number, again?: 'again'): Timer {
  const made: unknown = again ? setInterval(run, delayMs) : setTimeout(run, delayMs)
  ;(made as { unref?: () => void }).unref?.()
  return made as Timer
}

/** @internal */
export type Timer = ReturnType<typeof setTimeout> | undefined

function now(): number {
  return performance.now()
}

/** The time of a clock of the application's; none when it fails. */
function timeOf(clock: () => number): number | undefined {
  try {
    const time = clock()
    return Number.isFinite(time) ? time : undefined
  } catch {
    return undefined
  }
}

/** Milliseconds after a record at which sinks are flushed, and between two looks at deadlines. */
const PAUSE = 1000
