// What a sink does harms neither the application nor the other sinks, and what is lost is counted.
import assert from 'node:assert/strict'
import fs, { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { Call, ChromeTrace, JsonLines, Memory, Recorder } from 'llmspan'
import { collect } from './server.mjs'

const folder = mkdtempSync(join(tmpdir(), 'llmspan-'))
after(() => rmSync(folder, { recursive: true }))

function end(recorder, count) {
  for (let made = 0; made < count; made += 1) new Call('chat', { model: 'm', recorder }).end()
}

function quiet(t) {
  return t.mock.method(console, 'warn', () => undefined)
}

/** Has the system write as `write` does, until it is told otherwise. */
function disk(t, write) {
  const mocked = t.mock.method(fs, 'write', write)
  syncBuiltinESMExports()
  const restore = () => {
    mocked.mock.restore()
    syncBuiltinESMExports()
  }
  t.after(restore)
  return { mock: mocked.mock, restore }
}

const never = new Promise(() => undefined)

/** Uses up time, as a sink that is slow does. */
function burn(millis) {
  const until = performance.now() + millis
  while (performance.now() < until);
}

test('a sink that is slow lets the application run between its records', async () => {
  let taken = 0
  const recorder = new Recorder({ onRecord: () => void (burn(3), (taken += 1)) })
  end(recorder, 100)
  let turns = 0
  const deadline = performance.now() + 10_000
  while (taken < 100 && performance.now() < deadline) {
    await new Promise(resolve => setImmediate(resolve))
    turns += 1
  }
  assert.equal(taken, 100)
  // Five milliseconds at a time: two records.
  assert.ok(turns >= 40, `${turns} turns`)
})

test('a flush of a sink that is slow is no longer than it may be, and lets the application run', async () => {
  const recorder = new Recorder({ onRecord: () => burn(5) })
  end(recorder, 1000)
  let ticks = 0
  const ticking = setInterval(() => (ticks += 1), 1)
  assert.equal(await recorder.flush(100), false)
  clearInterval(ticking)
  assert.ok(ticks > 0)
  const before = performance.now()
  await recorder.close(50)
  assert.ok(performance.now() - before < 2000)
  assert.ok(recorder.stats.dropped > 500)
})

test('a sink that hangs does not hold up others, a flush or a close', async () => {
  const memory = new Memory()
  let flushes = 0
  const hanging = { record: () => never, flush: () => ((flushes += 1), never), close: () => never }
  const recorder = new Recorder({ sinks: [hanging, memory] })
  end(recorder, 3)
  assert.equal(await recorder.flush(50), false)
  assert.equal(memory.records.length, 3)
  await recorder.close(50)
  assert.ok(flushes >= 2)
})

test('a sink that throws is counted, whatever of it throws, and others get all records', async t => {
  const warned = quiet(t)
  const memory = new Memory()
  const broken = {
    record: () => { throw new Error('x') },
    flush: () => Promise.reject(new Error('x')),
    close: () => { throw new Error('x') },
  }
  const recorder = new Recorder({ sinks: [broken, memory] })
  end(recorder, 2)
  assert.equal(await recorder.flush(), true)
  await recorder.close()
  assert.equal(memory.records.length, 2)
  // Two records, the flush, and that of the close, after which it is not closed.
  assert.equal(recorder.stats.sinkErrors, 4)
  assert.equal(warned.mock.callCount(), 1)
})

test('a flush waits for the promises of a callback; those that never end are bounded', async t => {
  quiet(t)
  let saved = 0
  const saving = new Recorder({
    onRecord: async () => {
      await new Promise(resolve => setTimeout(resolve, 20))
      saved += 1
    },
  })
  end(saving, 5)
  assert.equal(await saving.flush(), true)
  assert.equal(saved, 5)
  let begun = 0
  const hanging = new Recorder({ onRecord: () => ((begun += 1), new Promise(() => undefined)) })
  end(hanging, 1500)
  assert.equal(await hanging.flush(500), false)
  assert.deepEqual([begun, hanging.stats.sinkErrors], [1000, 500])
})

test('a platform that stops work after a response waits for each call, its record and the sinks', async t => {
  quiet(t)
  const promised = []
  let flushed = 0
  const slow = { record: () => undefined, flush: () => new Promise(resolve => setTimeout(() => resolve((flushed += 1)), 30)) }
  const recorder = new Recorder({ sinks: [slow], waitUntil: work => promised.push(work) })
  const call = new Call('chat', { recorder })
  new Call('chat', { recorder }).end()
  assert.equal(promised.length, 2)
  await promised[1]
  assert.equal(flushed, 1)
  const first = await Promise.race([promised[0], new Promise(resolve => setTimeout(() => resolve('open'), 20))])
  assert.equal(first, 'open')
  call.end()
  await promised[0]
  assert.equal(flushed, 2)
  await recorder.close()
  // Recorders that are made for a request go away with it.
  let gone = 0
  const collected = new FinalizationRegistry(() => (gone += 1))
  for (let made = 0; made < 10; made += 1) {
    const works = []
    const ofRequest = new Recorder({ sinks: [slow], waitUntil: work => works.push(work) })
    collected.register(ofRequest)
    end(ofRequest, 1)
    await Promise.all(works)
  }
  await collect(() => gone >= 9)
  assert.ok(gone >= 9, `${gone} of 10`)
  // A platform that takes nothing any more harms nobody.
  const refusing = new Recorder({ sinks: [slow], waitUntil: () => { throw new Error('too late') } })
  end(refusing, 1)
  assert.equal(await refusing.flush(), true)
})

for (const [name, make] of [['lines of JSON', path => new JsonLines(path)], ['a trace', path => new ChromeTrace(path)]]) {
  test(`a disk that hangs costs no more than a bounded memory: ${name}`, async t => {
    quiet(t)
    const stuck = disk(t, () => undefined)
    const path = join(folder, `${name}.json`)
    const sink = make(path)
    const recorder = new Recorder({ sinks: [sink], queueSize: 1_000_000 })
    const long = { provider: 'p', model: 'm'.repeat(200), recorder, attributes: Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`key${at}`, 'v'.repeat(250)])) }
    // Each record is more than 10 KB, so that these are more than what may wait.
    for (let made = 0; made < 4000; made += 1) new Call('chat', long).end()
    assert.equal(await recorder.flush(5000), false)
    assert.ok(stuck.mock.callCount() > 0, 'the disk was not asked')
    const { written, dropped } = sink.stats
    assert.equal(written, 0)
    assert.ok(dropped > 0 && dropped < 4000, `${dropped} dropped`)
    await recorder.close(50)
  })
}

test('a write that fails is counted, and later records are written', async t => {
  quiet(t)
  const path = join(folder, 'full.jsonl')
  const sink = new JsonLines(path)
  const recorder = new Recorder({ sinks: [sink] })
  const full = disk(t, (_file, _data, done) => done(Object.assign(new Error('full'), { code: 'ENOSPC' })))
  end(recorder, 2)
  await recorder.flush()
  full.restore()
  end(recorder, 1)
  await recorder.close()
  assert.deepEqual(sink.stats, { written: 1, dropped: 2 })
  assert.equal(readFileSync(path, 'utf8').trimEnd().split('\n').length, 1)
  assert.equal(recorder.stats.sinkErrors, 1)
})
