import { garbage } from './body.js'
import { Call, Sent, type Attempt } from './call.js'
import type { EngineCorrelator, EngineRequest } from './engine.js'
import { describe, isAbort } from './failure.js'
import { lines } from './log.js'
import { currentCall, engine, hookFailed, state } from './platform.js'
import { defaultRecorder, timer, type Recorder, type Timer } from './recorder.js'
import type { TimeoutKind } from './types.js'

/**
 * What hooks around HTTP clients share: requests that go to models become attempts of calls. A hook asks {@link Wire.begin}
 * before a request leaves, and tells the {@link Tap} that it gets what happens. Nothing here throws: what goes wrong is counted,
 * and the application goes on.
 */
export class Wire {
  private readonly correlator: EngineCorrelator
  private readonly waiting = new Map<number, Waiting>()
  /** Failed responses whose bodies nobody has asked for. */
  private readonly unread = new Set<Tap>()
  private timer: Timer

  constructor(private readonly recorder?: Recorder) {
    this.correlator = engine().correlator()
  }

  /** Begins an attempt at `atMs`, if the request goes to a model: of the call that is given, as long as it is open. */
  begin(url: string, headers: string, body: Uint8Array, atMs?: number, given?: Call): Tap | undefined {
    const request = engine().readRequest(url, headers, body)
    if (!request) return undefined
    const recorder = this.recorder ?? defaultRecorder()
    recorder.settleWith(this)
    const now = atMs ?? recorder.clock()
    // Whoever sends again does not read the failure any more.
    for (const tap of this.unread) tap.closed()
    const resumed = this.correlator.request(now, null, request)
    this.settle(now)
    let call = given?.isOpen ? given : currentCall()
    let owned = false
    if (resumed) {
      const waiting = this.take(resumed.call)
      if (waiting?.call.isOpen) {
        if (!call || call === waiting.call) {
          ;({ call, owned } = waiting)
          const { delayMs, reason, serverRequested, failedAtMs } = resumed
          waiting.given?.up.repeated(failedAtMs)
          call.open.tell('retry_scheduled', 0, { delayMs, reason, serverRequested, atMs: failedAtMs })
        } else {
          over(waiting, resumed.failedAtMs)
        }
      }
    }
    if (!call) {
      call = Call.ofRequest(recorder, request, now)
      owned = true
    }
    call.isSeen = true
    return new Tap(this, recorder, call, owned, request, url, now)
  }

  /** The time on the clock of the recorder. */
  now(): number {
    return (this.recorder ?? defaultRecorder()).clock()
  }

  /** Takes note of a failed response whose body nobody has asked for yet, or of one that somebody asked for. */
  isUnread(tap: Tap, isUnread: boolean): void {
    if (isUnread) this.unread.add(tap)
    else this.unread.delete(tap)
  }

  /** Takes note that a request failed before its response could be read; says whether it may be repeated. */
  failed(tap: Tap, statusCode: number | undefined, error: unknown, given?: Given): boolean {
    const said = error === undefined ? {} : describe(error)
    const mayRetry = this.correlator.failed(
      tap.recorder.clock(),
      tap.number,
      null,
      tap.request,
      statusCode ?? said.statusCode ?? null,
      said.errorType ?? null,
      said.abortLike ?? false,
      tap.retryAfterMs ?? null,
    )
    if (mayRetry) {
      this.waiting.set(tap.number, { call: tap.call, owned: tap.owned, given })
      this.settle(tap.recorder.clock())
      this.schedule(tap.recorder)
    }
    return mayRetry
  }

  /** Takes note of the id of a response, by which its objects are known; whether it has said one. */
  tellsResponse(call: Call): boolean {
    return call.open.tellsResponse(this.correlator)
  }

  /** Whether the response that a call has been told of in objects is one whose bytes are seen here. */
  hasSeen(call: Call): boolean {
    return call.open.isKnownTo(this.correlator)
  }

  /** Ends what a flush finds given up: nobody can tell flows of control apart here, so only time tells. */
  flush(recorder: Recorder): void {
    for (const tap of this.unread) tap.closed()
    this.settle(recorder.clock())
  }

