import {
  context as contexts,
  isSpanContextValid,
  metrics,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type HrTime,
  type MeterProvider,
  type Span,
  type SpanContext,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api'

import { INNER, SUPPRESSED, within, type AmbientContext } from './ambient.js'
import { raising } from './error.js'
import { lines } from './log.js'
import { engine } from './platform.js'
import type { Record } from './record.js'
import type { Recorder } from './recorder.js'
import type { Begun, Opening, Sink } from './sinks.js'
import type { SpanData } from './types.js'

export interface OpenTelemetryOptions {
  /** Where spans go; to the global provider when it is not said, which may be set later. */
  tracerProvider?: TracerProvider | undefined
  /** Where measurements go; to the global provider when it is not said, which may be set later. */
  meterProvider?: MeterProvider | undefined
  /** Names of the dialects that are written; those of the recorder when they are not said. */
  profiles?: readonly string[] | undefined
  /** Whether backends shall count calls or attempts: the `call` when it is not said. */
  shape?: 'call' | 'attempt' | undefined
  /** Names of the metrics: `otel-1.41` when it is not said, `null` for no metrics. */
  metricsProfile?: string | null | undefined
  /** Whether the model that answered is a label of metrics beside the one that was asked for. */
  responseModel?: boolean | undefined
  /**
   * Measurements that the gaps between the chunks of one call take at most, for each takes its time: 100 when it is not said.
   * Past it, a share of them that is alike.
   */
  chunkGaps?: number | undefined
}

/** What became of the records that a sink took. */
export interface OpenTelemetryStats {
  /** Calls with a span that the tracer records. Exporting it is up to the SDK. */
  exported: number
  /** Calls that the tracer did not record: not sampled, suppressed where they began, or without a provider. */
  notRecorded: number
  /** Calls that the span of another library stands for; attempts and waits are below it. */
  elsewhere: number
  /** Calls without an absolute time, and so without spans: the recorder has no wall clock. */
  withoutClock: number
}

/**
 * Writes calls to a tracer, with the times, parents and attributes that they had, and measures them with a meter.
 *
 * **Parents.** The span that is active when a call begins is its parent, wherever the call goes on and ends. A call that comes
 * with ids of its own is a child of the span that they name as parent, else of the one that they name as the call's. Baggage
 * and other plain values of the context are there for span processors.
 *
 * **Children.** Inside of {@link Call.run} the span of the call is the active one: spans that the application begins there are
 * below it, and requests carry its ids. That span is started with the function; all others are written when a call has ended.
 *
 * **Sampling** is the SDK's: a call whose parent is not sampled has no spans under the default sampler. Metrics are of all
 * calls. Where tracing is suppressed there are neither.
 *
 * **One call, one span.** Where the active span is the one that another library made for the same call, such as an SDK that traces
 * itself, the call gets no second one: that span gets the attributes that it lacks, if it is still open when the call ends, and
 * attempts, waits and phases are below it, without token counts. Where the library makes its span inside of {@link Call.run},
 * both are there, and that of the application has neither model nor token counts. Other spans are never changed. Metrics are
 * measured all the same: leave them out with `metricsProfile: null` where that library has them too.
 *
 * {@link Recorder.flush} does not reach the SDK: that is `forceFlush` of its providers.
 */
export class OpenTelemetry implements Sink {
  private readonly options: OpenTelemetryOptions
  private readonly metricsProfile: string | null
  private readonly counts = { exported: 0, notRecorded: 0, elsewhere: 0, withoutClock: 0 }
  private readonly tracer: Tracer
  /** Key of the context that comes back with a record whose span is open. */
  private readonly live = Symbol('llmspan span')
  private profiles: string[] | undefined
  private meters: MeterProvider | undefined
  private observers: Observe[] = []

  /** Throws an {@link LlmspanError} for a profile that does not exist. */
  constructor(options: OpenTelemetryOptions = {}) {
    this.options = options
    this.profiles = options.profiles && [...options.profiles]
    this.metricsProfile = options.metricsProfile === undefined ? 'otel-1.41' : options.metricsProfile
    raising(() => {
      engine().openingSpan(NOTHING, this.profiles ?? [], false)
      if (this.metricsProfile !== null) engine().instruments(this.metricsProfile)
    })
    this.tracer = (options.tracerProvider ?? trace).getTracer('llmspan', engine().version)
  }

  /** What became of the records so far. */
  get stats(): OpenTelemetryStats {
    return { ...this.counts }
  }

  attach(recorder: Recorder): void {
    this.profiles ??= [...recorder.profiles]
  }

  /** Starts the span of a call, to be the active one inside of a function. @internal */
  begin(opening: Opening): Begun | undefined {
    const here = opening.context as Context
    let span = here.getValue(this.live) as Span | undefined
    if (!span) {
      const parent = parentOf(opening, here)
      if (here.getValue(SUPPRESSED) || opening.startUnixNs === undefined || isModelCall(trace.getSpan(parent))) return undefined
      const { shape } = this.options
      const json = engine().openingSpan(opening.json, this.profiles ?? [], shape === 'attempt')
      const { name, kind, attributes } = JSON.parse(json) as Pick<SpanData, 'name' | 'kind' | 'attributes'>
      span = this.tracer.startSpan(name, { kind: KINDS[kind], attributes: listed(attributes), startTime: time(opening.startUnixNs) }, parent)
    }
    const around = span
    return {
      kept: here.setValue(this.live, span),
      span,
      enter: inside => within(trace.setSpan(contexts.active(), around) as AmbientContext, inside),
    }
  }

  /** Adds what the span of another library lacks, as long as it is open. @internal */
  ended(record: Record, context: AmbientContext): void {
    const here = context as Context
    let span = innerOf(here)
    if (!span) {
      span = trace.getSpan(here)
      if (!span?.isRecording() || !isModelCall(span)) return
      // A call with ids of its own may belong elsewhere.
      if (trace.getSpan(parentOf(record, here)) !== span) return
    }
    if (!span.isRecording() || here.getValue(SUPPRESSED)) return
    const missing = record.engine.missingAttributes(this.profiles ?? [], Object.keys(attributesOf(span)))
    span.setAttributes(listed(JSON.parse(missing) as SpanData['attributes']))
  }

  record(record: Record): void {
    const here = contexts.active()
    if (here.getValue(SUPPRESSED)) {
      this.counts.notRecorded += 1
      return
    }
    let around = here
    try {
      around = this.write(record, here)
    } finally {
      // Also where a span processor failed.
      if (this.metricsProfile !== null) this.measure(record, this.metricsProfile, around)
    }
  }

  /** Writes the spans; gives the context of the call's span, which stands for the call. */
  private write(record: Record, here: Context): Context {
    const tree = this.tree(record, this.options.shape ?? 'call')
    const [call] = tree
    if (call?.start_unix_ns === undefined) {
      this.counts.withoutClock += 1
      return here
    }
    const parent = parentOf(ownIds(call), here)
    const begun = here.getValue(this.live) as Span | undefined
    if (!begun && isModelCall(trace.getSpan(parent))) {
      this.counts.elsewhere += 1
      this.writeBelow(call, parent, this.options.shape === 'attempt' ? this.tree(record, 'call') : tree, parent)
      return parent
    }
    const isTheirs = innerOf(here) !== undefined
    const spans = isTheirs && this.options.shape === 'attempt' ? this.tree(record, 'call') : tree
    if (isTheirs) {
      // The call of the application, around that of the library: without what would be counted twice.
      const shell = this.options.shape === 'attempt' ? call : this.tree(record, 'attempt')[0]
      if (shell) Object.assign(spans[0] as SpanData, { name: shell.name, kind: shell.kind, attributes: shell.attributes })
    }
    const data = spans[0] as SpanData
    const span = begun ? this.finish(begun, data) : this.start(data, parent)
    const around = trace.setSpan(parent, span)
    if (!span.isRecording()) {
      this.counts.notRecorded += 1
      return around
    }
    this.counts[isTheirs ? 'elsewhere' : 'exported'] += 1
    this.writeBelow(data, around, spans, parent)
    span.end(time(data.end_unix_ns))
    return around
  }

  /** Writes the spans below that of a call, which is the first of the tree. */
  private writeBelow(call: SpanData, around: Context, tree: readonly SpanData[], outer: Context): void {
    const parents = new Map([[call.span_id, around]])
    const open: [Span, HrTime][] = []
    for (const data of tree) {
      if (data === call || data.role === 'call') continue
      const span = this.start(data, parents.get(data.parent_span_id ?? '') ?? around)
      // Phases alone have spans below them.
      if (data.role === 'phase') parents.set(data.span_id, trace.setSpan(outer, span))
      open.push([span, time(data.end_unix_ns)])
    }
    // A span ends before the one around it.
    for (const [span, end] of open.reverse()) span.end(end)
  }

  private tree(record: Record, shape: 'call' | 'attempt'): SpanData[] {
    // The ids only tell which span is below which: those that are exported are the SDK's.
    return JSON.parse(record.engine.spans(this.profiles ?? [], shape === 'attempt', ANY_IDS) ?? '[]') as SpanData[]
  }

  private start(data: SpanData, parent: Context): Span {
    const options = { kind: KINDS[data.kind], attributes: listed(data.attributes), startTime: time(data.start_unix_ns) }
    return mark(this.tracer.startSpan(data.name, options, parent), data)
  }

  /** Says what is known at the end of a span that began before. */
  private finish(span: Span, data: SpanData): Span {
    span.updateName(data.name)
    span.setAttributes(listed(data.attributes))
    return mark(span, data)
  }

  private measure(record: Record, profile: string, around: Context): void {
    const meters = this.options.meterProvider ?? metrics.getMeterProvider()
    if (meters !== this.meters) {
      this.meters = meters
      this.observers = observersOf(meters, profile)
    }
    const { responseModel = false, chunkGaps = 100 } = this.options
    const all = JSON.parse(record.engine.measurements(profile, responseModel, chunkGaps)) as Measurement[]
    for (const [place, value, times, labels] of all) {
      const observe = this.observers[place]
      for (let time = 0; observe && time < times; time += 1) observe(value, labels, around)
    }
  }
}

type Observe = (value: number, labels: Attributes, context: Context) => void

/** Place of the metric, value, how often it was observed, labels. */
type Measurement = [number, number, number, Attributes]

interface Metric {
  name: string
  unit: string
  description: string
  kind: 'counter' | 'histogram'
  integer: boolean
  bounds: number[]
}

/** Makes an instrument for each metric of a profile. */
function observersOf(provider: MeterProvider, profile: string): Observe[] {
  const meter = provider.getMeter('llmspan', engine().version)
  return (JSON.parse(engine().instruments(profile)) as Metric[]).map(({ name, unit, description, kind, bounds }) => {
    if (kind === 'counter') {
      const counter = meter.createCounter(name, { unit, description })
      return (value, labels, context) => counter.add(value, labels, context)
    }
    const histogram = meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: bounds } })
    return (value, labels, context) => histogram.record(value, labels, context)
  })
}

