import type {
  Engine,
  EngineChromeTraceLog,
  EngineCorrelator,
  EngineRecord,
  EngineRequest,
  EngineResumed,
  EngineSpans,
} from '../../js/engine.js'
import type { BoundChromeTraceLog, BoundCorrelator, BoundRequest, BoundSpans, FullBinding, FullRecord } from './binding.js'
import { callOf, Config, slimEngine, TextRecord } from './engine.js'
import { unavailable, type Guard } from './guard.js'

/** The engine over the module that has everything. */
export function fullEngine(binding: FullBinding, guard: Guard): Engine {
  const record = (json: string): EngineRecord => new Record(json, binding, guard)
  const engine: Engine = {
    ...slimEngine(binding, guard, record),
    profiles: binding.profiles(),
    metricProfiles: binding.metricProfiles(),
    modelCallAttributes: binding.modelCallAttributes(),
    callOfRequest: (config, id, atMs, unixMs, request, traceId, parentSpanId) =>
      callOf(guard, record, config, bound => {
        const { held } = request as Request
        return held && binding.Call.ofRequest(bound, id, atMs, unixMs, held, traceId, parentSpanId)
      }),
    replay: (log, config) =>
      guard.run(() => {
        const { bound } = config as Config
        return bound ? binding.replay(log, bound).map(record) : off()
      }, off),
    recordFromJson: json => record(guard.run(() => guard.with(binding.Record.fromJson(json), read => read.json()), off)),
    readRequest: (url, headers, body) =>
      guard.run(
        () => {
          const request = binding.readRequest(url, headers, body)
          return request ? new Request(request, guard) : null
        },
        () => null,
      ),
    correlator: () =>
      new Correlator(
        guard.run(
          () => new binding.Correlator(),
          () => undefined,
        ),
        guard,
      ),
    spans: (profiles, resource, perAttempt) =>
      new Spans(
        guard.run(() => new binding.Spans(profiles, resource, perAttempt), off),
        binding,
        guard,
      ),
    openingSpan: (json, profiles, perAttempt) => guard.run(() => binding.openingSpan(json, profiles, perAttempt), off),
    instruments: profile =>
      guard.run(
        () => binding.instruments(profile),
        () => '[]',
      ),
    isModelCall: attributes =>
      guard.run(
        () => binding.isModelCall(attributes),
        () => false,
      ),
    chromeTraceLog: originUnixMs =>
      new ChromeTraceLog(
        guard.run(() => new binding.ChromeTraceLog(originUnixMs), off),
        binding,
        guard,
      ),
  }
  return Object.defineProperty(engine, 'isOff', { get: () => guard.isOff })
}

class Record extends TextRecord {
  constructor(
    text: string,
    private readonly binding: FullBinding,
    private readonly guard: Guard,
  ) {
    super(text)
  }

  override attributes(profiles: string[]): string {
    return this.use(record => record.attributes(profiles))
  }

  override attemptAttributes(profiles: string[]): string {
    return this.use(record => record.attemptAttributes(profiles))
  }

  override explain(): string[] {
    return this.use(record => record.explain())
  }

  override definitions(): string {
    return this.use(record => record.definitions())
  }

  override waterfallText(width: number | null, ansi: boolean, ascii: boolean, title: string | null): string {
    return this.use(record => record.waterfallText(width, ansi, ascii, title))
  }

  override waterfallHtml(scheme: string | null, title: string | null): string {
    return this.use(record => record.waterfallHtml(scheme, title))
  }

  override waterfallJson(): string {
    return this.use(record => record.waterfallJson())
  }

  override spans(profiles: string[], perAttempt: boolean, random: Uint8Array): string | null {
    return this.use(record => record.spans(profiles, perAttempt, random)) ?? null
  }

  override missingAttributes(profiles: string[], known: string[]): string {
    return this.use(record => record.missingAttributes(profiles, known))
  }

  override measurements(profile: string, responseModel: boolean, gaps: number): string {
    return this.use(record => record.measurements(profile, responseModel, gaps))
  }

  override serverTiming(): string {
    return this.use(record => record.serverTiming())
  }

  private use<Result>(use: (record: FullRecord) => Result): Result {
    return useRecord(this.text, this.binding, this.guard, use)
  }
}

/** The request of an attempt. What it says is read at once; the module keeps what tells requests apart. */
class Request implements EngineRequest {
  readonly protocol: number | null
  readonly provider: string | null
  readonly model: string | null
  readonly serverAddress: string | null
  readonly resends: number | null
  readonly timeoutMs: number | null
  readonly deadlineMs: number | null

