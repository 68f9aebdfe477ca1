import { origin, type Origin } from './ambient.js'
import { Batch } from './batch.js'
import type { EngineCall, EngineCorrelator, EngineRecord, EngineRequest } from './engine.js'
import { describe, isAbort, type Failure } from './failure.js'
import { eventJson, isBare, lines, unixNanos } from './log.js'
import { hookFailed, registry, state } from './platform.js'
import type { Record as CallRecord } from './record.js'
import { defaultRecorder, type Recorder } from './recorder.js'
import type { Opening } from './sinks.js'
import type {
  At,
  AttemptInput,
  Attributes,
  AttributeValue,
  CallInput,
  ChunkInput,
  ContentKind,
  EndInput,
  FailureInput,
  HeaderInput,
  HeaderPairs,
  RetryInput,
  TimeoutKind,
  UsageInput,
} from './types.js'

/**
 * One request and its response: what a call, which means its latest attempt, and an attempt have in common.
 *
 * No method throws because of what it is told: an event whose fields cannot be read is left out and counted in
 * {@link Recorder.stats}.
 */
export abstract class Exchange {
  /** @internal */
  readonly open: OpenCall
  /** Number of the attempt, from 1; 0 for the latest one of a call, and for one that began after the end of its call. */
  readonly number: number

  /** @internal */
  protected constructor(open: OpenCall, number: number) {
    this.open = open
    this.number = number
  }

  /** Whether the call has not ended. */
  get isOpen(): boolean {
    return this.open.isOpen
  }

  /** Id of the call. */
  get id(): string {
    return this.open.id
  }

  /** Marks the moment when the request had left. */
  requestSent(at?: At): void {
    this.open.tell('request_sent', this.number, at)
  }

  /**
   * Takes the response headers, and what the application read itself. Gives back how many milliseconds the server asks to
   * wait before a retry.
   */
  headers(statusCode?: number, headers?: HeaderPairs, fields?: HeaderInput): number | undefined {
    return this.open.headers(this.number, statusCode, headers, fields)
  }

  /** Takes raw response bytes, split anywhere: of a stream, or of a whole body. */
  bytes(protocol: string, data: Uint8Array | ArrayBuffer, at?: At): void {
    const index = this.open.protocol(protocol)
    if (index >= 0) this.open.bytes(this.number, index, data instanceof Uint8Array ? data : new Uint8Array(data), at?.atMs)
  }

  /** Takes one provider event: an object of an SDK, or JSON as text or bytes. */
  payload(protocol: string, event: unknown, at?: At): void {
    const index = this.open.protocol(protocol)
    if (index >= 0) this.open.payload(this.number, index, event, at?.atMs)
  }

  /** Takes a chunk that the application has classified itself. */
  chunk(content: ContentKind = 'none', fields?: ChunkInput): void {
    this.open.chunk(this.number, content, fields)
  }

  /** Takes note of a comment or a ping. */
  keepAlive(at?: At): void {
    this.open.tell('keep_alive', this.number, at)
  }

  /** Takes token counts that came apart from the response. */
  usage(usage: UsageInput, at?: At): void {
    this.open.tell('usage', this.number, { usage, atMs: at?.atMs })
  }

  /** Marks the moment when the consumer really got the first visible chunk, where something holds chunks back. */
  delivered(at?: At): void {
    this.open.tell('delivered', this.number, at)
  }

  /** Closes the attempt with an error: what an exception says, and over it what is given as fields. */
  fail(error?: unknown, fields?: FailureInput): void {
    const said: Failure = error === undefined ? {} : describe(error)
    const told = { ...said, ...given(fields) }
    this.open.tell('attempt_failed', this.number, told)
  }

  /** Takes note of the end of the response stream. */
  streamEnded(at?: At): void {
    this.open.tell('stream_ended', this.number, at)
  }

  /** Takes note that nobody reads the response any more. */
  consumerClosed(at?: At): void {
    this.open.tell('consumer_closed', this.number, at)
  }
}

/**
 * One call, as the application sees it: retries, waits and local work included.
 *
 * It ends with {@link Call.end}, or with the function given to {@link Call.run}; its record then goes to the sinks of the
 * recorder. A call that is garbage without an end is finalized too, as what is known to have happened to it, else as
 * `abandoned`.
 *
 * All methods take the time of their event as `atMs`, in milliseconds of the recorder's clock, which is `performance.now()`;
 * without it the clock is read.
 */
