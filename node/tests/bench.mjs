// What the package costs, in microseconds of CPU time: `node bench.mjs`.
import { context, metrics, trace } from '@opentelemetry/api'
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { Call, configure, flush, observe, wrapFetch } from 'llmspan'
import { OpenTelemetry } from 'llmspan/opentelemetry'

const CHUNKS = 100_000
const CALLS = 5_000

configure({ onRecord: () => undefined })
const chunk = {
  id: 'chatcmpl-9',
  object: 'chat.completion.chunk',
  created: 1790000000,
  model: 'gpt-4.1-mini-2025-04-14',
  service_tier: 'default',
  system_fingerprint: 'fp_1',
  choices: [{ index: 0, delta: { content: ' hello' }, logprobs: null, finish_reason: null }],
  usage: null,
}
const bytes = new TextEncoder().encode(`data: ${JSON.stringify(chunk)}\n\n`)
const body = JSON.stringify({ model: 'gpt-4.1-mini', stream: true, messages: [{ role: 'user', content: 'hi' }] })
const url = 'https://api.openai.com/v1/chat/completions'

/** CPU time of one of `count` steps, the least of five runs. */
async function cost(count, run) {
  let least = Infinity
  for (let turn = 0; turn < 5; turn += 1) {
    const before = process.cpuUsage()
    await run()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / count)
  }
  return least
}

async function drain(stream) {
  for await (const _ of stream);
}

async function* objects() {
  for (let sent = 0; sent < CHUNKS; sent += 1) yield chunk
}

function response(count) {
  let sent = 0
  const source = {
    type: 'bytes',
    pull(controller) {
      if ((sent += 1) <= count) controller.enqueue(new Uint8Array(bytes))
      else controller.close()
    },
  }
  const headers = { 'content-type': 'text/event-stream', 'x-request-id': 'req_1' }
  return new Response(new ReadableStream(source, { highWaterMark: 0 }), { headers })
}

async function fetches(fetch, calls) {
  for (let call = 0; call < calls; call += 1) {
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    await drain(answer.body)
  }
}

const many = async () => response(CHUNKS)
const one = async () => response(1)
const rows = {
  'chunk at fetch': (await cost(CHUNKS, () => fetches(wrapFetch(many), 1))) - (await cost(CHUNKS, () => fetches(many, 1))),
  'chunk of an SDK': (await cost(CHUNKS, () => drain(observe(objects())))) - (await cost(CHUNKS, () => drain(objects()))),
  'call at fetch': (await cost(CALLS, () => fetches(wrapFetch(one), CALLS))) - (await cost(CALLS, () => fetches(one, CALLS))),
  'call by hand': await cost(CALLS, () => {
    for (let made = 0; made < CALLS; made += 1) {
      const call = new Call('chat', { provider: 'openai', model: 'm', stream: true })
      const attempt = call.attempt()
      attempt.headers(200, { 'x-request-id': 'req_1' })
      attempt.streamEnded()
      call.end()
    }
  }),
}

// Beside OpenTelemetry: what the context of a call costs, then spans, then measurements too, the SDK's own work included.
const spans = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
provider.register()
const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e9 })] }))
const turn = trace.setSpan(context.active(), trace.getTracer('app').startSpan('turn'))
const sinks = { 'in a span': undefined, 'with spans': new OpenTelemetry({ metricsProfile: null }), 'and metrics': new OpenTelemetry() }
for (const [what, sink] of Object.entries(sinks)) {
  configure(sink ? { sinks: [sink] } : { onRecord: () => undefined })
  const within = fetch => async () => {
    await context.with(turn, () => fetches(fetch, CALLS))
    await flush()
    spans.reset()
  }
  rows[`call ${what}`] = (await cost(CALLS, within(wrapFetch(one)))) - (await cost(CALLS, within(one)))
}
for (const [what, microseconds] of Object.entries(rows)) console.log(`${what.padEnd(16)} ${microseconds.toFixed(2)} us`)
