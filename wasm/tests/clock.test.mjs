// Clocks as browsers and edge runtimes have them.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Call } from 'llmspan-wasm'
import { Bench } from './server.mjs'

const chunk = content => ({ choices: [{ index: 0, delta: { content } }] })

function stream(recorder, pause) {
  const call = new Call('chat', { recorder, stream: true })
  const attempt = call.attempt()
  for (const content of ['a', 'b', 'c']) {
    pause()
    attempt.payload('openai.chat', chunk(content))
  }
  attempt.streamEnded()
  call.end()
}

test('a clock that stands still is said to, and gives no rates', async () => {
  const bench = new Bench({ clock: () => 1000, wallClock: null })
  stream(bench.recorder, () => undefined)
  const record = await bench.record()
  assert.equal(record.diagnostics.clock.frozen, true)
  assert.equal(record.diagnostics.clock.resolution_ns, undefined)
  assert.equal(record.output_tokens_per_second, undefined)
  assert.ok(record.explain().some(line => /clock/.test(line)), record.explain().join('\n'))
})

test('a coarse clock tells its resolution', async () => {
  let ms = 0
  // As browsers do it: 0.1 ms apart from each other's sites.
  const bench = new Bench({ clock: () => Math.floor(ms * 10) / 10, wallClock: null })
  stream(bench.recorder, () => (ms += 0.25))
  const { diagnostics } = await bench.record()
  assert.deepEqual(diagnostics.clock, { frozen: false, resolution_ns: 200_000 })
})

test('a monotonic clock that counts from 1970 loses nothing, as in Workers', async () => {
  let ms = 1_800_000_000_000
  const bench = new Bench({ clock: () => ms, wallClock: null })
  const call = new Call('chat', { recorder: bench.recorder, stream: true })
  const attempt = call.attempt()
  ms += 100
  attempt.bytes('openai.chat', new TextEncoder().encode(`data: ${JSON.stringify(chunk('a'))}\n\n`))
  ms += 50
  attempt.payload('openai.chat', chunk('b'))
  ms += 25
  call.end()
  const record = await bench.record()
  // A double holds such times to a quarter of a microsecond.
  assert.ok(Math.abs(record.duration_ns - 175_000_000) < 500, `${record.duration_ns}`)
  assert.ok(Math.abs(record.ttft_ns - 100_000_000) < 500, `${record.ttft_ns}`)
  assert.equal(record.diagnostics.clock_regressions, 0)
})