export class Call extends Exchange {
  /** Whether hooks see a request of the call at the wire. @internal */
  isSeen = false

  /**
   * Opens a call.
   *
   * @param operation what is asked for: `chat`, `text_completion`, `generate_content`, `embeddings`, …
   */
  constructor(operation?: string, input: CallInput & { recorder?: Recorder | undefined } = {}) {
    const begun: unknown = operation
    super(begun instanceof OpenCall ? begun : OpenCall.start(operation, input), 0)
    dropped.register(this, this.open, this.open)
  }

  /** Opens a call that begins with a request. @internal */
  static ofRequest(recorder: Recorder, request: EngineRequest, atMs: number): Call {
    return new Call(OpenCall.ofRequest(recorder, request, atMs) as unknown as string)
  }

  /** The record of the call, once it has ended; before that `undefined`. */
  get record(): CallRecord | undefined {
    return this.open.record
  }

  /** Begins a phase, such as `prompt.build`; it ends with {@link Phase.end}. */
  phase(name: string, at?: At): Phase {
    this.phaseStarted(name, at)
    return new Phase(this, name)
  }

  /** Begins a phase. */
  phaseStarted(name: string, at?: At): void {
    this.open.tell('phase_started', 0, { name, atMs: at?.atMs })
  }

  /** Ends a phase, and every phase inside it. */
  phaseEnded(name: string, at?: At): void {
    this.open.tell('phase_ended', 0, { name, atMs: at?.atMs })
  }

  /** Begins the next attempt. It closes the wait that is open, and the attempt before it unless `hedged`. */
  attempt(input?: AttemptInput): Attempt {
    return new Attempt(this, input)
  }

  /** Opens a wait, which the next attempt closes. */
  retry(input?: RetryInput): void {
    this.open.tell('retry_scheduled', 0, input)
  }

  /** Closes the wait that is open, where the next attempt does not follow at once. */
  retryWaitEnded(input?: At & { aborted?: boolean | undefined }): void {
    this.open.tell('retry_wait_ended', 0, input)
  }

  /** Takes note that the application aborts the call. The call still has to end. */
  cancelled(at?: At): void {
    this.open.tell('cancelled', 0, at)
  }

  /** Takes note that the application gives up waiting. The call still has to end. */
  timedOut(kind: TimeoutKind = 'idle', at?: At): void {
    this.open.tell('timed_out', 0, { kind, atMs: at?.atMs })
  }

  /** Sets attributes. */
  attributes(attributes: Attributes, at?: At): void {
    this.open.tell('attributes', 0, { attributes, atMs: at?.atMs })
  }

  /** Sets an attribute. `refusal`, `json_valid` and `cache_hit` have fields of their own in the record. */
  attribute(key: string, value: AttributeValue, at?: At): void {
    this.attributes({ [key]: value }, at)
  }

  /** Ends the call if a deadline of its configuration has passed. */
  tick(at?: At): void {
    this.open.tick(at?.atMs)
  }

  /** Ends the call: a success, unless something that happened to its last attempt says otherwise. */
  end(input?: EndInput): void {
    // An end that cannot be read is an end.
    if (!this.open.tell('call_ended', 0, input)) this.open.tell('call_ended', 0)
  }

  /** Ends the call as {@link Call.run} does: with the exception that left it, or with none. */
  endWith(error?: unknown, at?: At): void {
    if (error === undefined) return this.end(at)
    if (isAbort(error)) {
      this.cancelled(at)
      return this.end(at)
    }
    const { errorType, statusCode, message } = describe(error)
    this.end({ errorType, statusCode, message, atMs: at?.atMs })
  }

  /** Ends the call as garbage collection does: what never ended is `abandoned`. */
  dropped(at?: At): void {
    this.open.dropped(at?.atMs)
  }

