// A trap turns the engine off; the application goes on.
import assert from 'node:assert/strict'
import test from 'node:test'
import { entered, trapping } from './module.mjs'
import { answer, Bench, chat, objects, read, text, url } from './server.mjs'

const { Call, configure, hookErrors, LlmspanError, Memory, observe, otlpTraces, Record, Recorder, replay, wrapFetch } = await import('llmspan-wasm')

test('after a trap nothing throws, nothing enters the module, and one warning says so', async t => {
  const warned = t.mock.method(console, 'warn', () => undefined)
  const bench = new Bench()
  const { recorder } = bench
  const fetch = wrapFetch(answer, { recorder })
  new Call('chat', { recorder, model: 'before' }).end()
  const record = await bench.record()
  const open = [1, 2, 3].map(() => new Call('chat', { recorder }))
  const seen = await fetch(url, chat)

  trapping.add('call_bare')
  open[0].attempt()
  assert.equal(open[0].isOpen, false)
  trapping.clear()

  // What was open when it happened.
  assert.equal(await seen.text(), text)
  open[1].chunk('text', { bytes: 1 })
  open[1].end()
  open[2].dropped()
  assert.deepEqual(open.map(call => call.isOpen), [false, false, false])
  // What begins after it.
  assert.equal(await (await fetch(url, chat)).text(), text)
  assert.equal(await (await wrapFetch(answer)(url, chat)).text(), text)
  assert.deepEqual(await read(observe(objects(), { recorder })), await read(objects()))
  const call = new Call('chat', { recorder })
  assert.equal(await call.run(async () => 5), 5)
  call.attempt().headers(200, { 'retry-after': '1' })
  call.payload('openai.chat', {})
  call.bytes('openai.chat', new Uint8Array(3))
  assert.equal(call.isOpen, false)
  const memory = new Memory()
  const later = configure({ sinks: [memory], config: { deadline_ns: 1 } })
  new Call('chat').end()
  assert.equal(await later.flush(), true)
  recorder.tick()
  await recorder.close()

  assert.deepEqual([recorder.stats.openCalls, recorder.stats.records, memory.records.length], [0, 1, 0])
  assert.equal(record.outcome, 'success')
  assert.equal(JSON.parse(JSON.stringify(record)).model, 'before')
  for (const ask of [() => record.explain(), () => replay(''), () => Record.fromJSON('{}'), () => otlpTraces([record])]) {
    assert.throws(ask, error => error instanceof LlmspanError && error.code === 'unavailable')
  }
  globalThis.gc()
  await new Promise(resolve => setTimeout(resolve, 20))
  assert.equal(entered.afterTrap, 0)
  assert.equal(hookErrors(), 0)
  assert.equal(warned.mock.callCount(), 1)
  assert.match(warned.mock.calls[0].arguments[0], /broke down/)
})

test('a configuration that is wrong is no breakdown', () => {
  // The engine is off here: it cannot tell, and says nothing.
  assert.equal(new Recorder({ config: { stall_after_ns: 'x' } }).stats.openCalls, 0)
})
