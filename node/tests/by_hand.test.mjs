import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import test from 'node:test'
import { Call, configure, LlmspanError, Memory, profiles, protocols, Record, Recorder, replay } from 'llmspan'
import { Bench, collect } from './server.mjs'

/** A clock that stands still until it is told otherwise. */
function manual() {
  const clock = () => clock.ms
  clock.ms = 0
  return clock
}

test('a call told by hand has the times that it was told', async () => {
  const bench = new Bench({ clock: manual(), wallClock: null })
  const call = new Call('chat', { provider: 'openai', model: 'm', stream: true, recorder: bench.recorder, atMs: 0 })
  const phase = call.phase('prompt.build', { atMs: 0 })
  phase.end({ atMs: 10 })
  const first = call.attempt({ atMs: 10 })
  first.fail(undefined, { statusCode: 429, retryAfterMs: 500, atMs: 60 })
  call.retry({ delayMs: 500, reason: 'rate_limit', serverRequested: true, atMs: 60 })
  const second = call.attempt({ atMs: 560 })
  assert.equal(second.number, 2)
  second.chunk('text', { bytes: 5, atMs: 760 })
  second.chunk('text', { bytes: 5, atMs: 960 })
  second.usage({ inputTokens: 7, outputTokens: 20 }, { atMs: 960 })
  second.chunk('none', { finishReasons: ['stop'], terminal: true, atMs: 1060 })
  call.end({ atMs: 1060 })
  const record = await bench.record()
  assert.equal(record.outcome, 'success')
  assert.equal(record.duration_ns, 1_060_000_000)
  assert.equal(record.ttft_ns, 200_000_000)
  assert.equal(record.request_setup_ns, 560_000_000)
  assert.equal(record.retry_actual_delay_ns, 500_000_000)
  assert.deepEqual(record.waits.map(wait => wait.reason), ['rate_limit'])
  assert.deepEqual(record.phases.map(({ name, duration_ns }) => [name, duration_ns]), [['prompt.build', 10_000_000]])
  assert.equal(record.usage.output_tokens, 20)
  assert.equal(record.start_unix_ns, undefined)
  assert.equal(record.attributes('otel-1.41')['gen_ai.usage.output_tokens'], 20)
  assert.deepEqual(JSON.parse(JSON.stringify(record)), JSON.parse(record.stringify()))
  assert.equal(Record.fromJSON(record.stringify()).stringify(), record.stringify())
  assert.ok(record.explain().length > 0)
  assert.match(record.waterfallText({ width: 60, ascii: true }), /attempt 2/)
  assert.match(record.waterfallHtml(), /^<figure/)
})

test('a wall-clock anchor is that of the platform', async () => {
  const bench = new Bench()
  const before = Date.now()
  new Call('chat', { recorder: bench.recorder }).end()
  const start = Number(BigInt((await bench.record()).start_unix_ns) / 1_000_000n)
  // The clocks of the platform may differ by their steps.
  assert.ok(Math.abs(start - before) < 1000, `${start - before} ms`)
})

test('an event that cannot be read is left out and counted', async t => {
  const warned = t.mock.method(console, 'warn', () => undefined)
  const bench = new Bench()
  const call = new Call('chat', { recorder: bench.recorder, request: { maxTokens: 'many' } })
  call.retry({ reason: 'no such reason' })
  call.payload('no such protocol', {})
  const loop = {}
  loop.self = loop
  call.payload('openai.chat', loop)
  call.end({ statusCode: 'x' })
  assert.equal((await bench.record()).outcome, 'success')
  assert.equal(bench.recorder.stats.invalidEvents, 5)
  assert.equal(warned.mock.callCount(), 1)
})

test('errors carry the codes of the engine', () => {
  const code = run => {
    try {
      run()
    } catch (error) {
      assert.ok(error instanceof LlmspanError)
      return error.code
    }
    return undefined
  }
  assert.equal(code(() => new Recorder({ config: { stall_after_ns: 'x' } })), 'invalid_config')
  assert.equal(code(() => new Recorder({ profiles: ['none'] })), 'unknown_profile')
  assert.equal(code(() => Record.fromJSON('{')), 'invalid_record')
  assert.equal(code(() => replay('{}')), 'invalid_event')
})

test('run ends the call with what the function does', async () => {
  const bench = new Bench()
  const { recorder } = bench
  assert.equal(new Call('chat', { recorder }).run(() => 1), 1)
  assert.equal(await new Call('chat', { recorder }).run(async () => 2), 2)
  await assert.rejects(new Call('chat', { recorder }).run(() => Promise.reject(Object.assign(new Error('x'), { status: 503 }))))
  assert.throws(() => new Call('chat', { recorder }).run(() => { throw new DOMException('gone', 'AbortError') }))
  const [one, two, failed, aborted] = await bench.records(4)
  assert.deepEqual([one, two, failed, aborted].map(record => record.outcome), ['success', 'success', 'error', 'cancelled'])
  assert.equal(failed.error.status_code, 503)
})