  constructor(
    /** Absent once it is freed. */
    public held: BoundRequest | undefined,
    private readonly guard: Guard,
  ) {
    this.protocol = held?.protocol ?? null
    this.provider = held?.provider ?? null
    this.model = held?.model ?? null
    this.serverAddress = held?.serverAddress ?? null
    this.resends = held?.resends ?? null
    this.timeoutMs = held?.timeoutMs ?? null
    this.deadlineMs = held?.deadlineMs ?? null
    if (held) guard.freeWith(this, held)
  }

  free(): void {
    if (this.held) this.guard.freeOf(this, this.held)
    this.held = undefined
  }
}

class Correlator implements EngineCorrelator {
  constructor(
    private readonly bound: BoundCorrelator | undefined,
    private readonly guard: Guard,
  ) {
    if (bound) guard.freeWith(this, bound)
  }

  request(atMs: number, flow: number | null, request: EngineRequest): EngineResumed | null {
    const { held } = request as Request
    if (!held) return null
    return this.ask(bound => {
      const resumed = bound.request(atMs, flow, held)
      if (!resumed) return null
      return this.guard.with(resumed, ({ call, failedAtMs, delayMs, reason, serverRequested }) => {
        return { call, failedAtMs, delayMs, reason, serverRequested }
      })
    }, null)
  }

  failed(
    atMs: number,
    call: number,
    flow: number | null,
    request: EngineRequest,
    statusCode: number | null,
    errorType: string | null,
    abortLike: boolean,
    retryAfterMs: number | null,
  ): boolean {
    const { held } = request as Request
    if (!held) return false
    return this.ask(bound => bound.failed(atMs, call, flow, held, statusCode, errorType, abortLike, retryAfterMs), false)
  }

  movedOn(flow: number): void {
    this.ask(bound => bound.movedOn(flow), undefined)
  }

  shutdown(): void {
    this.ask(bound => bound.shutdown(), undefined)
  }

  over(atMs: number): { call: number; failedAtMs: number }[] {
    const pairs = this.ask(bound => bound.over(atMs), new Float64Array(0))
    const over: { call: number; failedAtMs: number }[] = []
    for (let at = 0; at + 1 < pairs.length; at += 2) over.push({ call: pairs[at] as number, failedAtMs: pairs[at + 1] as number })
    return over
  }

  get timeoutMs(): number | null {
    return this.ask(bound => bound.timeoutMs ?? null, null)
  }

  private ask<Result>(ask: (bound: BoundCorrelator) => Result, otherwise: Result): Result {
    const { bound } = this
    if (!bound) return otherwise
    return this.guard.run(
      () => ask(bound),
      () => otherwise,
    )
  }
}

/** Spans of calls, until they are written: that is what they are for. */
class Spans implements EngineSpans {
  private written: Uint8Array | undefined

  constructor(
    private readonly bound: BoundSpans,
    private readonly binding: FullBinding,
    private readonly guard: Guard,
  ) {
    guard.freeWith(this, bound)
  }

  add(record: EngineRecord, random: Uint8Array): boolean {
    if (this.written) return false
    return useRecord(record.json(), this.binding, this.guard, read => this.bound.add(read, random))
  }

  tracesJson(): Uint8Array {
    if (!this.written) {
      this.written = this.guard.run(() => this.bound.tracesJson(), off)
      this.guard.freeOf(this, this.bound)
    }
    return this.written
  }
}

class ChromeTraceLog implements EngineChromeTraceLog {
  private isClosed = false

  constructor(
    private readonly bound: BoundChromeTraceLog,
    private readonly binding: FullBinding,
    private readonly guard: Guard,
  ) {
    guard.freeWith(this, bound)
  }

  append(record: EngineRecord): string {
    if (this.isClosed) return ''
    return useRecord(record.json(), this.binding, this.guard, read => this.bound.append(read))
  }

  close(): string {
    if (this.isClosed) return ''
    this.isClosed = true
    const end = this.guard.run(() => this.bound.close(), off)
    this.guard.freeOf(this, this.bound)
    return end
  }
}

/** Reads a record for a moment. */
function useRecord<Result>(json: string, binding: FullBinding, guard: Guard, use: (record: FullRecord) => Result): Result {
  return guard.run(() => guard.with(binding.Record.fromJson(json), use), off)
}

function off(): never {
  return unavailable('the engine broke down, and is off')
}
