import { protocolIndex, toLine, type Attempt, Call } from './call.js'
import { ABORT_PAUSE, garbage, watch, type Watcher } from './body.js'
import { LlmspanError } from './error.js'
import { describe, isAbort, read } from './failure.js'
import { isSeenBy, isSeenInBytes } from './fetch.js'
import { currentCall, engine, hookFailed } from './platform.js'
import { timer, type Recorder } from './recorder.js'
import type { Attributes } from './types.js'

export interface ObserveOptions {
  /** Protocol of the chunks, such as `openai.chat`; the first chunk that tells decides when it is not said. */
  protocol?: string | undefined
  /** Call that the stream belongs to. It goes on after the stream, unless the stream began it. */
  call?: Call | undefined
  /** Attempt that the stream is the response of; the call begins one when it is not said. */
  attempt?: Attempt | undefined
  /** Of the call that the stream begins: `chat` when it is not said. */
  operation?: string | undefined
  /** Of the call that the stream begins, by its OpenTelemetry name. */
  provider?: string | undefined
  /** Of the call that the stream begins. */
  model?: string | undefined
  /** Of the call that the stream begins. */
  attributes?: Attributes | undefined
  /** Of the call that the stream begins; the one of {@link configure} when it is not said. */
  recorder?: Recorder | undefined
  /** Signal that aborts the stream: an end after its abort is a cancel. */
  signal?: AbortSignal | undefined
}

/**
 * Watches a stream while it is read: `for await (const chunk of observe(stream))`.
 *
 * It takes what an SDK gives for `stream: true`, any async iterable, a `ReadableStream` or a `Response`. Chunks may be objects of an
 * SDK, JSON as text or bytes, or raw bytes of the response; they are passed on as they are, as soon as they come. What comes
 * back has the properties and methods of the stream. Its end, an exception, a `break`, an abort or garbage collection end the
 * call, once.
 *
 * The time to the first token counts from here; where it is to count from the request, make a {@link Call} before the request and
 * hand it over, or its attempt. A stream whose request is seen by {@link instrument} is watched there: it is given back as it is, or, where only
 * the id in its objects tells which response it is, it makes no record of its own.
 *
 * Throws an {@link LlmspanError} for a protocol that does not exist.
 */
export function observe<Stream extends AsyncIterable<unknown> | ReadableStream | Response>(
  stream: Stream,
  options: ObserveOptions = {},
): Stream {
  const { protocol } = options
  if (protocol !== undefined && protocolIndex(protocol) < 0) {
    throw new LlmspanError(`unknown protocol: \`${protocol}\``, 'unknown_protocol')
  }
  // SDKs abort the request of a stream by the signal of its controller.
  const signal = options.signal ?? (read(read(stream, 'controller'), 'signal') as AbortSignal | undefined)
  if (isSeenBy(signal) || (options.call ?? options.attempt?.call)?.isSeen) return stream
  try {
    const watcher = new StreamWatcher(options, signal)
    if (stream instanceof ReadableStream) return watch(stream, watcher) as ReadableStream as Stream
    if (typeof Response !== 'undefined' && stream instanceof Response) return observeResponse(stream, watcher) as Stream
    return observeIterable(stream as AsyncIterable<unknown>, watcher) as Stream
  } catch (error) {
    hookFailed(error)
    return stream
  }
}

function observeResponse(response: Response, watcher: StreamWatcher): Response {
  watcher.head(response)
  if (!response.body) {
    watcher.ended()
    return response
  }
  const { status, statusText, headers } = response
  return new Response(watch(response.body, watcher), { status, statusText, headers })
}

/** Stands for a stream; what it does not have itself is the stream's. */
function observeIterable(stream: AsyncIterable<unknown>, watcher: StreamWatcher): AsyncIterable<unknown> {
  const seen = new Proxy(stream, {
    get(target, key) {
      if (key === Symbol.asyncIterator) return () => iterate(target, seen, watcher)
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      // Of an object that is its own iterator.
      if (key === 'next' || key === 'return' || key === 'throw') {
        const own = (steps ??= iterate(target, seen, watcher))
        return (own[key] as (value?: unknown) => unknown).bind(own)
      }
      return (value as (...values: unknown[]) => unknown).bind(target)
    },
  })
  let steps: AsyncIterator<unknown> | undefined
  garbage.register(seen, watcher as Watcher<never>, watcher)
  return seen
}

