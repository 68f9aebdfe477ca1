import type {
  Engine,
  EngineCall,
  EngineChromeTraceLog,
  EngineCorrelator,
  EngineRecord,
  EngineRequest,
  EngineResumed,
  EngineSpans,
} from '../../js/engine.js'
import type { BoundChromeTraceLog, BoundCorrelator, BoundRequest, BoundSpans, FullBinding, FullCall, FullRecord } from './binding.js'
import { Call, callOf, Config, sharedBy, slimEngine, TextRecord } from './engine.js'
import { unavailable, type Guard } from './guard.js'
import type { Memory } from './scratch.js'

/** The engine over the module that has everything. */
export function fullEngine(binding: FullBinding, memory: Memory, guard: Guard): Engine {
  const records = new Records(binding, guard)
  const record = (json: string): EngineRecord => new Record(json, records)
  const shared = sharedBy(binding, memory, guard, (json, bound) => {
    const made = new Record(json, records)
    records.keep(made, bound as FullRecord)
    return made
  })
  const engine: Engine = {
    ...slimEngine(binding, shared),
    profiles: binding.profiles(),
    metricProfiles: binding.metricProfiles(),
    modelCallAttributes: binding.modelCallAttributes(),
    call: (config, id, json) => callOf(WholeCall, shared, config, bound => new binding.Call(bound, id, json)),
    callOfRequest: (config, id, atMs, unixMs, request, traceId, parentSpanId) =>
      callOf(WholeCall, shared, config, bound => {
        const { held } = request as Request
        return held && binding.Call.ofRequest(bound, id, atMs, unixMs, held, traceId, parentSpanId)
      }),
    replay: (log, config) =>
      guard.run(() => {
        const { bound } = config as Config
        return bound ? binding.replay(log, bound).map(record) : off()
      }, off),
    recordFromJson: json => record(guard.run(() => guard.with(binding.Record.fromJson(json), read => read.json()), off)),
    requestBodyLimit: (method, url) =>
      guard.run(
        () => binding.requestBodyLimit(method, url) ?? null,
        () => null,
      ),
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
        records,
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
        records,
        guard,
      ),
  }
  return Object.defineProperty(engine, 'isOff', { get: () => guard.isOff })
}

/** A call that requests can be told to. */
class WholeCall extends Call<FullCall> {
  override attemptOf(atMs: number, request: EngineRequest): number {
    const { held } = request as Request
    return held ? this.ask(bound => bound.attemptOf(atMs, held), 0) : 0
  }
}

class Record extends TextRecord {
  /** The record in the memory of the module, while that keeps it. */
  kept: FullRecord | undefined

  constructor(
    text: string,
    private readonly records: Records,
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
    return this.records.use(this, use)
  }
}

/** The records in the memory of the module: a few that ended or were asked last, so that not every question reads one again. */
class Records {
  private readonly recent: (Record | undefined)[] = new Array<undefined>(MOST_RECENT).fill(undefined)
  private next = 0

  constructor(
    private readonly binding: FullBinding,
    private readonly guard: Guard,
  ) {}

  /** Asks a record something. */
  use<Result>(record: EngineRecord, ask: (record: FullRecord) => Result): Result {
    return this.guard.run(() => ask(this.of(record as Record)), off)
  }

  /** Keeps a record of the module until enough others have come. */
  keep(record: Record, kept: FullRecord): void {
    const before = this.recent[this.next]
    if (before?.kept) this.guard.free(before.kept)
    if (before) before.kept = undefined
    record.kept = kept
    this.recent[this.next] = record
    this.next = (this.next + 1) % MOST_RECENT
  }

  private of(record: Record): FullRecord {
    if (!record.kept) this.keep(record, this.binding.Record.fromJson(record.json()))
    return record.kept as FullRecord
  }
}

/** Records that the module keeps at most: enough for those that end between two turns of the event loop. */
const MOST_RECENT = 16

/** The request of an attempt. What is asked of it mostly is nothing but whether another one repeats it. */
class Request implements EngineRequest {
  constructor(
    /** Absent once it is freed. */
    public held: BoundRequest | undefined,
    private readonly guard: Guard,
  ) {
    if (held) guard.freeWith(this, held)
  }

  get protocol(): number | null {
    return this.ask(held => held.protocol)
  }

  get provider(): string | null {
    return this.ask(held => held.provider)
  }

  get model(): string | null {
    return this.ask(held => held.model)
  }

  get serverAddress(): string | null {
    return this.ask(held => held.serverAddress)
  }

  get resends(): number | null {
    return this.ask(held => held.resends)
  }

  get timeoutMs(): number | null {
    return this.ask(held => held.timeoutMs)
  }

  get deadlineMs(): number | null {
    return this.ask(held => held.deadlineMs)
  }

  free(): void {
    if (this.held) this.guard.freeOf(this, this.held)
    this.held = undefined
  }

  private ask<Result>(ask: (held: BoundRequest) => Result | undefined): Result | null {
    const { held } = this
    if (!held) return null
    return this.guard.run(
      () => ask(held) ?? null,
      () => null,
    )
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

  response(call: EngineCall): boolean {
    return (call as Call).ask(held => this.ask(bound => bound.response(held), false), false)
  }

  hasSeen(call: EngineCall): boolean {
    return (call as Call).ask(held => this.ask(bound => bound.hasSeen(held), false), false)
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
    private readonly records: Records,
    private readonly guard: Guard,
  ) {
    guard.freeWith(this, bound)
  }

  add(record: EngineRecord, random: Uint8Array): boolean {
    if (this.written) return false
    return this.records.use(record, read => this.bound.add(read, random))
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
    private readonly records: Records,
    private readonly guard: Guard,
  ) {
    guard.freeWith(this, bound)
  }

  append(record: EngineRecord): string {
    if (this.isClosed) return ''
    return this.records.use(record, read => this.bound.append(read))
  }

  close(): string {
    if (this.isClosed) return ''
    this.isClosed = true
    const end = this.guard.run(() => this.bound.close(), off)
    this.guard.freeOf(this, this.bound)
    return end
  }
}

function off(): never {
  return unavailable('the engine broke down, and is off')
}
