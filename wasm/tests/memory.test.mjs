// Nothing of a finished call stays in the memory of the module.
import assert from 'node:assert/strict'
import test from 'node:test'
import { instances } from './module.mjs'
import { answer, chat, url } from './server.mjs'

const { Call, chromeTrace, observe, otlpTraces, Recorder, wrapFetch } = await import('llmspan-wasm')
const [{ exports: { memory } }] = instances

/** The room between what is kept of the last calls moves with the collector: some pages of 64 KiB, where an open call takes 2 KB. */
const PAGES = 4

function assertSettled(before) {
  const grown = (memory.buffer.byteLength - before) / 65_536
  assert.ok(grown <= PAGES, `${grown} pages more`)
}

test('100,000 calls in a row, without garbage collection in between', () => {
  const recorder = new Recorder({ queueSize: 10, onRecord: () => undefined })
  const run = count => {
    for (let made = 0; made < count; made += 1) {
      const call = new Call('chat', { recorder, provider: 'openai', model: 'm', stream: true, attributes: { task_id: '7' } })
      const attempt = call.attempt()
      attempt.headers(200, { 'x-request-id': 'r1' })
      attempt.payload('openai.chat', { choices: [{ index: 0, delta: { content: 'hi' }, finish_reason: 'stop' }] })
      call.end()
    }
  }
  run(1000)
  const before = memory.buffer.byteLength
  run(100_000)
  assert.equal(recorder.stats.records, 101_000)
  assert.equal(memory.buffer.byteLength, before)
})

test('requests at the wire, failures among them', async () => {
  const recorder = new Recorder({ onRecord: () => undefined })
  let sent = 0
  const fetch = wrapFetch(async () => ((sent += 1) % 3 === 0 ? new Response('{}', { status: 503 }) : answer()), { recorder })
  const run = async count => {
    for (let made = 0; made < count; made += 1) await (await fetch(url, chat)).text()
    await recorder.flush()
  }
  // What is kept of the last ones, and room between, settles first.
  await run(6000)
  const before = memory.buffer.byteLength
  await run(12_000)
  assertSettled(before)
})

test('records that are read, and written for others', async () => {
  const records = []
  const recorder = new Recorder({ onRecord: record => records.push(record) })
  for (let made = 0; made < 50; made += 1) new Call('chat', { recorder, model: 'm' }).end()
  await recorder.flush()
  const run = count => {
    for (let done = 0; done < count; done += 1) {
      otlpTraces(records)
      chromeTrace(records)
      for (const record of records) {
        record.explain()
        record.attributes()
        record.waterfallText()
      }
    }
  }
  run(5)
  const before = memory.buffer.byteLength
  run(40)
  assert.equal(memory.buffer.byteLength, before)
})

test('streams that nobody reads, once they are garbage', async () => {
  const recorder = new Recorder({ onRecord: () => undefined })
  const run = async (count, until) => {
    for (let made = 0; made < count; made += 1) observe(objects(), { recorder }).next()
    const deadline = Date.now() + 5000
    while (recorder.stats.records < until && Date.now() < deadline) {
      globalThis.gc()
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    assert.equal(recorder.stats.records, until)
  }
  async function* objects() {
    yield { choices: [{ index: 0, delta: { content: 'hi' } }] }
    yield { choices: [] }
  }
  await run(500, 500)
  await run(500, 1000)
  const before = memory.buffer.byteLength
  for (let round = 2; round <= 7; round += 1) await run(500, 500 + round * 500)
  assertSettled(before)
})
