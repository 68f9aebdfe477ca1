/** What the modules of bindings/wasm export, as far as the engine uses it. */

/** Lives in the memory of a module, until it is freed. */
export interface Held {
  free(): void
  [Symbol.dispose](): void
}

export interface BoundConfig extends Held {
  readonly hasDeadlines: boolean
}

export interface BoundCall extends Held {
  event(json: string): BoundRecord | undefined
  bare(atMs: number, attempt: number, place: number): BoundRecord | undefined
  head(atMs: number, attempt: number, statusCode: number, unixMs: number | null, lines: string): number | undefined
  headers(json: string): number | undefined
  pieces(marks: Float64Array, attempt: number, protocol: number, scratch: BoundScratch, length: number): void
  payloads(timesMs: Float64Array, attempt: number, protocol: number, scratch: BoundScratch, length: number): void
  content(atMs: number, attempt: number, kind: string, bytes: number): boolean
  tick(atMs: number): BoundRecord | undefined
  dropped(atMs: number): BoundRecord | undefined
  readonly attemptCount: number
}

/** A call of the module that has everything. */
export interface FullCall extends BoundCall {
  attemptOf(atMs: number, request: BoundRequest): number
}

/** Room in the memory of a module, at an address that does not change. */
export interface BoundScratch extends Held {
  readonly address: number
}

export interface BoundRecord extends Held {
  json(): string
}

/** What both modules have. */
export interface SlimBinding {
  version(): string
  protocols(): string[]
  bareEvents(): string[]
  recordFields(): string[]
  detect(url: string, headers: string, firstBytes: Uint8Array): number | undefined
  detectEvent(json: string): number | undefined
  isEvent(data: Uint8Array): boolean
  Config: new (json: string) => BoundConfig
  Call: new (config: BoundConfig, id: string, json: string) => BoundCall
  Scratch: new (length: number) => BoundScratch
}

export interface FullRecord extends BoundRecord {
  attributes(profiles: string[]): string
  attemptAttributes(profiles: string[]): string
  explain(): string[]
  definitions(): string
  waterfallText(width: number | null, ansi: boolean, ascii: boolean, title: string | null): string
  waterfallHtml(scheme: string | null, title: string | null): string
  waterfallJson(): string
  spans(profiles: string[], perAttempt: boolean, random: Uint8Array): string | undefined
  missingAttributes(profiles: string[], known: string[]): string
  measurements(profile: string, responseModel: boolean, gaps: number): string
  serverTiming(): string
}

export interface BoundRequest extends Held {
  readonly protocol: number | undefined
  readonly provider: string | undefined
  readonly model: string | undefined
  readonly serverAddress: string | undefined
  readonly resends: number | undefined
  readonly timeoutMs: number | undefined
  readonly deadlineMs: number | undefined
}

export interface BoundCorrelator extends Held {
  request(atMs: number, flow: number | null, request: BoundRequest): BoundResumed | undefined
  failed(
    atMs: number,
    call: number,
    flow: number | null,
    request: BoundRequest,
    statusCode: number | null,
    errorType: string | null,
    abortLike: boolean,
    retryAfterMs: number | null,
  ): boolean
  response(call: BoundCall): boolean
  hasSeen(call: BoundCall): boolean
  movedOn(flow: number): void
  shutdown(): void
  over(atMs: number): Float64Array
  readonly timeoutMs: number | undefined
}

export interface BoundResumed extends Held {
  readonly call: number
  readonly failedAtMs: number
  readonly delayMs: number
  readonly reason: string
  readonly serverRequested: boolean
}

export interface BoundSpans extends Held {
  add(record: FullRecord, random: Uint8Array): boolean
  tracesJson(): Uint8Array
}

export interface BoundChromeTraceLog extends Held {
  append(record: FullRecord): string
  close(): string
}

/** What the module without limits has besides. */
export interface FullBinding extends SlimBinding {
  profiles(): string[]
  metricProfiles(): string[]
  openingSpan(json: string, profiles: string[], perAttempt: boolean): string
  instruments(profile: string): string
  modelCallAttributes(): string[]
  isModelCall(attributes: string): boolean
  replay(log: string, config: BoundConfig): string[]
  requestBodyLimit(method: string, url: string): number | undefined
  readRequest(url: string, headers: string, body: Uint8Array): BoundRequest | undefined
  Call: (new (config: BoundConfig, id: string, json: string) => FullCall) & {
    ofRequest(
      config: BoundConfig,
      id: string,
      atMs: number,
      unixMs: number | null,
      request: BoundRequest,
      traceId: string | null,
      parentSpanId: string | null,
    ): FullCall
  }
  Record: { fromJson(json: string): FullRecord }
  Correlator: new () => BoundCorrelator
  Spans: new (profiles: string[], resource: string, perAttempt: boolean) => BoundSpans
  ChromeTraceLog: new (originUnixMs: number | null) => BoundChromeTraceLog
}
