import assert from 'node:assert/strict'
import test from 'node:test'
import { Call, LlmspanError, observe } from 'llmspan'
import { Bench, collect } from './server.mjs'

const piece = (content, more = {}) => ({ id: 'c1', object: 'chat.completion.chunk', model: 'm-1', choices: [{ index: 0, delta: { content }, ...more }] })
const CHUNKS = [piece('Hel'), piece('lo'), piece('', { finish_reason: 'stop' }), { object: 'chat.completion.chunk', choices: [], usage: { prompt_tokens: 3, completion_tokens: 20 } }]

async function* stream(chunks = CHUNKS, error) {
  yield* chunks
  if (error) throw error
}

async function read(chunks) {
  const all = []
  for await (const chunk of chunks) all.push(chunk)
  return all
}

test('objects of an SDK are passed on as they are, and read', async () => {
  const bench = new Bench()
  const all = await read(observe(stream(), { provider: 'openai', model: 'm', recorder: bench.recorder }))
  assert.ok(all.every((chunk, at) => chunk === CHUNKS[at]) && all.length === CHUNKS.length)
  const record = await bench.record()
  assert.equal(record.outcome, 'success')
  assert.equal(record.content.text_bytes, 5)
  assert.equal(record.usage.output_tokens, 20)
  assert.deepEqual(record.finish_reasons, ['stop'])
  assert.equal(record.response_model, 'm-1')
})

test('parts of the full stream of the Vercel AI SDK are read', async () => {
  const bench = new Bench()
  const parts = [
    { type: 'start' },
    { type: 'text-start', id: '0' },
    { type: 'text-delta', id: '0', text: 'Hello' },
    { type: 'text-end', id: '0' },
    { type: 'finish', finishReason: 'stop', totalUsage: { inputTokens: 3, outputTokens: 20, totalTokens: 23 } },
  ]
  await read(observe(stream(parts), { protocol: 'vercel.ui_message', recorder: bench.recorder }))
  const record = await bench.record()
  assert.equal(record.outcome, 'success')
  assert.equal(record.content.text_bytes, 5)
  assert.equal(record.usage.output_tokens, 20)
})

test('a break reaches the stream and ends the call as interrupted, once', async () => {
  const bench = new Bench()
  let isClosed = false
  async function* endless() {
    try {
      for (;;) yield piece('x')
    } finally {
      isClosed = true
    }
  }
  for await (const _ of observe(endless(), { recorder: bench.recorder })) break
  assert.ok(isClosed)
  assert.equal((await bench.record()).outcome, 'interrupted')
  assert.equal(bench.recorder.stats.records, 1)
})

test('an exception reaches the application as it is and ends the call', async () => {
  const bench = new Bench()
  const error = Object.assign(new Error('overloaded'), { status: 529 })
  await assert.rejects(read(observe(stream([piece('x')], error), { recorder: bench.recorder })), thrown => thrown === error)
  const record = await bench.record()
  assert.deepEqual([record.outcome, record.error.status_code], ['error', 529])
})

test('an abort ends the call as cancelled, also where an SDK keeps it to itself', async () => {
  const bench = new Bench()
  const controller = new AbortController()
  const sdk = { controller, [Symbol.asyncIterator]: () => stream([piece('x')]) }
  for await (const _ of observe(sdk, { recorder: bench.recorder })) controller.abort()
  assert.equal((await bench.record()).outcome, 'cancelled')
})

test('what comes back has the properties and methods of the stream', async () => {
  class Sdk {
    #secret = 42
    response = 'r'
    secret() {
      return this.#secret
    }
    [Symbol.asyncIterator]() {
      return stream()
    }
  }
  const bench = new Bench()
  const seen = observe(new Sdk(), { recorder: bench.recorder })
  assert.ok(seen instanceof Sdk)
  assert.deepEqual([seen.response, seen.secret()], ['r', 42])
  await read(seen)
  assert.equal((await bench.record()).outcome, 'success')
})

test('an iterator used by hand: next, throw and return', async () => {
  const bench = new Bench()
  const seen = observe(stream(), { recorder: bench.recorder })
  assert.equal((await seen.next()).value, CHUNKS[0])
  await seen.return()
  assert.equal((await seen.next()).done, true)
  const thrown = observe(stream(), { recorder: bench.recorder })
  await thrown.next()
  await assert.rejects(thrown.throw(new Error('x')))
  const records = await bench.records(2)
  assert.deepEqual(records.map(record => record.outcome), ['interrupted', 'error'])
})

test('a stream that nobody reads ends when it is garbage', async () => {
  const bench = new Bench()
  ;(() => void observe(stream(), { recorder: bench.recorder }))()
  await collect(() => bench.recorder.stats.records > 0)
  assert.equal((await bench.record()).outcome, 'interrupted')
})

test('streams of bytes, in a ReadableStream or a Response, are passed on unchanged', async () => {
  const text = CHUNKS.map(chunk => `data: ${JSON.stringify(chunk)}\n\n`).join('') + 'data: [DONE]\n\n'
  const bytes = () => new Blob([text]).stream()
  for (const make of [bytes, () => new Response(bytes(), { headers: { 'content-type': 'text/event-stream' } })]) {
    const bench = new Bench()
    const seen = observe(make(), { protocol: 'openai.chat', recorder: bench.recorder })
    assert.equal(await new Response(seen.body ?? seen).text(), text)
    const record = await bench.record()
    assert.deepEqual([record.outcome, record.usage.output_tokens], ['success', 20])
  }
})

test('a stream belongs to the call that it is told, which goes on', async () => {
  const bench = new Bench()
  const call = new Call('chat', { recorder: bench.recorder })
  await call.run(async () => {
    await read(observe(stream(), { call }))
    assert.ok(call.isOpen)
    await read(observe(stream(), { attempt: call.attempt() }))
  })
  const record = await bench.record()
  assert.deepEqual([record.outcome, record.attempt_count], ['success', 2])
})

test('events that cross together have their own times', async () => {
  const clock = () => clock.ms
  clock.ms = 0
  const bench = new Bench({ clock, wallClock: null })
  const seen = observe(stream(), { protocol: 'openai.chat', recorder: bench.recorder })
  for await (const _ of seen) clock.ms += 100
  const record = await bench.record()
  assert.equal(record.marks.first_content_ns, 0)
  assert.equal(record.marks.last_content_ns, 100_000_000)
  assert.equal(record.marks.last_chunk_ns, 300_000_000)
})

test('a protocol that does not exist is an error', () => {
  assert.throws(() => observe(stream(), { protocol: 'none' }), error => error instanceof LlmspanError && error.code === 'unknown_protocol')
})