  /**
   * Runs a function as the call: it ends with what the function returns, a promise's end included, or throws. Requests that
   * hooks see inside of it are attempts of the call, where the runtime has an `AsyncLocalStorage`. With a sink for OpenTelemetry
   * the span of the call is the active one inside of it.
   */
  run<Result>(inside: (call: this) => Result): Result {
    let result: Result
    try {
      result = this.open.surround(() => this.enter(() => inside(this)))
    } catch (error) {
      if (this.isOpen) this.endWith(error ?? 'unknown')
      throw error
    }
    if (!isPromise(result)) {
      if (this.isOpen) this.end()
      return result
    }
    return result.then(
      value => {
        if (this.isOpen) this.end()
        return value
      },
      (error: unknown) => {
        if (this.isOpen) this.endWith(error ?? 'unknown')
        throw error
      },
    ) as Result
  }

  /** Makes the call the current one inside a function. @internal */
  enter<Result>(inside: () => Result): Result {
    const { storage } = state().platform
    return storage ? storage.run(this, inside) : inside()
  }

  /** Ends the call, if it is open: `using call = new Call(…)`. */
  [Symbol.dispose](): void {
    if (this.isOpen) this.end()
  }

  /** Ends the call, if it is open: `await using call = new Call(…)`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]()
  }
}

/** One physical request of a call. It ends with its response, its failure, the next attempt or its call. */
export class Attempt extends Exchange {
  /** The call of the attempt, which must not be garbage before it. */
  readonly call: Call

  /** @internal */
  constructor(call: Call, input?: AttemptInput) {
    const open = call.open
    open.origin?.attemptBegins()
    super(open, input instanceof Sent ? open.sent(input) : open.attempt(input))
    this.call = call
  }
}

/** The beginning of an attempt by a request that the engine has read. @internal */
export class Sent implements AttemptInput {
  constructor(
    readonly request: EngineRequest,
    readonly atMs: number,
  ) {}
}

/** A stretch of local work inside a call. */
export class Phase {
  constructor(
    private readonly call: Call,
    readonly name: string,
  ) {}

  /** Ends the phase, and every phase inside it. */
  end(at?: At): void {
    this.call.phaseEnded(this.name, at)
  }

  /** Ends the phase: `using phase = call.phase(…)`. */
  [Symbol.dispose](): void {
    this.end()
  }
}

/** A call of the engine. Everything that {@link Call} says goes through here; nothing here throws. @internal */
export class OpenCall {
  isOpen = true
  record: CallRecord | undefined
  /** What sinks are told when a function runs as the call. */
  private opening: Omit<Opening, 'context'> | undefined
  private readonly clock: () => number

  private constructor(
    readonly recorder: Recorder,
    readonly id: string,
    private readonly engine: EngineCall,
    readonly origin: Origin | undefined,
  ) {
    this.clock = recorder.clock
  }

  static start(operation: string | undefined, input: CallInput & { recorder?: Recorder | undefined }): OpenCall {
    const recorder = input.recorder ?? defaultRecorder()
    const id = input.id ?? recorder.nextId()
    const { platform } = state()
    const atMs = input.atMs ?? recorder.clock()
    const unixMs = input.unixMs ?? recorder.unixAt(atMs)
    const from = origin()
    const hasIds = input.traceId !== undefined || input.spanId !== undefined || input.parentSpanId !== undefined
    const ids = hasIds
      ? { traceId: input.traceId, spanId: input.spanId, parentSpanId: input.parentSpanId }
      : { traceId: from?.traceId, parentSpanId: from?.spanId }
    let json = ''
    const start = (fields: object): EngineCall => {
      json = eventJson('call_started', atMs, 0, fields)
      return platform.engine.call(recorder.config, id, json)
    }
    let engine: EngineCall
    try {
      engine = start({ ...input, ...ids, operation, unixMs })
    } catch (error) {
      recorder.refuse(error)
      engine = start({ unixMs })
    }
    const open = new OpenCall(recorder, id, engine, from)
    if (from && recorder.hasBeginners) {
      const startUnixNs = unixMs === undefined ? undefined : unixNanos(unixMs)
      open.opening = { json, startUnixNs, trace_id: ids.traceId, span_id: input.spanId, parent_span_id: ids.parentSpanId }
    }
    return OpenCall.opened(open)
  }