test('a call that is garbage is finalized once', async () => {
  const bench = new Bench()
  ;(() => void new Call('chat', { recorder: bench.recorder }))()
  await collect(() => bench.recorder.stats.records > 0)
  assert.equal((await bench.record()).outcome, 'abandoned')
})

test('a queue that is full drops and counts; a sink that throws is counted', async t => {
  t.mock.method(console, 'warn', () => undefined)
  const recorder = new Recorder({ queueSize: 2, onRecord: () => { throw new Error('x') } })
  for (let made = 0; made < 5; made += 1) new Call('chat', { recorder }).end()
  await recorder.flush()
  assert.deepEqual(recorder.stats, { openCalls: 0, records: 5, dropped: 3, sinkErrors: 2, invalidEvents: 0 })
})

test('close abandons open calls, and configure closes the recorder before it', async () => {
  const memory = new Memory()
  configure({ sinks: [memory] })
  const call = new Call('chat')
  configure()
  assert.equal(call.isOpen, false)
  assert.deepEqual(memory.records.map(record => record.outcome), ['abandoned'])
  call.end()
})

test('a deadline ends a call by itself', async () => {
  const bench = new Bench({ config: { deadline_ns: 1_000_000 } })
  new Call('chat', { recorder: bench.recorder })
  const record = await bench.record()
  assert.equal(record.outcome, 'timed_out')
  assert.equal(record.duration_ns, 1_000_000)
  await bench.recorder.close()
})

test('chunks and events of any size are read whole', async () => {
  const bench = new Bench()
  const call = new Call('chat', { stream: true, recorder: bench.recorder })
  const attempt = call.attempt()
  // Letters of two bytes; what is long makes room in the engine, and what is short comes after it.
  const lengths = [3, 200_000, 5, 30_000, 400_000, 1]
  for (const length of lengths) {
    const event = { choices: [{ index: 0, delta: { content: 'é'.repeat(length) } }] }
    attempt.payload('openai.chat', event)
    attempt.bytes('openai.chat', new TextEncoder().encode(`data: ${JSON.stringify(event)}\n\n`))
  }
  call.end()
  const { content } = await bench.record()
  assert.equal(content.visible_chunks, 2 * lengths.length)
  assert.equal(content.text_bytes, 2 * 2 * lengths.reduce((sum, length) => sum + length))
})

test('heads of responses: headers in every form, and what cannot be read', async t => {
  t.mock.method(console, 'warn', () => undefined)
  const bench = new Bench()
  for (const headers of [new Headers({ 'x-request-id': 'r 1' }), [['x-request-id', 'r 1']], { 'x-request-id': 'r 1' }, { 'x-request-id': 'r\n1' }]) {
    const call = new Call('chat', { recorder: bench.recorder })
    assert.equal(call.attempt().headers(429, headers), undefined)
    call.end()
    assert.deepEqual([call.record.attempts[0].request_id, call.record.attempts[0].status_code], ['r 1', 429])
  }
  const call = new Call('chat', { recorder: bench.recorder })
  const attempt = call.attempt()
  assert.equal(attempt.headers(429, { 'retry-after': '2' }), 2000)
  for (const [status, headers] of [[70_000, {}], [-1, {}], [200.5, {}], [200, { a: 5 }], [200, [['a', null]]], [200, [['a']]]]) attempt.headers(status, headers)
  assert.equal(bench.recorder.stats.invalidEvents, 6)
  call.end()
})

test('the types of a record name the fields that the engine has', async () => {
  const [record] = replay('{"at_ns": 0, "event": "call_started"}')
  const types = readFileSync(new URL('../../js/record-data.d.ts', import.meta.resolve('llmspan')), 'utf8')
  const body = /interface RecordData \{([^]*?)\n\}/.exec(types)[1]
  const typed = [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(match => match[1]).filter(name => name !== 'attributes')
  const getters = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(record))).filter(([, { get }]) => get)
  const fields = getters.map(([name]) => name).filter(name => !['data', 'callerAttributes'].includes(name))
  assert.ok(typed.length > 50)
  assert.deepEqual(typed.sort(), fields.sort())
})

test('copies loaded with import and with require share their state', async () => {
  const required = createRequire(import.meta.url)('llmspan')
  const memory = new Memory()
  configure({ sinks: [memory] })
  new required.Call('chat', { model: 'm' }).end()
  await required.flush()
  assert.equal(memory.records[0].model, 'm')
  assert.ok(protocols().includes('openai.chat') && profiles().includes('otel-1.41'))
})
