import type { EngineRecord } from './engine.js'
import { raising } from './error.js'
import { engine } from './platform.js'
import type { RecordData } from './record-data.js'
import type { Attributes, SpanData, SpanOptions } from './types.js'

/** How a waterfall in text looks. */
export interface WaterfallTextStyle {
  /** Columns, from 40 to 400; 100 when it is not said. */
  width?: number | undefined
  /** Whether colours are written, as ANSI escape sequences. */
  ansi?: boolean | undefined
  /** Whether it is drawn in ASCII alone. */
  ascii?: boolean | undefined
  /** Title above it. */
  title?: string | undefined
}

/** How a waterfall in HTML looks. */
export interface WaterfallHtmlStyle {
  /** Colours; as the reader prefers when it is not said. */
  scheme?: 'auto' | 'dark' | 'light' | undefined
  title?: string | undefined
}

/** The fields of a record, but for the caller's attributes, which are {@link Record.callerAttributes}. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
export interface Record extends Readonly<Omit<RecordData, 'attributes'>> {}

/**
 * The finalized record of one call. It has the fields of {@link RecordData}, with the same names in every language; a field
 * that is absent is `undefined`.
 */
export class Record {
  /** @internal */
  declare readonly engine: EngineRecord
  private declare parsed: RecordData | undefined

  /** @internal */
  constructor(record: EngineRecord) {
    addFields()
    // What is no field of the record is not shown as one.
    Object.defineProperty(this, 'engine', { value: record })
  }

  /** Reads a record from JSON, as text or as data. */
  static fromJSON(json: string | RecordData): Record {
    return raising(() => new Record(engine().recordFromJson(typeof json === 'string' ? json : JSON.stringify(json))))
  }

  /** The record as plain data, without absent values. Integers above 2^53 are text. */
  get data(): RecordData {
    if (!this.parsed) Object.defineProperty(this, 'parsed', { value: JSON.parse(this.engine.json()) })
    return this.parsed as unknown as RecordData
  }

  /** Attributes that the caller set on the call. */
  get callerAttributes(): Attributes {
    return this.data.attributes ?? {}
  }

  /** The record as plain data of its own, for `JSON.stringify`. */
  toJSON(): RecordData {
    return JSON.parse(this.engine.json()) as RecordData
  }

  /** The record as JSON, without absent values: the same text in every language. */
  stringify(): string {
    return this.engine.json()
  }

  /** Where the time went, what went wrong, and why values are absent, in lines for people. */
  explain(): string[] {
    return this.engine.explain()
  }

  /** The attributes of the call's span under the names of profiles; those of `otel-1.41` when none is named. */
  attributes(...profiles: string[]): Attributes {
    return JSON.parse(raising(() => this.engine.attributes(profiles))) as Attributes
  }

  /** The attributes of the spans of the attempts, in their order. */
  attemptAttributes(...profiles: string[]): Attributes[] {
    return JSON.parse(raising(() => this.engine.attemptAttributes(profiles))) as Attributes[]
  }

  /**
   * The spans of the call: its own first, a parent before its children. A call without ids gets random ones each time. For the
   * SDK of OpenTelemetry there is a sink, for OTLP {@link otlpTraces}.
   */
  spans(options: SpanOptions = {}): SpanData[] {
    const { profiles = [], shape = 'call' } = options
    const random = crypto.getRandomValues(new Uint8Array(24))
    return JSON.parse(raising(() => this.engine.spans([...profiles], shape === 'attempt', random)) ?? '[]') as SpanData[]
  }

  /**
   * Where the time went as the value of a `Server-Timing` header, for the browser or proxy that waits for a response: durations
   * and words of this package, nothing that a caller or a provider wrote.
   */
  serverTiming(): string {
    return this.engine.serverTiming()
  }

  /** What other tools would report for the call. */
  definitions(): unknown {
    return JSON.parse(this.engine.definitions())
  }

  /** The call as rows of bars on one time axis, for a terminal. */
  waterfallText(style: WaterfallTextStyle = {}): string {
    const { width = null, ansi = false, ascii = false, title = null } = style
    return this.engine.waterfallText(width, ansi, ascii, title)
  }

  /** The call as rows of bars on one time axis, as one HTML `<figure>` that needs nothing else. */
  waterfallHtml(style: WaterfallHtmlStyle = {}): string {
    return this.engine.waterfallHtml(style.scheme ?? null, style.title ?? null)
  }

  /** The waterfall as data. */
  waterfall(): unknown {
    return JSON.parse(this.engine.waterfallJson())
  }

  /** The call and its outcome in short. */
  toString(): string {
    const { call, outcome, model, duration_ns } = this.data
    return `Record ${call} ${model ?? ''} ${outcome} ${String(duration_ns)} ns`
  }

  /** What `console.log` of Node shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): RecordData {
    return this.data
  }
}

let hasFields = false

/** Adds a getter for every field of a record, but for names of its methods. */
function addFields(): void {
  if (hasFields) return
  hasFields = true
  for (const field of engine().recordFields) {
    if (field in Record.prototype) continue
    Object.defineProperty(Record.prototype, field, {
      get(this: Record) {
        return this.data[field as keyof RecordData]
      },
    })
  }
}
