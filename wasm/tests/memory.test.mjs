// Nothing of a finished call stays in the memory of the module.
import assert from 'node:assert/strict'
import test from 'node:test'
import { instances } from './module.mjs'
import { answer, chat, url } from './server.mjs'

const { Call, chromeTrace, observe, otlpTraces, Recorder, wrapFetch } = await import('llmspan-wasm')
const [{ exports: { memory } }] = instances

/**
 * Runs rounds until the memory has been the same for `rounds` of them. What is kept of the last calls and the room between
 * settles first, and with garbage collection that takes some rounds; memory that grows with the calls never settles.
 */
async function assertSettles(run, rounds) {
  const sizes = []
  const isSettled = () => sizes.length > rounds && new Set(sizes.slice(-rounds - 1)).size === 1
  while (!isSettled()) {
    assert.ok(sizes.length < 8 * rounds, `${sizes} bytes after rounds`)
    await run()
    sizes.push(memory.buffer.byteLength)
  }
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
  await assertSettles(async () => {
    for (let made = 0; made < 3000; made += 1) await (await fetch(url, chat)).text()
    await recorder.flush()
  }, 4)
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
  let until = 0
  const run = async () => {
    until += 500
    for (let made = 0; made < 500; made += 1) observe(objects(), { recorder }).next()
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
  await assertSettles(run, 6)
})
