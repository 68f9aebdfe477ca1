// The sink for the SDK of OpenTelemetry, with the real SDK.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import test, { after, beforeEach } from 'node:test'
import { context, createContextKey, metrics, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AggregationTemporality, DataPointType, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { AlwaysOffSampler, InMemorySpanExporter, SamplingDecision, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { Call, LlmspanError, observe, Recorder, wrapFetch } from 'llmspan'
import { OpenTelemetry } from 'llmspan/opentelemetry'
import { chat, collect, Bench } from './server.mjs'

const exporter = new InMemorySpanExporter()
const starts = []
const sampled = []
const provider = new NodeTracerProvider({
  sampler: {
    shouldSample: (_context, _traceId, name, _kind, attributes) => {
      sampled.push({ name, attributes })
      return { decision: SamplingDecision.RECORD_AND_SAMPLED }
    },
    toString: () => 'all',
  },
  spanProcessors: [
    { onStart: (span, parent) => void starts.push({ name: span.name, parent }), onEnd: () => {}, forceFlush: async () => {}, shutdown: async () => {} },
    new SimpleSpanProcessor(exporter),
  ],
})
provider.register()
const tracer = trace.getTracer('app')
beforeEach(() => {
  exporter.reset()
  starts.length = sampled.length = 0
})
after(() => provider.shutdown())

/** A recorder with the sink. */
function bench(options, more = {}) {
  const sink = new OpenTelemetry({ metricsProfile: null, ...options })
  const made = new Bench(more)
  made.recorder = new Recorder({ sinks: [sink, made.memory], ...more })
  made.sink = sink
  return made
}

/** The finished spans by name, each with the name of its parent. */
function tree() {
  const spans = exporter.getFinishedSpans()
  const nameOf = id => spans.find(span => span.spanContext().spanId === id)?.name ?? id
  return Object.fromEntries(spans.map(span => [span.name, span.parentSpanContext && nameOf(span.parentSpanContext.spanId)]))
}

const span = name => exporter.getFinishedSpans().find(one => one.name === name)
const nanos = ([seconds, rest]) => BigInt(seconds) * 1_000_000_000n + BigInt(rest)

test('a call is a tree of spans with the times that it had', async () => {
  const { recorder, memory, sink } = bench()
  const unixMs = 1_790_000_000_000_000_123n
  const call = new Call('chat', { provider: 'openai', model: 'm', stream: true, recorder, atMs: 1000, unixMs })
  call.phase('prompt.build', { atMs: 1000 }).end({ atMs: 1010 })
  call.attempt({ atMs: 1010 }).fail(undefined, { statusCode: 429, retryAfterMs: 500, atMs: 1060 })
  call.retry({ delayMs: 500, reason: 'rate_limit', serverRequested: true, atMs: 1060 })
  const second = call.attempt({ atMs: 1560 })
  second.chunk('text', { bytes: 5, atMs: 1760 })
  second.chunk('none', { finishReasons: ['stop'], terminal: true, atMs: 2060 })
  call.end({ atMs: 2060 })
  await recorder.flush()
  const spans = exporter.getFinishedSpans()
  assert.equal(spans.length, 5)
  const called = span('chat m')
  assert.equal(called.kind, SpanKind.CLIENT)
  assert.equal(called.parentSpanContext, undefined)
  assert.equal(called.instrumentationScope.name, 'llmspan')
  assert.equal(nanos(called.startTime), unixMs)
  assert.equal(nanos(called.endTime), unixMs + 1_060_000_000n)
  assert.equal(called.attributes['gen_ai.request.model'], 'm')
  assert.deepEqual(called.attributes['gen_ai.response.finish_reasons'], ['stop'])
  assert.equal(called.status.code, SpanStatusCode.UNSET)
  const [failed, answered] = spans.filter(one => one.name === 'attempt').sort((a, b) => Number(nanos(a.startTime) - nanos(b.startTime)))
  assert.equal(failed.status.code, SpanStatusCode.ERROR)
  assert.equal(nanos(failed.startTime) - unixMs, 10_000_000n)
  assert.equal(nanos(failed.endTime) - unixMs, 60_000_000n)
  assert.equal(nanos(answered.startTime) - unixMs, 560_000_000n)
  assert.equal(answered.attributes['http.request.resend_count'], 1)
  for (const one of spans) {
    assert.equal(one.spanContext().traceId, called.spanContext().traceId)
    if (one !== called) assert.equal(one.parentSpanContext.spanId, called.spanContext().spanId, one.name)
  }
  const token = called.events.find(event => /token/.test(event.name))
  assert.equal(nanos(token.time) - unixMs, 760_000_000n)
  // What the engine's own exporter writes for the record has the same names.
  assert.deepEqual(spans.map(one => one.name).sort(), memory.records[0].spans().map(one => one.name).sort())
  assert.deepEqual(sink.stats, { exported: 1, notRecorded: 0, elsewhere: 0, withoutClock: 0 })
  // A span ends before the one around it.
  assert.equal(spans.at(-1), called)
})

test('the span that is active when a call begins is its parent, wherever it ends', async () => {
  const { recorder, memory } = bench()
  const turn = tracer.startSpan('turn')
  const calls = context.with(trace.setSpan(context.active(), turn), () => [
    new Call('chat', { model: 'm', recorder }),
    // Ids of the caller's go before what is active.
    new Call('chat', { model: 'other', recorder, traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16) }),
  ])
  turn.end()
  for (const call of calls) call.end()
  await recorder.flush()
  assert.deepEqual(tree(), { turn: undefined, 'chat m': 'turn', 'chat other': 'b'.repeat(16) })
  const { traceId, spanId } = turn.spanContext()
  assert.deepEqual([memory.records[0].trace_id, memory.records[0].parent_span_id], [traceId, spanId])
  assert.equal(span('chat other').spanContext().traceId, 'a'.repeat(32))
})

test('calls that begin in no span have none above them, whoever hands their records over', async () => {
  const { recorder } = bench()
  await tracer.startActiveSpan('turn', async turn => {
    new Call('chat', { model: 'inner', recorder }).end()
    turn.end()
  })
  new Call('chat', { model: 'outer', recorder }).end()
  await recorder.flush()
  assert.deepEqual(tree(), { turn: undefined, 'chat inner': 'turn', 'chat outer': undefined })
})

test('inside of run the span of the call is the active one', async () => {
  const { recorder, sink } = bench()
  const headers = {}
  const call = await tracer.startActiveSpan('turn', async turn => {
    const made = new Call('chat', { provider: 'openai', model: 'm', recorder })
    await made.run(async () => {
      await new Promise(resolve => setImmediate(resolve))
      propagation.inject(context.active(), headers)
      tracer.startActiveSpan('retrieve', inner => inner.end())
      made.attempt()
    })
    turn.end()
    return made
  })
  await recorder.flush()
  assert.deepEqual(tree(), { retrieve: 'chat m', turn: undefined, attempt: 'chat m', 'chat m': 'turn' })
  const called = span('chat m')
  assert.equal(headers.traceparent, `00-${called.spanContext().traceId}-${called.spanContext().spanId}-01`)
  assert.equal(String(nanos(called.startTime)), call.record.start_unix_ns)
  assert.equal(String(nanos(called.endTime)), call.record.end_unix_ns)
  assert.equal(called.kind, SpanKind.CLIENT)
  // Samplers know what is asked for, and nothing of an end that has not come.
  const known = sampled.find(({ name }) => name === 'chat m').attributes
  assert.deepEqual(known, { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'm' })
  assert.deepEqual(sink.stats, { exported: 1, notRecorded: 0, elsewhere: 0, withoutClock: 0 })
})

test('an exception that leaves run is the error of its span', async () => {
  const { recorder } = bench()
  const failing = new Call('chat', { model: 'm', recorder }).run(() => Promise.reject(Object.assign(new Error('x'), { status: 503 })))
  await assert.rejects(failing)
  await recorder.flush()
  assert.equal(span('chat m').status.code, SpanStatusCode.ERROR)
  assert.equal(span('chat m').attributes['error.type'], '503')
})

test('the span of another library for the same call stays the only one', async () => {
  const { recorder, sink } = bench()
  const attributes = { 'gen_ai.operation.name': 'chat', 'gen_ai.system': 'openai', 'gen_ai.request.model': 'm', 'gen_ai.usage.input_tokens': 3 }
  await tracer.startActiveSpan('chat m', { attributes }, async theirs => {
    const call = new Call('chat', { provider: 'openai', model: 'm', recorder })
    call.attempt()
    call.usage({ inputTokens: 7, outputTokens: 20 })
    call.end()
    // Before the record reaches the sinks.
    theirs.end()
  })
  await recorder.flush()
  assert.deepEqual(tree(), { 'chat m': undefined, attempt: 'chat m' })
  const theirs = span('chat m').attributes
  assert.deepEqual([theirs['gen_ai.usage.input_tokens'], theirs['gen_ai.usage.output_tokens']], [3, 20])
  assert.equal(span('attempt').attributes['gen_ai.usage.output_tokens'], undefined)
  assert.deepEqual(sink.stats, { exported: 0, notRecorded: 0, elsewhere: 1, withoutClock: 0 })
})

test('where a library makes its span inside of run, both are there and one has the tokens', async () => {
  const { recorder, sink } = bench()
  const call = new Call('chat', { provider: 'openai', model: 'm', recorder })
  call.run(() => {
    tracer.startActiveSpan('theirs', { attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'm' } }, theirs => {
      call.attempt()
      call.usage({ inputTokens: 7, outputTokens: 20 })
      call.end()
      theirs.end()
    })
  })
  await recorder.flush()
  assert.equal(span('theirs').attributes['gen_ai.usage.output_tokens'], 20)
  const ours = exporter.getFinishedSpans().find(one => one.spanContext().spanId === span('theirs').parentSpanContext.spanId)
  assert.equal(ours.attributes['gen_ai.usage.output_tokens'], undefined)
  assert.equal(sink.stats.elsewhere, 1)
})

