import { unseen, within as inContext, type AmbientContext } from './ambient.js'
import type { OpenCall } from './call.js'
import type { EngineConfig, EngineRecord } from './engine.js'
import { LlmspanError, raising } from './error.js'
import { hookFailed, state, warn } from './platform.js'
import { Record } from './record.js'
import { Callback, type Begun, type Opening, type Sink } from './sinks.js'

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
  /**
   * For platforms that stop what a request does once its response is sent, such as Cloudflare's and Vercel's: is handed a promise
   * for each call that begins, which settles when the call has ended and the sinks have flushed its record.
   * `ctx.waitUntil.bind(ctx)` of a recorder for the request, or a `waitUntil` that finds the request by itself.
   */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined
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
 * Records are handed to the sinks after what runs, a few milliseconds at a time, so that ending a call costs the application no
 * more than to queue its record. At the end of the process, calls that are open end as `abandoned`, and what is queued is handed over.
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
  /** Whether sinks want to know of functions that run as a call. @internal */
  readonly hasBeginners: boolean
  private readonly watchers: readonly Sink[]
  private readonly flushing = new Set<Sink>()
  private readonly waitUntil: ((work: Promise<unknown>) => void) | undefined
  /** Calls, and queued records, that a platform waits for. */
  private readonly awaited = new Map<OpenCall, () => void>()
  private arrivals: (() => void)[] = []
  private queue: Queued[] = []
  /** Where the queue begins. */
  private first = 0
  private isDraining = false
  private isClosed = false
  private lastId = 0
  private ticking: Timer
  private idle: Timer

  /** Throws an {@link LlmspanError} for a configuration that is out of range, and for a profile that does not exist. */
  constructor(options: RecorderOptions = {}) {
    const { engine } = state().platform
    state().isUsed = true
    const { config = {}, clock, wallClock } = options
    this.profiles = [...(options.profiles ?? ['otel-1.41'])]
    const unknown = options.profiles?.find(name => !engine.profiles.includes(name))
    if (unknown !== undefined) throw new LlmspanError(`unknown profile: \`${unknown}\``, 'unknown_profile')
    this.config = raising(() => engine.config(typeof config === 'string' ? config : JSON.stringify(config)))
    this.queueSize = options.queueSize ?? 10_000
    this.clock = clock ? () => timeOf(clock) ?? 0 : now
    // Of a clock that is not the platform's, the platform does not know where it began.
    this.wallClock = wallClock === undefined ? (clock ? Date.now : null) : wallClock
    this.isAnchored = wallClock === undefined && !clock
    const sinks = [...(options.sinks ?? []), ...(options.onRecord ? [options.onRecord] : [])]
    this.sinks = sinks.map(sink => (typeof sink === 'function' ? new Callback(sink) : sink))
    this.hasBeginners = this.sinks.some(sink => sink.begin)
    this.watchers = this.sinks.filter(sink => sink.ended)
    this.waitUntil = options.waitUntil
    for (const sink of this.sinks) sink.attach?.(this)
    // One that is made for a request goes away with it.
    if (!this.waitUntil) state().recorders.add(this)
  }

  /** Counts of this recorder. */
  get stats(): RecorderStats {
    return { openCalls: this.open.size, ...this.counts }
  }

  /** Whether records have come since the last flush. @internal */
  get hasWork(): boolean {
    return this.waiting > 0 || this.idle !== undefined
  }

  /** Waits until the sinks have the records so far, at most so many milliseconds; says whether they do. */
  async flush(timeoutMs = 5000): Promise<boolean> {
    for (const settler of this.settlers) settler.flush(this)
    clearTimeout(this.idle)
    this.idle = undefined
    const deadline = now() + timeoutMs
    const isEmpty = this.drainSome() || (await this.drained(deadline))
    clearTimeout(this.idle)
    this.idle = undefined
    return isEmpty && this.within(deadline - now(), sink => sink.flush?.())
  }

  /** Ends open calls as `abandoned`, flushes, and closes the sinks. */
  async close(timeoutMs = 5000): Promise<void> {
    if (this.isClosed) return
    const deadline = now() + timeoutMs
    this.finish()
    if (!this.drainSome() && !(await this.drained(deadline))) this.discard()
    await this.within(deadline - now(), async sink => {
      await sink.flush?.()
      await sink.close?.()
    })
    this.arrived()
  }

  /** Ends everything without waiting: for the end of the process, or of the page. @internal */
  exit(): void {
    if (this.isClosed) return
    this.finish()
    if (!this.drainSome(EXIT)) this.discard()
    for (const sink of this.sinks) this.guard(() => sink.exit?.())
    this.arrived()
  }

  /** Hands over what there is without waiting, and goes on: for a page that is hidden, which may never come back. @internal */
  leave(): void {
    if (this.isClosed) return
    for (const settler of this.settlers) settler.flush(this)
    this.drainSome(EXIT)
    for (const sink of this.sinks) this.guard(() => unseen(() => sink.hide?.()))
  }

  /**
   * Ends the calls whose deadline, idle timeout or age has passed. A timer does this about every second, if the configuration
   * has one of them, but for Workers, where timers end with their request.
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
    if (this.config.hasDeadlines && !state().platform.isPerRequest) this.ticking ??= timer(() => this.tick(), PAUSE, 'again')
    const { waitUntil } = this
    if (!waitUntil) return
    if (!this.isClosed) state().recorders.add(this)
    this.guard(() => waitUntil(new Promise<void>(resolve => this.awaited.set(call, resolve))))
  }

  /** Lets go of a call that no record can come of any more. @internal */
  lost(call: OpenCall): void {
    this.open.delete(call)
    this.awaited.get(call)?.()
    this.awaited.delete(call)
  }

  /** Asks the sinks for what is to be current inside of a function that runs as a call. Throws nothing. @internal */
  begin(opening: Opening): Begun | undefined {
    let begun: Begun | undefined
    for (const sink of this.sinks) {
      try {
        begun = sink.begin?.({ ...opening, context: begun?.kept ?? opening.context }) ?? begun
      } catch (error) {
        this.sinkFailed(error)
      }
    }
    return begun
  }

  /** Queues the record of a call, and gives it back. Never waits, never throws. @internal */
  deliver(call: OpenCall, data: EngineRecord, context: AmbientContext | undefined, how: 'ended' | 'dropped'): Record {
    const record = new Record(data)
    this.open.delete(call)
    this.counts.records += 1
    if (context && how === 'ended') for (const sink of this.watchers) this.guard(() => sink.ended?.(record, context))
    const arrival = this.awaited.get(call)
    if (arrival) {
      this.awaited.delete(call)
      this.arrivals.push(arrival)
    }
    if (this.sinks.length > 0) {
      if (this.waiting >= this.queueSize) this.counts.dropped += 1
      else this.queue.push({ record, context })
    }
    // Nobody else hands over what comes after the end.
    if (this.isClosed && !this.isDraining) this.drainSome()
    if (this.waiting > 0 || this.arrivals.length > 0) this.drainSoon()
    return record
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

  /** Records that are queued. */
  private get waiting(): number {
    return this.queue.length - this.first
  }

  private drainSoon(): void {
    if (this.isDraining) return
    this.isDraining = true
    state().platform.soon(() => {
      this.isDraining = false
      if (this.drainSome()) this.flushArrivals()
      else this.drainSoon()
    })
  }

  /** Hands records over for some milliseconds, and for not too many records where the clock stands still; says whether that was all. */
  private drainSome(millis = SLICE): boolean {
    const until = now() + millis
    const most = millis === SLICE ? MOST_AT_ONCE : Infinity
    for (let count = 0; this.waiting > 0; count += 1) {
      if (count >= most || (count > 0 && now() >= until)) return false
      this.handOver(this.queue[this.first++] as Queued)
      if (this.first >= COMPACT) {
        this.queue.splice(0, this.first)
        this.first = 0
      }
    }
    this.queue = []
    this.first = 0
    return true
  }

  private handOver({ record, context }: Queued): void {
    inContext(context, () => {
      for (const sink of this.sinks) this.guard(() => sink.record(record))
    })
    // What a platform waits for is flushed at once.
    if (!this.isClosed && !this.waitUntil && !state().platform.isPerRequest) this.idle ??= timer(() => this.flushIdle(), PAUSE)
  }

  /** Hands over what is queued, between what else runs; says whether all was handed over in time. */
  private async drained(deadline: number): Promise<boolean> {
    do {
      if (now() >= deadline) return false
      await new Promise<void>(resolve => state().platform.soon(resolve))
    } while (!this.drainSome())
    return true
  }

  private flushIdle(): void {
    this.idle = undefined
    for (const sink of this.sinks) {
      // Of a sink that hangs, one promise is enough.
      if (this.flushing.has(sink)) continue
      const flushed = this.guard(() => unseen(() => sink.flush?.()))
      if (!flushed) continue
      this.flushing.add(sink)
      void flushed.then(() => this.flushing.delete(sink))
    }
  }

  /** Flushes what a platform waits for, and says that it is done. */
  private flushArrivals(): void {
    if (this.arrivals.length === 0) return
    const arrivals = this.arrivals.splice(0)
    void this.within(ARRIVAL, sink => sink.flush?.()).then(() => {
      for (const arrived of arrivals) arrived()
      if (this.open.size === 0 && this.waiting === 0) state().recorders.delete(this)
    })
  }

  private arrived(): void {
    for (const arrived of this.arrivals.splice(0)) arrived()
  }

  private finish(): void {
    for (const settler of this.settlers) settler.close(this)
    this.abandonOpenCalls()
    this.isClosed = true
    clearInterval(this.ticking)
    clearTimeout(this.idle)
    this.idle = undefined
    state().recorders.delete(this)
  }

  /** Gives up what is queued. */
  private discard(): void {
    this.counts.dropped += this.waiting
    this.queue = []
    this.first = 0
  }

  private async within(timeoutMs: number, ask: (sink: Sink) => unknown): Promise<boolean> {
    const all = Promise.all(this.sinks.map(sink => this.guard(() => unseen(() => ask(sink))))).then(() => true)
    let late: Timer
    const tooLate = new Promise<boolean>(resolve => {
      late = setTimeout(() => resolve(false), Math.max(timeoutMs, 0))
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

/** A record, and the context in which its call began. */
interface Queued {
  readonly record: Record
  readonly context: AmbientContext | undefined
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

/** A timer that keeps no process alive; none where the runtime allows none, as Workers do outside of a request. @internal */
export function timer(run: () => void, delayMs: number, again?: 'again'): Timer {
  try {
    const made: unknown = again ? setInterval(run, delayMs) : setTimeout(run, delayMs)
    ;(made as { unref?: () => void }).unref?.()
    return made as Timer
  } catch {
    return undefined
  }
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

/** Milliseconds for which sinks are called before something else may run. */
const SLICE = 5

/** Records that sinks are given before something else may run. */
const MOST_AT_ONCE = 256

/** Milliseconds for which sinks are called at the end. */
const EXIT = 1000

/** Milliseconds that a platform is asked to wait for sinks. */
const ARRIVAL = 30_000

/** Places of the queue that are given back at a time. */
const COMPACT = 1024
