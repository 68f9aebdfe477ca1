import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { Call, fetch as seenFetch, hookErrors, instrument, isInstrumented, observe, uninstrument, wrapFetch } from 'llmspan'
import OpenAI from 'openai'
import { answer, Bench, chat, collect, serve } from './server.mjs'

const plainFetch = globalThis.fetch
let server
let runs = 0

before(async () => {
  server = await serve()
})

after(() => {
  assert.equal(hookErrors(), 0)
  server.stop()
})

/** A recorder, a `fetch` that it sees, and where the server does what is asked. */
function begin(asked = '') {
  const bench = new Bench()
  const run = `r${process.pid}-${(runs += 1)}`
  const base = `${server.address}/s/run=${run}${asked && `&${asked}`}/v1`
  const requests = async () => (await (await plainFetch(`${server.address}/runs/${run}?wait=2000`)).json()).requests
  return { bench, fetch: wrapFetch(plainFetch, { recorder: bench.recorder }), base, url: `${base}/chat/completions`, requests }
}

function sdk({ fetch, base }, options = {}) {
  return new OpenAI({ apiKey: 'k', baseURL: base, fetch, ...options })
}

const asked = { model: 'gpt-4.1-mini', stream: true, messages: [{ role: 'user', content: 'hi' }] }