test('what is not sampled, suppressed or without a clock has no spans, and is counted', async () => {
  const off = new NodeTracerProvider({ sampler: new AlwaysOffSampler(), spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const unsampled = bench({ tracerProvider: off })
  new Call('chat', { recorder: unsampled.recorder }).run(() => undefined)
  new Call('chat', { recorder: unsampled.recorder }).end()
  await unsampled.recorder.flush()
  assert.deepEqual(unsampled.sink.stats, { exported: 0, notRecorded: 2, elsewhere: 0, withoutClock: 0 })
  const parent = bench()
  const suppressed = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')
  context.with(context.active().setValue(suppressed, true), () => new Call('chat', { recorder: parent.recorder }).end())
  await parent.recorder.flush()
  assert.equal(parent.sink.stats.notRecorded, 1)
  const clockless = bench({}, { wallClock: null })
  new Call('chat', { recorder: clockless.recorder }).end()
  await clockless.recorder.flush()
  assert.equal(clockless.sink.stats.withoutClock, 1)
  assert.equal(exporter.getFinishedSpans().length, 0)
})

test('plain values of the context reach span processors; an open call holds on to no others', async () => {
  const { recorder } = bench()
  const [user, request] = [createContextKey('user'), createContextKey('request')]
  const seen = () => starts.find(({ name }) => name === 'chat m').parent
  let isGone = false
  const gone = new FinalizationRegistry(() => (isGone = true))
  const call = (() => {
    const big = { body: { of: 'the request' } }
    gone.register(big)
    return context.with(context.active().setValue(user, 'u1').setValue(request, big), () => new Call('chat', { model: 'm', recorder }))
  })()
  await collect(() => isGone)
  assert.ok(isGone)
  call.end()
  await recorder.flush()
  assert.deepEqual([seen().getValue(user), seen().getValue(request)], ['u1', undefined])
})

test('the context of a call is active while its record is taken', async () => {
  const active = []
  const recorder = new Recorder({ onRecord: () => active.push(trace.getSpanContext(context.active())?.spanId) })
  tracer.startActiveSpan('turn', turn => {
    new Call('chat', { recorder }).end()
    active.push(turn.spanContext().spanId)
  })
  await recorder.flush()
  assert.equal(active[0], active[1])
})

test('exports of sinks are not traced', async () => {
  const flushed = []
  const recorder = new Recorder({
    sinks: [{ record: () => undefined, flush: () => void flushed.push(tracer.startSpan('export').isRecording()) }],
  })
  await tracer.startActiveSpan('turn', async turn => {
    new Call('chat', { recorder }).end()
    await recorder.flush()
    turn.end()
  })
  assert.deepEqual(flushed, [false])
})

test('requests that hooks see, and streams that are watched, are below what was active', async () => {
  const { recorder } = bench()
  const line = JSON.stringify({ object: 'chat.completion.chunk', model: 'gpt-4.1-mini', choices: [{ index: 0, delta: { content: 'a' }, finish_reason: 'stop' }] })
  const answer = async () => new Response(`data: ${line}\n\ndata: [DONE]\n\n`, { headers: { 'content-type': 'text/event-stream' } })
  await tracer.startActiveSpan('turn', async turn => {
    const response = await wrapFetch(answer, { recorder })('https://api.openai.com/v1/chat/completions', chat)
    turn.end()
    await response.text()
  })
  await tracer.startActiveSpan('round', async round => {
    async function* chunks() {
      yield JSON.parse(line)
    }
    for await (const _ of observe(chunks(), { recorder, model: 'm' }));
    round.end()
  })
  await recorder.flush()
  assert.equal(tree()['chat gpt-4.1-mini'], 'turn')
  assert.equal(tree()['chat m'], 'round')
})

test('spans of each attempt, under the names of several profiles', async () => {
  const { recorder } = bench({ shape: 'attempt', profiles: ['otel-1.41', 'openinference'] })
  const call = new Call('chat', { recorder, provider: 'openai', model: 'm' })
  call.run(() => {
    call.attempt().fail(undefined, { statusCode: 503 })
    call.attempt()
  })
  await recorder.flush()
  const spans = exporter.getFinishedSpans()
  assert.equal(spans.filter(one => one.attributes['gen_ai.request.model'] === 'm' && one.attributes['llm.model_name'] === 'm').length, 2)
  assert.equal(spans.filter(one => one.kind === SpanKind.INTERNAL && one.attributes['gen_ai.request.model'] === undefined).length, 1)
})

test('measurements go to the meter, with the bounds of the profile as advice and the span as exemplar', async () => {
  const recorded = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const meters = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: recorded, exportIntervalMillis: 1e6 })] })
  const recorder = new Recorder({ sinks: [new OpenTelemetry({ meterProvider: meters })] })
  for (const tokens of [20, 30]) {
    const call = new Call('chat', { provider: 'openai', model: 'm', recorder, atMs: 0, stream: true })
    call.attempt({ atMs: 0 })
    call.chunk('text', { bytes: 5, atMs: 250 })
    call.usage({ inputTokens: 7, outputTokens: tokens }, { atMs: 1000 })
    call.end({ atMs: 2250 })
  }
  const suppressed = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')
  context.with(context.active().setValue(suppressed, true), () => new Call('chat', { provider: 'openai', model: 'm', recorder }).end())
  await recorder.flush()
  await meters.forceFlush()
  const all = recorded.getMetrics().at(-1).scopeMetrics.find(({ scope }) => scope.name === 'llmspan').metrics
  const of = name => all.find(({ descriptor }) => descriptor.name === name)
  const duration = of('gen_ai.client.operation.duration')
  assert.equal(duration.descriptor.unit, 's')
  assert.equal(duration.dataPointType, DataPointType.HISTOGRAM)
  const [point] = duration.dataPoints
  assert.deepEqual([point.value.count, point.value.sum], [2, 4.5])
  assert.equal(point.attributes['gen_ai.request.model'], 'm')
  // Bounds of the semantic conventions, gen_ai.client.operation.duration.
  assert.deepEqual(point.value.buckets.boundaries, [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92])
  const output = of('gen_ai.client.token.usage').dataPoints.find(one => one.attributes['gen_ai.token.type'] === 'output')
  assert.deepEqual([output.value.count, output.value.sum], [2, 50])
  await meters.shutdown()
})