/** Adds the moments and the status of a span. */
function mark(span: Span, data: SpanData): Span {
  if (!span.isRecording()) return span
  for (const { name, attributes, at_unix_ns } of data.events) span.addEvent(name, listed(attributes), time(at_unix_ns))
  if (data.status === 'ERROR') {
    const { status_message: message } = data
    span.setStatus(message === undefined ? { code: SpanStatusCode.ERROR } : { code: SpanStatusCode.ERROR, message })
  }
  return span
}

/**
 * The context to begin the span of a call in.
 *
 * A record tells ids, not whether the trace is sampled. The context where the call began does, where it is of the same trace;
 * else the trace of a caller who asks for it by its ids counts as sampled.
 */
function parentOf(call: Ids, here: Context): Context {
  const current = trace.getSpanContext(here)
  const { trace_id: traceId } = call
  // The API gives no span an id of the caller's choice: below that span is as near as it gets.
  const spanId = call.parent_span_id ?? call.span_id
  const named = { traceId: traceId?.toLowerCase() ?? '', spanId: spanId?.toLowerCase() ?? '', traceFlags: TraceFlags.SAMPLED }
  if (!isSpanContextValid(named)) return current ? trace.deleteSpan(here) : here
  if (current && current.traceId === named.traceId && current.spanId === named.spanId) return here
  const isSameTrace = current && current.traceId === named.traceId && isSpanContextValid(current)
  const known: SpanContext = isSameTrace ? { ...current, spanId: named.spanId, isRemote: false } : named
  return trace.setSpanContext(here, known)
}