  static ofRequest(recorder: Recorder, request: EngineRequest, atMs: number): OpenCall {
    const id = recorder.nextId()
    const unixMs = recorder.unixAt(atMs) ?? null
    const from = origin()
    const engine = state().platform.engine.callOfRequest(recorder.config, id, atMs, unixMs, request, from?.traceId ?? null, from?.spanId ?? null)
    return OpenCall.opened(new OpenCall(recorder, id, engine, from))
  }

  private static opened(open: OpenCall): OpenCall {
    if (state().platform.engine.isOff) open.isOpen = false
    else open.recorder.opened(open)
    return open
  }

  /** Runs a function inside of the span that a sink begins for the call, if one does. */
  surround<Result>(inside: () => Result): Result {
    const { origin, opening } = this
    if (!this.isOpen || !origin || !opening) return inside()
    const begun = this.recorder.begin({ ...opening, context: origin.context })
    if (!begun) return inside()
    origin.begun(begun.kept, begun.span)
    return begun.enter(inside)
  }

  /** Applies an event by its name and fields; `false` when they cannot be read. */
  tell(event: string, attempt: number, fields?: object): boolean {
    if (!this.isOpen) return true
    try {
      batch.flush(this.engine)
      const atMs = (fields as At | undefined)?.atMs ?? this.clock()
      const place = isBare(fields) ? barePlace(event) : -1
      this.over(place < 0 ? this.engine.event(eventJson(event, atMs, attempt, fields)) : this.engine.bare(atMs, attempt, place))
      return true
    } catch (error) {
      this.recorder.refuse(error)
      return false
    }
  }

  /** Begins an attempt; gives its number, 0 after the end. One that cannot be read is one. */
  attempt(input?: AttemptInput): number {
    if (!this.tell('attempt_started', 0, input)) this.tell('attempt_started', 0)
    return this.attemptCount()
  }

  /** Begins the attempt that is a request. */
  sent({ request, atMs }: Sent): number {
    if (!this.isOpen) return 0
    try {
      batch.flush(this.engine)
      const number = this.engine.attemptOf(atMs, request)
      if (number === 0) this.over(null)
      return number
    } catch (error) {
      this.recorder.refuse(error)
      return 0
    }
  }

  headers(attempt: number, statusCode?: number, headers?: HeaderPairs, fields?: HeaderInput): number | undefined {
    if (!this.isOpen) return undefined
    try {
      batch.flush(this.engine)
      const atMs = fields?.atMs ?? this.clock()
      const unixMs = fields?.unixMs ?? this.recorder.unixAt(atMs)
      const all = headers ? pairs(headers) : []
      if (isStatus(statusCode) && isBare(fields) && areTexts(all)) {
        return this.engine.head(atMs, attempt, statusCode, unixMs ?? null, lines(all.flat())) ?? undefined
      }
      const told = { ...fields, statusCode, headers: all, unixMs }
      return this.engine.headers(eventJson('headers_received', atMs, attempt, told)) ?? undefined
    } catch (error) {
      this.recorder.refuse(error)
      return undefined
    }
  }

  bytes(attempt: number, protocol: number, data: Uint8Array, atMs?: number): void {
    if (!this.isOpen) return
    try {
      batch.bytes(this.engine, attempt, protocol, atMs ?? this.clock(), data)
    } catch (error) {
      hookFailed(error)
    }
  }

  payload(attempt: number, protocol: number, event: unknown, atMs?: number): void {
    if (!this.isOpen) return
    try {
      const line = toLine(event)
      if (line !== undefined) batch.event(this.engine, attempt, protocol, atMs ?? this.clock(), line)
    } catch (error) {
      this.recorder.refuse(error)
    }
  }

  chunk(attempt: number, content: ContentKind, fields?: ChunkInput): void {
    if (!this.isOpen) return
    const bytes = fields?.bytes ?? 0
    const isPlain = !fields || Object.keys(fields).every(name => name === 'bytes' || name === 'atMs')
    if (!isPlain || bytes >>> 0 !== bytes || fields?.bytes === 0) {
      this.tell('chunk', attempt, { ...fields, content })
      return
    }
    try {
      batch.flush(this.engine)
      const isKnown = this.engine.content(fields?.atMs ?? this.clock(), attempt, content, bytes)
      if (!isKnown) this.recorder.refuse(new Error('there is no such kind of content'))
    } catch (error) {
      this.recorder.refuse(error)
    }
  }

