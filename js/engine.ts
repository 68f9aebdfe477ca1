/**
 * The engine behind the API: the addon of the Node package, or the module of the wasm package. Each makes one object of this
 * shape; nothing else here knows which one it is.
 *
 * Times are milliseconds on the clock of the recorder. A protocol is its place in {@link Engine.protocols}, an attempt its
 * number, 0 for the latest. Of lists of texts that cross over often, each text is a line, see `lines` in log.ts: a crossing with
 * one text costs much less than one with a list. Methods throw an `Error` with a stable `code` for what they cannot read.
 */
export interface Engine {
  /** Whether the engine has broken down, where it can: then it records nothing more, and what it cannot give throws. */
  readonly isOff?: boolean
  readonly version: string
  readonly protocols: readonly string[]
  readonly profiles: readonly string[]
  /** Names of the profiles that name metrics. */
  readonly metricProfiles: readonly string[]
  /** Names of the events of the log that say something without any field. */
  readonly bareEvents: readonly string[]
  /** Names of the fields of a record. */
  readonly recordFields: readonly string[]
  config(json: string): EngineConfig
  /** Opens a call with its event `call_started`, as JSON of the event log. */
  call(config: EngineConfig, id: string, json: string): EngineCall
  /** Opens a call that begins with a request, inside of a span if there is one. */
  callOfRequest(
    config: EngineConfig,
    id: string,
    atMs: number,
    unixMs: number | null,
    request: EngineRequest,
    traceId: string | null,
    parentSpanId: string | null,
  ): EngineCall
  replay(log: string, config: EngineConfig): EngineRecord[]
  recordFromJson(json: string): EngineRecord
  /** Finds a protocol by a URL, by lines of names and values of headers in turn, and by the first bytes of a response. */
  detect(url: string, headers: string, firstBytes: Uint8Array): number | null
  /** Finds a protocol by the JSON of one event. */
  detectEvent(json: string): number | null
  isEvent(data: Uint8Array): boolean
  /** Whether a request asks a model: how many bytes its body may have at most to be read. */
  requestBodyLimit(method: string, url: string): number | null
  readRequest(url: string, headers: string, body: Uint8Array): EngineRequest | null
  correlator(): EngineCorrelator
  spans(profiles: string[], resource: string, perAttempt: boolean): EngineSpans
  chromeTraceLog(originUnixMs: number | null): EngineChromeTraceLog
  /** What is known of a call's span when the call begins, as JSON: `name`, `kind`, `attributes`. Takes the event `call_started`. */
  openingSpan(json: string, profiles: string[], perAttempt: boolean): string
  /** The metrics of a profile, as JSON: `name`, `unit`, `description`, `kind`, `integer`, `bounds`. */
  instruments(profile: string): string
  /** Attributes by which a span of another library tells that it is a request to a model. */
  readonly modelCallAttributes: readonly string[]
  /** Whether it is one, by lines of names and values of those attributes in turn. */
  isModelCall(attributes: string): boolean
}

export interface EngineConfig {
  readonly hasDeadlines: boolean
}

/** A call; what may end it gives its record. */
export interface EngineCall {
  /** Applies one event, as JSON of the event log. */
  event(json: string): EngineRecord | null
  /** Applies an event without fields, by its place in {@link Engine.bareEvents}. */
  bare(atMs: number, attempt: number, place: number): EngineRecord | null
  /** Begins the attempt that is a request; gives its number. */
  attemptOf(atMs: number, request: EngineRequest): number
  /**
   * Applies the head of a response, with lines of names and values of headers in turn; gives the delay in milliseconds that the
   * server asks for.
   */
  head(atMs: number, attempt: number, statusCode: number, unixMs: number | null, headers: string): number | null
  /** Applies the event `headers_received`; gives the delay in milliseconds that the server asks for. */
  headers(json: string): number | null
  /** Applies raw response bytes: pieces, of each of which the marks have its time and the place where it ends. */
  pieces(marks: Float64Array, attempt: number, protocol: number, data: Uint8Array): void
  /** Applies provider events as JSON: one a line, each at its time. */
  payloads(timesMs: Float64Array, attempt: number, protocol: number, lines: Uint8Array): void
  /** Applies a chunk of one kind; says whether there is such a kind. */
  content(atMs: number, attempt: number, kind: string, bytes: number): boolean
  tick(atMs: number): EngineRecord | null
  dropped(atMs: number): EngineRecord | null
  readonly attemptCount: number
}

export interface EngineRecord {
  json(): string
  attributes(profiles: string[]): string
  attemptAttributes(profiles: string[]): string
  explain(): string[]
  definitions(): string
  waterfallText(width: number | null, ansi: boolean, ascii: boolean, title: string | null): string
  waterfallHtml(scheme: string | null, title: string | null): string
  waterfallJson(): string
  /** The spans of the call as JSON, with ids of 24 random bytes where it has none; `null` if it has none then. */
  spans(profiles: string[], perAttempt: boolean, random: Uint8Array): string | null
  /** The attributes that may be added to a span of another library that has those `known`, as JSON. */
  missingAttributes(profiles: string[], known: string[]): string
  /** What the record adds to the metrics of a profile, as JSON: place of the metric, value, times, labels. */
  measurements(profile: string, responseModel: boolean, gaps: number): string
  serverTiming(): string
}

export interface EngineRequest {
  readonly protocol: number | null
  readonly provider: string | null
  readonly model: string | null
  readonly serverAddress: string | null
  /** How often the client has sent the request before, by its own count. */
  readonly resends: number | null
  /** How long the client waits for the head of the response at least, where it says so. */
  readonly timeoutMs: number | null
  /** How long the client waits for the whole response at least, where it says so. */
  readonly deadlineMs: number | null
  /** Lets go of what the engine keeps of it, where garbage collection does not know of that. Nothing follows. */
  free?(): void
}

export interface EngineCorrelator {
  request(atMs: number, flow: number | null, request: EngineRequest): EngineResumed | null
  failed(
    atMs: number,
    call: number,
    flow: number | null,
    request: EngineRequest,
    statusCode: number | null,
    errorType: string | null,
    abortLike: boolean,
    retryAfterMs: number | null,
  ): boolean
  /** Takes note of the id that the response of a call has; whether it has said one. */
  response(call: EngineCall): boolean
  /** Whether the response of a call is one that was taken note of. */
  hasSeen(call: EngineCall): boolean
  movedOn(flow: number): void
  shutdown(): void
  over(atMs: number): { call: number; failedAtMs: number }[]
  readonly timeoutMs: number | null
}

export interface EngineResumed {
  call: number
  failedAtMs: number
  delayMs: number
  reason: string
  serverRequested: boolean
}

export interface EngineSpans {
  /** Adds the spans of a call, with ids of 24 random bytes where it has none. */
  add(record: EngineRecord, random: Uint8Array): boolean
  /** Writes the spans. None can be added after it. */
  tracesJson(): Uint8Array
}

export interface EngineChromeTraceLog {
  append(record: EngineRecord): string
  close(): string
}