/** An iterator that tells what it gives; it keeps the stream that stands for the other from becoming garbage. */
function iterate(stream: AsyncIterable<unknown>, seen: unknown, watcher: StreamWatcher): AsyncIterableIterator<unknown> {
  const steps = stream[Symbol.asyncIterator]()
  const give = (step: IteratorResult<unknown>): IteratorResult<unknown> => {
    if (step.done) watcher.ended()
    else watcher.data(step.value)
    return step
  }
  const fail = (error: unknown): never => {
    watcher.failed(error)
    throw error
  }
  const iterator: AsyncIterableIterator<unknown> & { seen: unknown } = {
    seen,
    next: (...values) => (watcher.isBegun ? steps.next(...values) : watcher.enter(() => steps.next(...values))).then(give, fail),
    return: value => {
      watcher.closed()
      return steps.return ? steps.return(value) : Promise.resolve({ done: true, value })
    },
    throw: error => {
      watcher.failed(error)
      return steps.throw ? steps.throw(error) : Promise.reject(error as Error)
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}

/** What is known of a stream while it is read. Nothing here throws. */
class StreamWatcher implements Watcher<unknown> {
  private readonly call: Call | undefined
  private readonly isOwned: boolean
  private readonly signal: AbortSignal | undefined
  /** Whether the signal is the application's: an SDK also aborts a stream that has failed. */
  private readonly isSignalGiven: boolean
  private readonly begunAtMs: number
  private attempt: Attempt | undefined
  private protocol: number
  private isBytes: boolean | undefined
  /** Whether the first chunk has come. */
  isBegun = false
  private isDone = false

  constructor(options: ObserveOptions, signal: AbortSignal | undefined) {
    const { attempt, operation, provider, model, attributes, recorder } = options
    const joined = attempt ? undefined : (options.call ?? currentCall())
    this.isOwned = !attempt && !joined
    this.attempt = attempt
    const call = attempt?.call ?? joined
    this.call = call ?? new Call(operation ?? 'chat', { provider, model, attributes, stream: true, recorder })
    this.begunAtMs = this.call.open.recorder.clock()
    this.protocol = options.protocol === undefined ? -1 : protocolIndex(options.protocol)
    this.signal = signal
    this.isSignalGiven = options.signal !== undefined
    this.onAbort = this.onAbort.bind(this)
    signal?.addEventListener('abort', this.onAbort, { once: true })
  }

  /** Takes the head of a response. */
  head(response: Response): void {
    this.guard(() => {
      this.own().headers(response.status, response.headers)
      if (this.protocol < 0 && response.url) this.protocol = engine().detect(response.url, '', nothing) ?? -1
      this.isBytes = true
    })
  }

  /** Makes the call the current one while the first chunk is asked for: a request that leaves then is its attempt. */
  enter<Result>(run: () => Result): Result {
    return this.isDone || !this.call ? run() : this.call.enter(run)
  }

  data(chunk: unknown): void {
    this.isBegun = true
    // Where hooks see the response, its bytes tell more.
    if (this.isDone || this.call?.isSeen) return
    try {
      if (this.protocol < 0 || this.isBytes === undefined) this.tellApart(chunk)
      if (this.protocol < 0) return
      const { open, number } = this.own()
      if (this.isBytes) open.bytes(number, this.protocol, typeof chunk === 'string' ? encoder.encode(chunk) : (chunk as Uint8Array))
      else open.payload(number, this.protocol, chunk)
    } catch (error) {
      hookFailed(error)
    }
  }

  ended(): void {
    this.guard(() => {
      if (this.signal?.aborted) return this.aborted()
      if (!this.isFirstEnd()) return
      if (!this.call?.isSeen) this.own().streamEnded()
      this.end()
    })
  }

  closed(): void {
    this.guard(() => {
      if (!this.isFirstEnd()) return
      if (this.isOwned) this.call?.consumerClosed()
      else this.attempt?.consumerClosed()
      this.end()
    })
  }

  collected(): void {
    this.closed()
  }

  failed(error: unknown): void {
    this.guard(() => {
      if (isAbort(error) || (this.isSignalGiven && this.signal?.aborted)) return this.aborted(error)
      if (!this.isFirstEnd()) return
      if (this.call?.isSeen) return this.end()
      if (this.isOwned && describe(error).errorType === 'timeout') {
        this.own()
        this.call?.timedOut('idle')
      } else {
        this.own().fail(error)
      }
      this.end()
    })
  }

  private onAbort(): void {
    this.guard(() => {
      if (this.isSignalGiven) return this.aborted()
      // What the stream does next tells why.
      const atMs = this.call?.open.recorder.clock()
      timer(() => this.guard(() => this.aborted(undefined, atMs)), ABORT_PAUSE)
    })
  }

  private aborted(error?: unknown, atMs?: number): void {
    if (!this.isFirstEnd()) return
    if (this.isOwned) {
      if (!this.call?.isSeen) this.own()
      this.call?.cancelled({ atMs })
      this.end(atMs)
    } else {
      this.own().fail(error, { abortLike: true, atMs })
    }
  }

  /** Finds the protocol and the form of the chunks by the first one that tells. */
  private tellApart(chunk: unknown): void {
    const { detect, detectEvent, isEvent } = engine()
    const bytes = typeof chunk === 'string' ? encoder.encode(chunk) : chunk
    if (bytes instanceof Uint8Array) {
      this.isBytes ??= !isEvent(bytes)
      if (this.protocol < 0) this.protocol = detect('', '', bytes.subarray(0, 2048)) ?? -1
    } else {
      this.isBytes = false
      const json = this.protocol < 0 ? toLine(chunk) : undefined
      if (json !== undefined) this.protocol = detectEvent(json) ?? -1
    }
    // Where none is found it was a ping, perhaps: the next one may tell.
  }

  private own(): Attempt {
    this.attempt ??= (this.call as Call).attempt({ atMs: this.begunAtMs })
    return this.attempt
  }

  private isFirstEnd(): boolean {
    const isFirst = !this.isDone
    this.isDone = true
    if (isFirst) {
      garbage.unregister(this)
      this.signal?.removeEventListener('abort', this.onAbort)
    }
    return isFirst
  }

  private end(atMs?: number): void {
    if (!this.isOwned || !this.call) return
    // One response is one call, and its bytes tell more than its objects. A call that the hook has joined is that one.
    if (!this.call.isSeen && isSeenInBytes(this.call)) this.call.open.forget()
    else this.call.end({ atMs })
  }

  private guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      hookFailed(error)
    }
  }
}

const encoder = new TextEncoder()
const nothing = new Uint8Array(0)