  tick(atMs?: number): void {
    this.ending('ended', now => this.engine.tick(now), atMs)
  }

  dropped(atMs?: number): void {
    this.ending('dropped', now => this.engine.dropped(now), atMs)
  }

  attemptCount(): number {
    if (!this.isOpen) return 0
    return this.engine.attemptCount
  }

  /** The place of a protocol by its name; -1 for one that there is not, which is counted. */
  protocol(name: string): number {
    const index = protocolIndex(name)
    // The name is not quoted: it is content where somebody takes one argument for the other.
    if (index < 0) this.recorder.refuse(new Error('there is no such protocol: `protocols()` has them all'))
    return index
  }

  private ending(how: 'ended' | 'dropped', end: (now: number) => EngineRecord | null, atMs?: number): void {
    if (!this.isOpen) return
    try {
      batch.flush(this.engine)
      this.over(end(atMs ?? this.clock()), how)
    } catch (error) {
      hookFailed(error)
    }
  }

  private over(record: EngineRecord | null, how: 'ended' | 'dropped' = 'ended'): void {
    if (!record) {
      if (state().platform.engine.isOff) this.lose()
      return
    }
    this.isOpen = false
    this.opening = undefined
    dropped.unregister(this)
    this.record = this.recorder.deliver(this, record, this.origin?.take(), how)
  }

  /** Takes note of the id of the response, by which it is known again; whether it has said one. */
  tellsResponse(correlator: EngineCorrelator): boolean {
    if (!this.isOpen) return true
    try {
      batch.flush(this.engine)
      return correlator.response(this.engine)
    } catch (error) {
      hookFailed(error)
      return true
    }
  }

  /** Whether the response is one that a hook has taken note of. */
  isKnownTo(correlator: EngineCorrelator): boolean {
    if (!this.isOpen) return false
    try {
      batch.flush(this.engine)
      return correlator.hasSeen(this.engine)
    } catch (error) {
      hookFailed(error)
      return false
    }
  }

  /** Ends the call without a record: that of another call tells of the same response. */
  forget(): void {
    if (!this.isOpen) return
    try {
      this.engine.dropped(this.clock())
    } catch (error) {
      hookFailed(error)
    }
    this.opening = undefined
    dropped.unregister(this)
    this.origin?.take()
    this.lose()
  }

  /** Lets go of a call that no record can come of any more. */
  private lose(): void {
    this.isOpen = false
    this.recorder.lost(this)
  }
}

/** The place of a protocol by its name, or -1. @internal */
export function protocolIndex(name: string): number {
  return state().platform.engine.protocols.indexOf(name)
}

/** The place of an event among those without fields, or -1. */
function barePlace(event: string): number {
  return state().platform.engine.bareEvents.indexOf(event)
}

/** An event as JSON text in one line: an object of an SDK, or JSON as text or bytes. @internal */
export function toLine(event: unknown): string | undefined {
  if (typeof event === 'string') return event.includes('\n') ? event.replaceAll('\n', ' ') : event
  if (event instanceof Uint8Array) return toLine(decoder.decode(event))
  return JSON.stringify(event)
}

/** Events of SDKs, and bytes, on their way to the engine. */
const batch = new Batch()

const decoder = new TextDecoder()

/** Calls whose facade is garbage. */
const dropped = registry<OpenCall>(open => open.dropped())

function given(fields: object | undefined): object {
  return fields ? Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) : {}
}

function pairs(headers: HeaderPairs): (readonly [string, string])[] {
  return Symbol.iterator in headers
    ? [...(headers as Iterable<readonly [string, string]>)]
    : Object.entries(headers as Record<string, string>)
}

/** Whether these are names and values. Other lists are refused with what is wrong about them. */
function areTexts(all: readonly (readonly unknown[])[]): boolean {
  return all.every(pair => pair.length === 2 && typeof pair[0] === 'string' && typeof pair[1] === 'string')
}

/** Whether this can be a status code. Another number is refused with what is wrong about it. */
function isStatus(code: number | undefined): code is number {
  return code !== undefined && (code & 0xffff) === code
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
