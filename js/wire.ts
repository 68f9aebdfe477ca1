import { Call, type Attempt } from './call.js'
import type { EngineCorrelator, EngineRequest } from './engine.js'
import { describe, isAbort } from './failure.js'
import { currentCall, engine, hookFailed, state } from './platform.js'
import { defaultRecorder, timer, type Recorder, type Timer } from './recorder.js'

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

  /** Begins an attempt at `atMs`, if the request goes to a model. */
  begin(url: string, headers: string[], body: Uint8Array, atMs?: number): Tap | undefined {
    const request = engine().readRequest(url, headers, body)
    if (!request) return undefined
    const recorder = this.recorder ?? defaultRecorder()
    recorder.settleWith(this)
    const now = atMs ?? recorder.clock()
    // Whoever sends again does not read the failure any more.
    for (const tap of this.unread) tap.closed()
    const resumed = this.correlator.request(now, null, request)
    this.settle(now)
    let call = currentCall()
    let owned = false
    if (resumed) {
      const waiting = this.take(resumed.call)
      if (waiting?.call.isOpen) {
        if (!call || call === waiting.call) {
          ;({ call, owned } = waiting)
          const { delayMs, reason, serverRequested, failedAtMs } = resumed
          call.open.tell('retry_scheduled', 0, { delayMs, reason, serverRequested, atMs: failedAtMs })
        } else if (waiting.owned) {
          waiting.call.end({ atMs: resumed.failedAtMs })
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
  failed(tap: Tap, statusCode: number | undefined, error: unknown): boolean {
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
      this.waiting.set(tap.number, { call: tap.call, owned: tap.owned })
      this.settle(tap.recorder.clock())
      this.schedule(tap.recorder)
    }
    return mayRetry
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
      if (waiting?.owned) waiting.call.end({ atMs: failedAtMs })
    }
  }

  private take(number: number): Waiting | undefined {
    const waiting = this.waiting.get(number)
    this.waiting.delete(number)
    return waiting
  }

  private schedule(recorder: Recorder): void {
    const at = this.correlator.timeoutMs
    if (at === null || this.timer) return
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
}

/** One attempt, as its hook sees it. Every method may be called at any time; after the end they do nothing. */
export class Tap {
  readonly number: number
  retryAfterMs: number | undefined
  private readonly attempt: Attempt
  private protocol = -1
  private statusCode: number | undefined
  private isDone = false

  constructor(
    private readonly wire: Wire,
    readonly recorder: Recorder,
    readonly call: Call,
    readonly owned: boolean,
    readonly request: EngineRequest,
    private readonly url: string,
    private readonly begunAtMs: number,
  ) {
    this.number = state().numbers += 1
    const { provider, model, serverAddress } = request
    this.attempt = call.attempt({
      provider: provider ?? undefined,
      model: model ?? undefined,
      endpoint: serverAddress ?? undefined,
      atMs: begunAtMs,
    })
  }

  /** Takes the head of the response. */
  head(statusCode: number, headers: Headers): void {
    this.statusCode = statusCode
    this.retryAfterMs = this.attempt.headers(statusCode, headers)
    // Of an answer, what the first bytes say is asked once they are there.
    if (this.isError) {
      this.protocol = this.request.protocol ?? -1
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
      this.protocol = engine().detect(this.url, [], chunk.subarray(0, 2048)) ?? this.request.protocol ?? 0
    }
    this.attempt.open.bytes(this.attempt.number, this.protocol, chunk)
  }

  /** Takes note that the body is complete. */
  ended(): void {
    if (this.isLastWord()) {
      this.attempt.streamEnded()
      this.end()
    }
  }

  /** Takes note that nobody reads the body any more. */
  closed(): void {
    if (this.isLastWord()) {
      if (!this.isError) this.attempt.consumerClosed()
      this.end()
    }
  }

  /** Takes note that the response is garbage, and that nobody had read it to its end. */
  collected(): void {
    if (this.isError) {
      this.closed()
    } else if (this.isLastWord()) {
      if (this.owned) this.call.dropped()
      else this.attempt.consumerClosed()
    }
  }

  /** Takes note of an exception: instead of a response, or while its body was read. */
  failed(error: unknown): void {
    if (!this.isLastWord()) return
    if (isAbort(error)) {
      if (this.hasTimedOut) {
        // A client that waits no longer aborts too, and may repeat the request.
        this.attempt.fail(TIMEOUT)
        this.end(TIMEOUT)
      } else if (this.owned) {
        this.call.endWith(error)
      } else {
        this.attempt.fail(error)
      }
      return
    }
    if (this.statusCode !== undefined && this.owned && describe(error).errorType === 'timeout') {
      // Nothing came for as long as the client was told to wait.
      this.call.timedOut('idle')
      this.call.end()
      return
    }
    this.attempt.fail(error)
    if (this.statusCode === undefined) this.end(error)
    else if (this.owned) this.call.end()
  }

  private get isError(): boolean {
    return this.statusCode !== undefined && this.statusCode >= FIRST_ERROR
  }

  /** Whether the head of the response has not come in the time that the client says it waits. */
  private get hasTimedOut(): boolean {
    const { timeoutMs } = this.request
    return this.statusCode === undefined && timeoutMs !== null && this.recorder.clock() - this.begunAtMs >= timeoutMs - TIMER_SLACK
  }

  private isLastWord(): boolean {
    const isFirst = !this.isDone
    this.isDone = true
    if (isFirst) this.wire.isUnread(this, false)
    return isFirst
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

const FIRST_ERROR = 400
/** Milliseconds by which the timer of a client may have begun before its request. */
const TIMER_SLACK = 50
const TIMEOUT = new DOMException('the client waited no longer', 'TimeoutError')
