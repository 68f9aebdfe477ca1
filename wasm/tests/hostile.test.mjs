/** Whatever a server or a file says, the module does not trap: after a trap it would record nothing more. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { Call, LlmspanError, Record, Recorder, detect, protocols, replay } from 'llmspan-wasm'

const TURNS = 12

/** Lines of all events of all vectors. */
const lines = [...files(process.env.LLMSPAN_VECTORS)].flatMap(file => JSON.parse(readFileSync(file, 'utf8')).steps ?? [])

test('responses of every kind, broken in every way, of every protocol', async () => {
  const bodies = lines.filter(({ event }) => event === 'bytes').map(step => bytesOf(step))
  const payloads = lines.filter(({ event }) => event === 'payload').map(({ data }) => JSON.stringify(data))
  assert.ok(bodies.length > 100 && payloads.length > 20, `${bodies.length} bodies, ${payloads.length} payloads`)
  const random = generator(1)
  const recorder = new Recorder({ onRecord: () => undefined })
  let calls = 0
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const body of bodies) {
      const protocol = protocols()[random(protocols().length)]
      const call = new Call('chat', { stream: true, recorder })
      const attempt = call.attempt()
      for (const piece of pieces(broken(body, random), random)) attempt.bytes(protocol, piece)
      if (payloads.length > 0) attempt.payload(protocol, textOf(broken(Buffer.from(payloads[random(payloads.length)]), random)))
      detect('http://127.0.0.1/v1', {}, broken(body, random))
      attempt.streamEnded()
      call.end()
      calls += 1
    }
  }
  assert.ok(await recorder.flush())
  assert.equal(recorder.stats.records, calls)
  works()
})

test('logs and records, broken in every way', () => {
  const random = generator(2)
  let refused = 0
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const line of lines) {
      const text = textOf(broken(Buffer.from(JSON.stringify(line)), random))
      for (const read of [() => replay(text), () => Record.fromJSON(text)]) {
        try {
          read()
        } catch (error) {
          assert.ok(error instanceof LlmspanError && error.code !== 'unavailable', String(error))
          refused += 1
        }
      }
    }
  }
  assert.ok(refused > 1000, `${refused}`)
  works()
})

/** The module still gives what it gave before. */
function works() {
  const log = [
    { at_ns: 0, event: 'call_started', operation: 'chat', stream: true },
    { at_ns: 0, event: 'attempt_started' },
    { at_ns: 200, event: 'chunk', content: 'text', terminal: true },
    { at_ns: 200, event: 'call_ended' },
  ]
  const [record] = replay(log.map(event => JSON.stringify(event)).join('\n'))
  assert.deepEqual([record.outcome, record.ttft_ns], ['success', 200])
}

/** Some bytes changed, cut, doubled or put in. */
function broken(bytes, random) {
  const out = [...bytes]
  for (let change = random(4); change > 0 && out.length > 0; change -= 1) {
    const at = random(out.length)
    const how = random(5)
    if (how === 0) out[at] = random(256)
    else if (how === 1) out[at] ^= 1 << random(8)
    else if (how === 2) out.splice(at)
    else if (how === 3) out.splice(at, 0, ...out.slice(at, at + random(64)))
    else out.splice(at, random(8), ...ODD[random(ODD.length)])
  }
  return Uint8Array.from(out)
}

function* pieces(bytes, random) {
  for (let from = 0; from < bytes.length; ) {
    const length = 1 + random(bytes.length)
    yield bytes.subarray(from, from + length)
    from += length
  }
}

function* files(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) yield* files(path)
    else if (name.endsWith('.json')) yield path
  }
}

function bytesOf({ utf8, base64 }) {
  return utf8 === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(utf8)
}

function textOf(bytes) {
  return Buffer.from(bytes).toString('utf8')
}

/** Numbers below a bound, the same in every run (mulberry32). */
function generator(seed) {
  let state = seed
  return bound => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }
}

const ODD = ['-1', '1e999', '18446744073709551616', '[[[[[[[[', '\ufeff', '\u0000', '"\\ud800"', 'null', '{}'].map(text => Buffer.from(text))