test('providers may be set after the sink', async () => {
  const recorded = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const recorder = new Recorder({ sinks: [new OpenTelemetry()] })
  new Call('chat', { recorder }).end()
  await recorder.flush()
  const meters = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: recorded, exportIntervalMillis: 1e6 })] })
  metrics.setGlobalMeterProvider(meters)
  new Call('chat', { recorder }).end()
  await recorder.flush()
  await meters.forceFlush()
  const { metrics: all } = recorded.getMetrics().at(-1).scopeMetrics[0]
  assert.equal(all.find(({ descriptor }) => descriptor.name === 'gen_ai.client.operation.duration').dataPoints[0].value.count, 1)
  await meters.shutdown()
})

test('a processor that throws harms nobody, and a profile that is unknown is told at once', async t => {
  t.mock.method(console, 'warn', () => undefined)
  const broken = { onStart: () => { throw new Error('a bug') }, onEnd: () => {}, forceFlush: async () => {}, shutdown: async () => {} }
  const { recorder, memory } = bench({ tracerProvider: new NodeTracerProvider({ spanProcessors: [broken] }) })
  assert.equal(new Call('chat', { recorder }).run(() => 7), 7)
  new Call('chat', { recorder }).end()
  await recorder.flush()
  assert.equal(memory.records.length, 2)
  assert.ok(recorder.stats.sinkErrors >= 2)
  for (const options of [{ profiles: ['none'] }, { metricsProfile: 'none' }]) {
    assert.throws(() => new OpenTelemetry(options), error => error instanceof LlmspanError && error.code === 'unknown_profile')
  }
  const required = createRequire(import.meta.url)('llmspan/opentelemetry')
  assert.equal(typeof required.OpenTelemetry, 'function')
})
