import { raising } from './error.js'
import { lines } from './log.js'
import { engine } from './platform.js'
import { Record } from './record.js'
import type { Attributes, HeaderPairs, SpanOptions } from './types.js'

/** Version of the engine. */
export function version(): string {
  return engine().version
}

/** Names of the wire protocols, such as `openai.chat`. */
export function protocols(): readonly string[] {
  return engine().protocols
}

/** Names of the dialects that attributes can be written in. */
export function profiles(): readonly string[] {
  return engine().profiles
}

/** Names of the dialects that metrics can be written in. */
export function metricProfiles(): readonly string[] {
  return engine().metricProfiles
}

/** Finds the protocol of a response by what HTTP tells; `undefined` when it is no answer of a model in a known protocol. */
export function detect(url: string, headers: HeaderPairs = [], firstBytes = new Uint8Array(0)): string | undefined {
  const pairs = Symbol.iterator in headers ? [...headers] : Object.entries(headers)
  const index = engine().detect(url, lines(pairs.flat().map(String)), firstBytes)
  return index === null ? undefined : engine().protocols[index]
}

/** Replays an event log, as JSON lines, to the records of its calls; calls that it leaves open end as `abandoned`. */
export function replay(log: string, config: Readonly<{ [key: string]: unknown }> | string = {}): Record[] {
  const json = typeof config === 'string' ? config : JSON.stringify(config)
  return raising(() => engine().replay(log, engine().config(json))).map(record => new Record(record))
}

/** Records as a trace for Perfetto and `chrome://tracing`: the JSON of one file. */
export function chromeTrace(records: Iterable<Record>): string {
  const log = engine().chromeTraceLog(null)
  const lines = Array.from(records, record => log.append(record.engine))
  return lines.join('') + log.close()
}

export interface OtlpOptions extends SpanOptions {
  /** Attributes of the resource, such as `service.name`. */
  resource?: Attributes | undefined
}

/**
 * Records as an `ExportTraceServiceRequest` of OTLP in JSON. Records without ids get random ones; records without a wall-clock
 * anchor are left out.
 */
export function otlpTraces(records: Iterable<Record>, options: OtlpOptions = {}): Uint8Array {
  return otlpRequest(records, options).body
}

/** The same, and how many records are in it. @internal */
export function otlpRequest(records: Iterable<Record>, options: OtlpOptions): { body: Uint8Array; count: number } {
  const { profiles = [], shape = 'call', resource = {} } = options
  const spans = raising(() => engine().spans([...profiles], JSON.stringify(resource), shape === 'attempt'))
  let count = 0
  for (const record of records) if (spans.add(record.engine, crypto.getRandomValues(new Uint8Array(24)))) count += 1
  return { body: spans.tracesJson(), count }
}