test('a stream is passed on unchanged and read', async () => {
  const { bench, fetch, url } = begin('input=21&output=9&usage=always')
  const plain = await (await plainFetch(url, chat)).text()
  const response = await fetch(url, chat)
  assert.ok(response instanceof Response)
  assert.deepEqual([response.url, response.type, response.redirected, response.status], [url, 'basic', false, 200])
  const strip = text => text.replaceAll(/"(id|created)":("[^"]*"|\d+)/g, '')
  assert.equal(strip(await response.text()), strip(plain))
  const record = await bench.record()
  assert.deepEqual([record.outcome, record.stream, record.attempt_count], ['success', true, 1])
  assert.deepEqual([record.provider, record.model], [record.provider, 'gpt-4.1-mini'])
  assert.deepEqual([record.usage.input_tokens, record.usage.output_tokens], [21, 9])
  assert.ok(record.ttft_ns > 0 && record.time_to_headers_ns <= record.ttft_ns)
})

test('bytes are those of the server, in every size of piece', async () => {
  for (const write of ['event', 'burst', 'byte', '7']) {
    const { bench, fetch, url, requests } = begin(`write=${write}&first=0&interval=0`)
    const body = new Uint8Array(await (await fetch(url, chat)).arrayBuffer())
    assert.equal(body.length, (await requests())[0].body_bytes)
    assert.equal((await bench.record()).outcome, 'success', write)
  }
})

test('the first token comes when the server sends it', async () => {
  const late = []
  for (let turn = 0; turn < 6; turn += 1) {
    const { bench, fetch, url, requests } = begin('first=120')
    await (await fetch(url, chat)).text()
    const [{ accepted_at_ns, first_visible_at_ns }] = await requests()
    const { ttft_ns } = await bench.record()
    // The client sees its request begin before, and the token arrive after, what the server sees.
    late.push(ttft_ns - (first_visible_at_ns - accepted_at_ns))
  }
  // Whatever else runs on the machine adds to it; the least is what the measurement itself is off by.
  const least = Math.min(...late)
  assert.ok(least >= -2_000_000 && least < 60_000_000, `${late} ns`)
})

test('the SDK: a stream', async () => {
  const env = begin('input=21&output=9&usage=always')
  const stream = await sdk(env).chat.completions.create(asked)
  let text = ''
  for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? ''
  const record = await env.bench.record()
  assert.equal(record.content.text_bytes, Buffer.byteLength(text))
  assert.deepEqual([record.outcome, record.attempt_count, record.usage?.output_tokens], ['success', 1, 9])
})

test('the SDK: a retry that it hides is the second attempt of one call', async () => {
  const env = begin('plan=429,ok&retry-after-ms=60')
  const stream = await sdk(env).chat.completions.create(asked)
  for await (const _ of stream);
  const record = await env.bench.record()
  assert.deepEqual([record.outcome, record.attempt_count, record.retry_count], ['success', 2, 1])
  assert.deepEqual(record.attempts.map(attempt => attempt.status_code), [429, 200])
  assert.deepEqual([record.waits[0].reason, record.waits[0].server_requested], ['rate_limit', true])
  assert.equal(record.waits[0].planned_delay_ns, 60_000_000)
  assert.equal(env.bench.recorder.stats.openCalls, 0)
})

test('a retry by hand that never reads the failure is the second attempt of one call', async () => {
  const { bench, fetch, url } = begin('plan=503,ok')
  await fetch(url, chat)
  await (await fetch(url, chat)).text()
  const record = await bench.record()
  assert.deepEqual([record.outcome, record.attempt_count], ['success', 2])
})

test('a failure that nobody repeats ends its call', async () => {
  const { bench, fetch, url } = begin('plan=400')
  const response = await fetch(url, chat)
  await response.text()
  const record = await bench.record()
  assert.deepEqual([record.outcome, record.error.status_code], ['error', 400])
})

test('retries that stop coming end the call at the last failure', async () => {
  const env = begin('plan=500&retry-after-ms=1')
  await assert.rejects(sdk(env, { maxRetries: 1 }).chat.completions.create(asked))
  assert.equal(env.bench.recorder.stats.openCalls, 1)
  await env.bench.recorder.close()
  const record = await env.bench.record()
  assert.deepEqual([record.outcome, record.attempt_count, record.error.status_code], ['error', 2, 500])
})

test('the SDK: a break ends the call as interrupted, and reaches the server', async () => {
  const env = begin('chunks=500&interval=5')
  const stream = await sdk(env).chat.completions.create(asked)
  for await (const _ of stream) break
  assert.equal((await env.bench.record()).outcome, 'interrupted')
  assert.equal((await env.requests())[0].end, 'client_closed')
})

test('a break out of a body reaches the server', async () => {
  const { bench, fetch, url, requests } = begin('chunks=500&interval=5')
  for await (const _ of (await fetch(url, chat)).body) break
  assert.equal((await bench.record()).outcome, 'interrupted')
  assert.equal((await requests())[0].end, 'client_closed')
})

test('a body that is cancelled unread reaches the server', async () => {
  const { bench, fetch, url, requests } = begin('chunks=500&interval=5')
  await (await fetch(url, chat)).body.cancel()
  assert.equal((await bench.record()).outcome, 'interrupted')
  assert.equal((await requests())[0].end, 'client_closed')
})

test('the SDK: an abort ends the call as cancelled', async () => {
  const env = begin('chunks=500&interval=50')
  const controller = new AbortController()
  const stream = await sdk(env).chat.completions.create(asked, { signal: controller.signal })
  // While the next chunk is waited for.
  for await (const _ of stream) setTimeout(() => controller.abort(), 1)
  assert.equal((await env.bench.record()).outcome, 'cancelled')
  assert.equal((await env.requests())[0].end, 'client_closed')
})

test('the SDK: a request that its timeout aborts is an attempt of the call that it repeats', async () => {
  const env = begin('plan=hang,ok&at=head')
  // The SDK tells the server of a timeout that is the request's own.
  const stream = await sdk(env).chat.completions.create(asked, { timeout: 1000 })
  for await (const _ of stream);
  const record = await env.bench.record()
  assert.deepEqual([record.outcome, record.attempt_count, record.waits[0].reason], ['success', 2, 'timeout'])
  assert.equal(record.attempts[0].error.type, 'timeout')
})

test('the SDK: an abort before the response ends the call as cancelled', async () => {
  const env = begin('plan=hang&at=head')
  const controller = new AbortController()
  const stream = sdk(env).chat.completions.create(asked, { signal: controller.signal, timeout: 1000 })
  setTimeout(() => controller.abort(), 50)
  await assert.rejects(stream)
  assert.equal((await env.bench.record()).outcome, 'cancelled')
})

test('an abort while nobody reads ends the call as cancelled', async () => {
  const { bench, fetch, url } = begin('chunks=500&interval=5')
  const controller = new AbortController()
  const { body } = await fetch(url, { ...chat, signal: controller.signal })
  const reader = body.getReader()
  await reader.read()
  controller.abort()
  assert.equal((await bench.record()).outcome, 'cancelled')
  await assert.rejects(reader.read(), { name: 'AbortError' })
})

test('an abort before the response ends the call as cancelled', async () => {
  const { bench, fetch, url } = begin('plan=hang&at=head')
  const controller = new AbortController()
  const response = fetch(url, { ...chat, signal: controller.signal })
  setTimeout(() => controller.abort(), 20)
  await assert.rejects(response, { name: 'AbortError' })
  assert.equal((await bench.record()).outcome, 'cancelled')
})

test('a connection that breaks mid-stream is an error, also for the application', async () => {
  for (const how of ['drop', 'reset']) {
    const { bench, fetch, url } = begin(`plan=${how}`)
    const response = await fetch(url, chat)
    await assert.rejects(response.text(), TypeError)
    const record = await bench.record()
    assert.deepEqual([record.outcome, record.error.type], ['error', 'network'], how)
  }
})

test('a stream that stops without its end is truncated', async () => {
  const { bench, fetch, url } = begin('plan=cut')
  await (await fetch(url, chat)).text()
  const record = await bench.record()
  assert.deepEqual([record.outcome, record.error.type], ['error', 'stream_truncated'])
})

test('a response that nobody reads ends when it is garbage', async () => {
  const { bench, fetch, url } = begin()
  await (async () => void (await fetch(url, chat)))()
  await collect(() => bench.recorder.stats.records > 0)
  assert.equal((await bench.record()).outcome, 'abandoned')
})

test('the SDK: a stream that is seen at the wire is not counted twice', async () => {
  const env = begin()
  const stream = await sdk(env).chat.completions.create(asked)
  const observed = observe(stream, { recorder: env.bench.recorder })
  assert.equal(observed, stream)
  for await (const _ of observed);
  assert.equal((await env.bench.record()).outcome, 'success')
})

test('a stream whose request leaves when it is first read is one call with it', async () => {
  const { bench, fetch, url } = begin('usage=always&output=9')
  async function* lazy() {
    for await (const bytes of (await fetch(url, chat)).body) yield new TextDecoder().decode(bytes)
  }
  for await (const _ of observe(lazy(), { provider: 'openai', recorder: bench.recorder }));
  const record = await bench.record()
  assert.deepEqual([record.outcome, record.attempt_count, record.usage.output_tokens], ['success', 1, 9])
})

test('two streams at once are two calls', async () => {
  const { bench, fetch, url } = begin('chunks=20&interval=2')
  const bodies = await Promise.all([fetch(url, chat), fetch(url, chat)])
  const [one, two] = await Promise.all(bodies.map(body => body.text()))
  assert.equal(one.length, two.length)
  const records = await bench.records(2)
  assert.deepEqual(records.map(record => [record.outcome, record.content.visible_chunks]), [['success', 20], ['success', 20]])
})

test('requests inside of a call are its attempts', async () => {
  const { bench, fetch, url } = begin('plan=503,ok')
  await new Call('chat', { recorder: bench.recorder, attributes: { 'task_id': 't' } }).run(async () => {
    await (await fetch(url, chat)).text()
    await (await fetch(url, chat)).text()
  })
  const record = await bench.record()
  assert.deepEqual([record.outcome, record.attempt_count, record.callerAttributes.task_id], ['success', 2, 't'])
})

test('a Request object is seen, and its body arrives', async () => {
  const { bench, fetch, url } = begin()
  const response = await fetch(new Request(url, chat))
  await response.text()
  const record = await bench.record()
  assert.deepEqual([record.outcome, record.model], ['success', 'gpt-4.1-mini'])
})

test('a request that a proxy sends on to another address', async () => {
  const { bench, fetch, url } = begin('usage=always')
  const received = new Request('http://proxy.example/v1/chat/completions', chat)
  const response = await fetch(url, received)
  assert.match(await response.text(), /\[DONE\]/)
  const { outcome, model, usage } = await bench.record()
  assert.deepEqual([outcome, model, usage?.input_tokens], ['success', 'gpt-4.1-mini', 21])
})

test('what is not for a model is not touched', async () => {
  const { bench, fetch } = begin()
  const response = await fetch(`${server.address}/health`)
  assert.equal(response.status, 200)
  await response.json()
  assert.equal(bench.recorder.stats.records + bench.recorder.stats.openCalls, 0)
})

test('what is stored is asked of no model', async () => {
  const { bench, fetch, url } = begin()
  for (const method of ['GET', 'DELETE']) await (await fetch(url, { method })).text()
  await (await fetch(new Request(url, { method: 'get' }))).text()
  assert.equal(bench.recorder.stats.records + bench.recorder.stats.openCalls, 0)
})

test('of a body that goes elsewhere nothing is read', async () => {
  const { bench } = begin()
  let pulled = 0
  const pull = controller => controller.enqueue(new Uint8Array(8).fill((pulled += 1)))
  const body = new ReadableStream({ pull }, { highWaterMark: 0 })
  const given = new Request('https://storage.example/upload', { method: 'POST', body, duplex: 'half' })
  const behind = async request => {
    assert.equal(request, given)
    // A copy would read the stream ahead.
    await new Promise(resolve => setTimeout(resolve, 20))
    return new Response(String(pulled))
  }
  const response = await wrapFetch(behind, { recorder: bench.recorder })(given)
  assert.equal(await response.text(), '0')
})

test('a request too long to be read arrives whole, and no more of it is kept than is read', async () => {
  const { bench } = begin()
  const piece = new Uint8Array(1 << 20).fill(32)
  const pieces = 40
  const read = []
  let pulled = 0
  const body = new ReadableStream(
    { pull: controller => ((pulled += 1) > pieces ? controller.close() : controller.enqueue(piece)) },
    { highWaterMark: 0 },
  )
  const behind = async request => {
    for await (const part of request.body) {
      read.push(part.length)
      // The copy reads 32, finds one too many, and streams have asked for one more by then.
      if (read.length === 1) await new Promise(resolve => setTimeout(resolve, 100))
      assert.ok(pulled <= Math.max(34, read.length + 1), `${pulled} pulled, ${read.length} read`)
    }
    return answer()
  }
  const given = new Request('https://api.openai.com/v1/chat/completions', { method: 'POST', body, duplex: 'half' })
  await (await wrapFetch(behind, { recorder: bench.recorder })(given)).text()
  assert.deepEqual([read.length, new Set(read)], [pieces, new Set([piece.length])])
  const { outcome, model, provider } = await bench.record()
  assert.deepEqual([outcome, model, provider], ['success', undefined, 'openai'])
  // Texts and bytes of that length likewise.
  for (const long of [' '.repeat(33 << 20), new Uint8Array(33 << 20)]) {
    const bench = new Bench()
    const whole = async (_, { body }) => (assert.equal(body, long), answer())
    await (await wrapFetch(whole, { recorder: bench.recorder })(given.url, { method: 'POST', body: long })).text()
    assert.equal((await bench.record()).outcome, 'success')
  }
})

test('a body can be read with buffers of the reader, and its stream is not read ahead', async () => {
  const { bench, fetch, url } = begin()
  const { body } = await fetch(url, chat)
  const reader = body.getReader({ mode: 'byob' })
  let length = 0
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(16))
    if (done) break
    length += value.length
  }
  assert.ok(length > 0)
  assert.equal((await bench.record()).outcome, 'success')

  let pulled = 0
  const source = () => new Response(new ReadableStream({ pull: controller => controller.enqueue(new Uint8Array(8).fill((pulled += 1))) }, { highWaterMark: 0 }))
  const slow = (await wrapFetch(async () => source(), { recorder: bench.recorder })(url, chat)).body.getReader()
  await slow.read()
  await slow.read()
  assert.equal(pulled, 2)
  await slow.cancel()
})