  /** Ends all that waits. */
  close(recorder: Recorder): void {
    for (const tap of this.unread) tap.closed()
    this.correlator.shutdown()
    this.settle(recorder.clock())
  }

  /** Ends the calls whose retries stopped coming, at their last failure. */
  private settle(now: number): void {
    for (const { call, failedAtMs } of this.correlator.over(now)) {
      const waiting = this.take(call)
      if (waiting) over(waiting, failedAtMs)
    }
  }

  private take(number: number): Waiting | undefined {
    const waiting = this.waiting.get(number)
    this.waiting.delete(number)
    return waiting
  }

  private schedule(recorder: Recorder): void {
    const at = this.correlator.timeoutMs
    if (at === null || this.timer || state().platform.isPerRequest) return
    const delay = Math.max(at - recorder.clock(), 0) + 10
    this.timer = timer(() => {
      this.timer = undefined
      this.settle(recorder.clock())
      this.schedule(recorder)
    }, delay)
  }
}

/** A call after a failure, which its client may repeat. */
interface Waiting {
  call: Call
  /** Whether the wire began it, and ends it; otherwise the application does. */
  owned: boolean
  given: Given | undefined
}

/** An attempt that somebody gave up before it was answered. What that was is said once it is known whether it is repeated. */
interface Given {
  up: Tap
  by: GaveUp
}

/** Who seems to have given up: only a client repeats what it gave up. */
type GaveUp = 'application' | 'client'

/** Ends a call that is not repeated any more. */
function over({ call, owned, given }: Waiting, atMs: number): void {
  if (!owned) return
  if (given) given.up.over(given.by, atMs)
  else call.end({ atMs })
}

/** Chunks of a body in which the id of the response is looked for: it is in the first event, if in any. */
const CHUNKS_WITH_ID = 64

/** One attempt, as its hook sees it. Every method may be called at any time; after the end they do nothing. */
export class Tap {
  readonly number: number
  retryAfterMs: number | undefined
  /** What can abort the request. */
  signal: AbortSignal | undefined
  private readonly attempt: Attempt
  private protocol = -1
  private statusCode: number | undefined
  private isDone = false
  /** Chunks in which the id of the response is still looked for. */
  private untold = CHUNKS_WITH_ID
  /** May hold credentials: unlike other members it is not shown to those who look into objects. */
  readonly #url: string

  constructor(
    private readonly wire: Wire,
    readonly recorder: Recorder,
    readonly call: Call,
    readonly owned: boolean,
    readonly request: EngineRequest,
    url: string,
    private readonly begunAtMs: number,
  ) {
    this.number = state().numbers += 1
    this.#url = url
    this.attempt = call.attempt(new Sent(request, begunAtMs))
  }

