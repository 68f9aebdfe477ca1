// The sink for collectors, over real HTTP: answers that are to be repeated, that hang, that are taken in part.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import test from 'node:test'
import { gunzipSync } from 'node:zlib'
import { Call, LlmspanError, Otlp, Recorder } from 'llmspan'

/** A collector that answers as `answers` say, in turn, the last one again and again. */
async function collector(t, ...answers) {
  const requests = []
  const server = createServer(async (request, response) => {
    const parts = []
    for await (const part of request) parts.push(part)
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    const body = Buffer.concat(parts)
    requests.push({ atMs: performance.now(), headers: request.headers, body })
    answer(response)
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { requests, url: `http://127.0.0.1:${server.address().port}/v1/traces` }
}

const status = (code, headers = {}, body = '') => response => void response.writeHead(code, headers).end(body)
const hang = () => undefined
const cut = response => response.socket.destroy()

function end(recorder, count) {
  for (let made = 0; made < count; made += 1) new Call('chat', { model: 'm', recorder }).end()
}

/** The ids of the spans of calls in a request. */
function ids({ body, headers }) {
  const text = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
  return JSON.parse(text).resourceSpans[0].scopeSpans[0].spans.map(span => span.spanId)
}

function quiet(t) {
  return t.mock.method(console, 'warn', () => undefined)
}

test('what a collector says to repeat is repeated when it says, unchanged', async t => {
  const dated = new Date(Date.now() + 2000).toUTCString()
  const { url, requests } = await collector(t, status(429, { 'retry-after': '1' }), status(503, { 'retry-after': dated }), status(200))
  const otlp = new Otlp({ url })
  const recorder = new Recorder({ sinks: [otlp] })
  end(recorder, 2)
  assert.ok(await recorder.flush(20_000))
  assert.deepEqual(otlp.stats, { exported: 2, dropped: 0, withoutClock: 0, rejectedSpans: 0, retries: 2 })
  assert.ok(requests[1].atMs - requests[0].atMs >= 990)
  // A date has whole seconds.
  assert.deepEqual(ids(requests[0]), ids(requests[2]))
  assert.deepEqual(requests[0].body, requests[1].body)
  assert.equal(recorder.stats.sinkErrors, 0)
})

test('a connection that breaks is tried again after a pause', async t => {
  const { url, requests } = await collector(t, cut, status(200))
  const otlp = new Otlp({ url })
  const recorder = new Recorder({ sinks: [otlp] })
  end(recorder, 1)
  assert.ok(await recorder.flush(20_000))
  assert.deepEqual([otlp.stats.exported, otlp.stats.retries, requests.length], [1, 1, 2])
  assert.ok(requests[1].atMs - requests[0].atMs >= 990)
})

test('a collector that never takes it costs five requests and is counted', async t => {
  quiet(t)
  const { url, requests } = await collector(t, status(503, { 'retry-after': '0' }))
  const otlp = new Otlp({ url })
  const recorder = new Recorder({ sinks: [otlp] })
  end(recorder, 3)
  assert.ok(await recorder.flush(20_000))
  assert.equal(requests.length, 5)
  assert.deepEqual(otlp.stats, { exported: 0, dropped: 3, withoutClock: 0, rejectedSpans: 0, retries: 4 })
  assert.equal(recorder.stats.sinkErrors, 1)
})

test('what a collector refuses for good is not repeated, and the next request is sent', async t => {
  quiet(t)
  const { url, requests } = await collector(t, status(400), status(200))
  const otlp = new Otlp({ url, batchSize: 1 })
  const recorder = new Recorder({ sinks: [otlp] })
  end(recorder, 2)
  await recorder.flush()
  assert.equal(requests.length, 2)
  assert.deepEqual(otlp.stats, { exported: 1, dropped: 1, withoutClock: 0, rejectedSpans: 0, retries: 0 })
})

test('spans that are taken in part are counted', async t => {
  const warned = quiet(t)
  const json = { 'content-type': 'application/json' }
  const partly = status(200, json, JSON.stringify({ partialSuccess: { rejectedSpans: '2', errorMessage: 'too old' } }))
  const advice = status(200, json, JSON.stringify({ partialSuccess: { errorMessage: 'be nice' } }))
  const { url } = await collector(t, partly, advice, status(200, json, 'no json'), status(200, json, '{}'))
  const otlp = new Otlp({ url, batchSize: 1 })
  const recorder = new Recorder({ sinks: [otlp] })
  end(recorder, 4)
  await recorder.flush()
  assert.deepEqual(otlp.stats, { exported: 4, dropped: 0, withoutClock: 0, rejectedSpans: 2, retries: 0 })
  assert.match(String(warned.mock.calls[0].arguments[0]), /too old/)
  assert.equal(warned.mock.callCount(), 1)
})

test('a collector that hangs holds nobody up: a full queue drops and counts', async t => {
  quiet(t)
  const { url, requests } = await collector(t, hang)
  const otlp = new Otlp({ url, batchSize: 2, queueSize: 5, timeoutMs: 60_000 })
  const recorder = new Recorder({ sinks: [otlp] })
  end(recorder, 2)
  await recorder.flush(50)
  while (requests.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
  end(recorder, 9)
  assert.equal(await recorder.flush(50), false)
  assert.equal(otlp.stats.dropped, 4)
  const before = performance.now()
  await recorder.close(100)
  assert.ok(performance.now() - before < 5000)
  assert.equal(requests.length, 1)
})

test('a request that takes too long is given up and sent again', async t => {
  quiet(t)
  const { url, requests } = await collector(t, hang, status(200))
  const otlp = new Otlp({ url, timeoutMs: 200 })
  const recorder = new Recorder({ sinks: [otlp] })
  end(recorder, 1)
  assert.ok(await recorder.flush(20_000))
  assert.deepEqual([otlp.stats.exported, otlp.stats.retries, requests.length], [1, 1, 2])
})

test('requests are packed where it is asked for', async t => {
  const { url, requests } = await collector(t, status(200))
  const otlp = new Otlp({ url, compression: 'gzip' })
  const recorder = new Recorder({ sinks: [otlp] })
  end(recorder, 20)
  await recorder.flush()
  assert.equal(requests[0].headers['content-encoding'], 'gzip')
  assert.equal(new Set(ids(requests[0])).size, 20)
  assert.equal(otlp.stats.exported, 20)
})

test('records without a wall clock are counted; options that cannot be are told at once', async t => {
  const { url, requests } = await collector(t, status(200))
  const otlp = new Otlp({ url })
  const recorder = new Recorder({ sinks: [otlp], wallClock: null })
  end(recorder, 2)
  await recorder.flush()
  assert.deepEqual([otlp.stats.withoutClock, requests.length], [2, 0])
  assert.throws(() => new Otlp({ url, profiles: ['none'] }), error => error instanceof LlmspanError && error.code === 'unknown_profile')
})

/** Has a page around the sink that goes out of sight. */
async function hidden(t, page, options, count, { fails = false } = {}) {
  const [beacons, fetches] = [[], []]
  const known = {}
  const all = {
    document: { visibilityState: 'hidden' },
    location: { href: 'https://shop.example/cart', origin: 'https://shop.example' },
    navigator: { sendBeacon: (url, data) => page.beacon(beacons, url, data) },
    fetch: async (url, init) => {
      fetches.push({ url, ...init })
      if (fails) throw new TypeError('gone')
      return new Response('')
    },
  }
  for (const [name, value] of Object.entries(all)) {
    known[name] = Object.getOwnPropertyDescriptor(globalThis, name)
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  }
  t.after(() => {
    for (const [name, descriptor] of Object.entries(known)) {
      delete globalThis[name]
      if (descriptor) Object.defineProperty(globalThis, name, descriptor)
    }
  })
  const otlp = new Otlp({ batchSize: 4096, ...options })
  const recorder = new Recorder({ sinks: [otlp] })
  end(recorder, count)
  return { otlp, recorder, beacons, fetches }
}

const spansOf = text => JSON.parse(text).resourceSpans[0].scopeSpans[0].spans.length

test('a page that goes out of sight sends beacons of its own origin, up to what a browser takes', async t => {
  let room = 65_536
  const page = {
    beacon(beacons, url, data) {
      if (data.size > room) return false
      room -= data.size
      beacons.push({ url, data })
      return true
    },
  }
  const { otlp, recorder, beacons, fetches } = await hidden(t, page, { url: '/v1/traces' }, 300)
  recorder.leave()
  const sent = await Promise.all(beacons.map(async ({ data }) => spansOf(await data.text())))
  assert.ok(beacons.length > 1)
  assert.ok(beacons.every(({ data }) => data.type === 'application/json' && data.size <= 65_536))
  const left = sent.reduce((sum, count) => sum + count, 0)
  assert.ok(left >= 50 && left < 300, String(left))
  // What the browser did not take as a beacon went by `fetch`, which has a limit of its own; the rest waits for the page to go on.
  assert.ok(fetches.length > 0 && fetches.every(({ keepalive }) => keepalive))
  await new Promise(resolve => setImmediate(resolve))
  const kept = fetches.reduce((sum, { body }) => sum + spansOf(new TextDecoder().decode(body)), 0)
  assert.equal(otlp.stats.exported, left + kept)
  assert.equal(otlp.stats.dropped, 0)
  await recorder.flush()
  assert.equal(otlp.stats.exported, 300)
})

test('a page that goes away counts what the browser does not take', async t => {
  quiet(t)
  const page = { beacon: () => false }
  const { otlp, recorder, fetches } = await hidden(t, page, { url: 'https://collector.example/v1/traces', headers: { 'x-key': 'k' } }, 300, { fails: true })
  const open = new Call('chat', { recorder })
  recorder.exit()
  assert.equal(open.isOpen, false)
  assert.ok(fetches.length > 0)
  assert.ok(fetches.every(({ keepalive, headers }) => keepalive && headers['x-key'] === 'k'))
  assert.ok(fetches.reduce((sum, { body }) => sum + body.length, 0) <= 65_536)
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(otlp.stats, { exported: 0, dropped: 301, withoutClock: 0, rejectedSpans: 0, retries: 0 })
})