type Ids = Readonly<{ trace_id?: string | undefined; span_id?: string | undefined; parent_span_id?: string | undefined }>

/** The ids that a record has, by its span in a tree made with {@link ANY_IDS}. */
function ownIds({ trace_id, span_id, parent_span_id }: SpanData): Ids {
  return { trace_id: trace_id === ANY_TRACE ? undefined : trace_id, span_id: span_id === ANY_SPAN ? undefined : span_id, parent_span_id }
}

/** The span that a library made for the request of a call after it had begun. */
function innerOf(here: Context): Span | undefined {
  const span = here.getValue(INNER) as Span | undefined
  return span && isModelCall(span) ? span : undefined
}

function isModelCall(span: Span | undefined): boolean {
  if (!span) return false
  const attributes = attributesOf(span)
  const told: string[] = []
  for (const name of engine().modelCallAttributes) {
    const value = attributes[name]
    if (typeof value === 'string') told.push(name, value)
  }
  return told.length > 0 && engine().isModelCall(lines(told))
}

/** The attributes of a span, which SDKs know and the API does not. */
function attributesOf(span: Span): Readonly<{ [name: string]: unknown }> {
  const { attributes } = span as { attributes?: unknown }
  return typeof attributes === 'object' && attributes !== null ? (attributes as { [name: string]: unknown }) : {}
}

/** Attributes with the type that the API has for them. */
function listed(attributes: SpanData['attributes']): Attributes {
  return attributes as Attributes
}

/** Nanoseconds since 1970 as seconds and the rest of them. */
function time(unixNanos: string | undefined): HrTime {
  const text = unixNanos ?? '0'
  return [Number(text.slice(0, -9)), Number(text.slice(-9))]
}

const KINDS = { client: SpanKind.CLIENT, internal: SpanKind.INTERNAL }
const ANY_IDS = new Uint8Array(24).fill(1)
const ANY_TRACE = '01'.repeat(16)
const ANY_SPAN = '01'.repeat(8)
const NOTHING = '{"at_ns":0,"event":"call_started"}'