  /** Takes the head of the response. */
  head(statusCode: number, headers: Headers): void {
    this.statusCode = statusCode
    this.retryAfterMs = this.attempt.headers(statusCode, headers)
    // Of an answer, what the first bytes say is asked once they are there.
    if (this.isError) {
      this.protocol = engine().detect(this.#url, lines([...headers].flat()), nothing) ?? this.request.protocol ?? -1
      this.wire.isUnread(this, true)
    }
  }

  /** Takes note that somebody asks for the body. */
  reading(): void {
    if (this.isError) this.wire.isUnread(this, false)
  }

  /** Takes bytes of the body. Called for every chunk. */
  data(chunk: Uint8Array): void {
    if (this.isDone) return
    if (this.protocol < 0) {
      if (chunk.length === 0) return
      this.protocol = engine().detect(this.#url, '', chunk.subarray(0, 2048)) ?? this.request.protocol ?? 0
    }
    this.attempt.open.bytes(this.attempt.number, this.protocol, chunk)
    if (this.untold > 0) this.untold = this.wire.tellsResponse(this.call) ? 0 : this.untold - 1
  }

  /** Takes note that the body is complete. */
  ended(): void {
    this.lastly(() => {
      this.attempt.streamEnded()
      this.end()
    })
  }

  /** Takes note that nobody reads the body any more. */
  closed(): void {
    this.lastly(() => {
      if (!this.isError) this.attempt.consumerClosed()
      this.end()
    })
  }

  /** Takes note that the response is garbage, and that nobody had read it to its end. */
  collected(): void {
    if (this.isError) return this.closed()
    this.lastly(() => {
      if (this.owned) this.call.dropped()
      else this.attempt.consumerClosed()
    })
  }

  /** Takes note of an exception: instead of a response, or while its body was read. */
  failed(error: unknown): void {
    this.lastly(() => this.failing(error))
  }

  private failing(error: unknown): void {
    const isAbort = this.isAborted(error)
    if (isAbort || describe(error).errorType === 'timeout') {
      const by = isAbort && !this.isLate ? 'application' : 'client'
      if (this.statusCode === undefined) this.givenUp(by)
      else if (by === 'application') this.over(by)
      else this.timedOut(isAbort ? 'deadline' : 'idle')
      return
    }
    this.attempt.fail(error)
    if (this.statusCode === undefined) this.end(error)
    else if (this.owned) this.call.end()
  }

  /** Takes note that the client repeats what was given up: it had waited long enough. */
  repeated(atMs: number): void {
    if (this.owned) this.attempt.fail(TIMEOUT, { atMs })
  }

  /** Takes note that what was given up is not repeated. */
  over(by: GaveUp, atMs?: number): void {
    if (by === 'client') {
      this.timedOut('idle', atMs)
    } else if (this.owned) {
      this.call.cancelled({ atMs })
      this.call.end({ atMs })
    } else {
      this.attempt.fail(ABORT, { atMs })
    }
  }

  private timedOut(kind: TimeoutKind, atMs?: number): void {
    if (this.owned) {
      this.call.timedOut(kind, { atMs })
      this.call.end({ atMs })
    } else {
      this.attempt.fail(TIMEOUT, { atMs })
    }
  }

  private givenUp(by: GaveUp): void {
    const { timeoutMs, resends } = this.request
    // Of clients that count their requests, and do not say how long they wait, the next request tells who it was.
    const mayRepeat = by === 'client' || (timeoutMs === null && resends !== null)
    // A call of the application's may end before the next request.
    if (!this.owned) this.attempt.fail(by === 'client' ? TIMEOUT : ABORT)
    const isKept = mayRepeat && this.wire.failed(this, undefined, TIMEOUT, { up: this, by })
    if (!isKept && this.owned) this.over(by)
  }

  /** Whether as much time has passed as the client says it waits. */
  private get isLate(): boolean {
    const { timeoutMs, deadlineMs } = this.request
    const limitMs = this.statusCode === undefined ? timeoutMs : deadlineMs
    return limitMs !== null && this.recorder.clock() - this.begunAtMs >= limitMs - TIMER_SLACK
  }

  /** Whether an exception is how `fetch` shows an abort: it throws the reason that is given, of whatever kind it is. */
  private isAborted(error: unknown): boolean {
    if (isAbort(error)) return true
    return this.signal?.aborted === true && error === this.signal.reason && describe(error).errorType !== 'timeout'
  }

  private get isError(): boolean {
    return this.statusCode !== undefined && this.statusCode >= FIRST_ERROR
  }

  /** Says the last word on the attempt, once. */
  private lastly(say: () => void): void {
    if (this.isDone) return
    this.isDone = true
    garbage.unregister(this)
    this.wire.isUnread(this, false)
    try {
      say()
    } finally {
      this.request.free?.()
    }
  }

  private end(error?: unknown): void {
    const failed = error !== undefined || this.isError
    if (failed && this.wire.failed(this, this.statusCode, error)) return
    if (this.owned) this.call.end()
  }
}

/** Runs a part of a hook; what it throws is counted. */
export function guarded<Result>(run: () => Result): Result | undefined {
  try {
    return run()
  } catch (error) {
    hookFailed(error)
    return undefined
  }
}

const nothing = new Uint8Array(0)
const FIRST_ERROR = 400
/** Milliseconds by which the timer of a client may have begun before its request. */
const TIMER_SLACK = 50
const ABORT = new DOMException('the application aborted the request', 'AbortError')
const TIMEOUT = new DOMException('the client waited no longer', 'TimeoutError')