test('instrument sees the global fetch, once, and can be undone', async () => {
  const { bench, url } = begin()
  instrument({ recorder: bench.recorder })
  instrument({ recorder: bench.recorder })
  assert.ok(isInstrumented())
  const around = (...request) => globalThis.fetch(...request)
  await (await wrapFetch(around, { recorder: bench.recorder })(url, chat)).text()
  assert.equal((await bench.records(1)).length, 1)
  uninstrument()
  assert.ok(!isInstrumented() && globalThis.fetch === plainFetch)
  await (await seenFetch(url, chat)).text()
  assert.equal((await bench.records(1)).length, 1)
})

test('the heap stays flat over many chunks', async () => {
  const { bench, url } = begin()
  const event = new TextEncoder().encode('data: {"choices":[{"index":0,"delta":{"content":"hello"}}]}\n\n')
  const most = 60_000
  let sent = 0
  const source = new ReadableStream({ type: 'bytes', pull: controller => ((sent += 1) <= most ? controller.enqueue(new Uint8Array(event)) : controller.close()) })
  const response = await wrapFetch(async () => new Response(source), { recorder: bench.recorder })(url, chat)
  const sizes = []
  for await (const _ of response.body) {
    if (sent % 20_000 === 0 || sent === 1000) {
      globalThis.gc()
      const { heapUsed, external } = process.memoryUsage()
      sizes.push(heapUsed + external)
    }
  }
  // What is being compiled or read at the moment comes and goes; what is kept stays.
  assert.ok(Math.min(...sizes.slice(-2)) - sizes[0] < 500_000, String(sizes))
  assert.equal((await bench.record()).content.visible_chunks, most)
})
