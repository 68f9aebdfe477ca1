// What goes wrong in telemetry stays there.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Call, hookErrors, observe, Recorder, wrapFetch } from 'llmspan'
import { answer, Bench, chat, objects, read, text, url } from './server.mjs'

for (const [what, owner, method] of [
  ['a call that cannot begin', Call.prototype, 'attempt'],
  ['an end that fails', Call.prototype, 'end'],
  ['a recorder that fails', Recorder.prototype, 'opened'],
]) {
  test(`${what} changes nothing for the application`, async t => {
    const warned = t.mock.method(console, 'warn', () => undefined)
    const before = hookErrors()
    const bench = new Bench()
    t.mock.method(owner, method, () => {
      throw new Error('a bug')
    })
    assert.equal(await (await wrapFetch(answer, { recorder: bench.recorder })(url, chat)).text(), text)
    assert.deepEqual(await read(observe(objects(), { recorder: bench.recorder })), await read(objects()))
    assert.ok(hookErrors() >= before + 2)
    assert.ok(warned.mock.callCount() <= 1)
  })
}

test('a clock that throws costs times, not calls', async () => {
  const clock = () => {
    throw new Error('no time')
  }
  const bench = new Bench({ clock, wallClock: clock })
  assert.equal(await (await wrapFetch(answer, { recorder: bench.recorder })(url, chat)).text(), text)
  const record = await bench.record()
  assert.deepEqual([record.outcome, record.duration_ns, record.start_unix_ns], ['success', 0, undefined])
})

test('objects that cannot be read are passed on', async t => {
  t.mock.method(console, 'warn', () => undefined)
  const bench = new Bench()
  const loop = { choices: [] }
  loop.self = loop
  const hostile = new Proxy({}, { ownKeys: () => { throw new Error('mine') } })
  const given = [loop, hostile, 10n, null, undefined, Symbol('s'), () => 1]
  async function* stream() {
    yield* given
  }
  const got = await read(observe(stream(), { protocol: 'openai.chat', recorder: bench.recorder }))
  assert.ok(got.every((chunk, at) => chunk === given[at]) && got.length === given.length)
  assert.equal(bench.recorder.stats.invalidEvents, 3)
  assert.equal((await bench.records(1)).length, 1)
})

test('many calls leave nothing behind', async () => {
  const bench = new Bench({ sinks: [() => undefined] })
  const fetch = wrapFetch(answer, { recorder: bench.recorder })
  const sizes = []
  for (let made = 1; made <= 8000; made += 1) {
    await (await fetch(url, chat)).text()
    if (made % 2000 === 0) {
      await bench.recorder.flush()
      globalThis.gc()
      await new Promise(resolve => setTimeout(resolve, 50))
      globalThis.gc()
      const { heapUsed, external } = process.memoryUsage()
      sizes.push(heapUsed + external)
    }
  }
  assert.equal(bench.recorder.stats.openCalls, 0)
  assert.equal(bench.recorder.stats.records, 8000)
  // The first thousands warm up what runs: caches, compiled code, the memory of a module.
  assert.ok(sizes[3] - sizes[1] < 400_000, String(sizes))
})
