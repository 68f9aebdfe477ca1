// The table of scenarios in tests/faults, played with `fetch`: tests/faults/README.md says how.
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { hookErrors, Memory, Recorder, wrapFetch } from 'llmspan'
import { serve } from './server.mjs'

/** The clock of the server's log, in milliseconds: times are compared as they are. */
const clock = () => Number(process.hrtime.bigint()) / 1e6
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const AT_ONCE = 8
/** A row that a busy machine was too late for may be played again, by itself. */
const TURNS = 3

let server, table
let runs = 0
const differences = new Map()

before(async () => {
  server = await serve()
  table = await (await fetch(`${server.address}/scenarios`)).json()
  const left = table.scenarios.values()
  const playSome = async () => {
    for (const row of left) differences.set(row.name, await judged(row))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, playSome))
  for (let turn = 1; turn < TURNS; turn += 1) {
    for (const row of table.scenarios) {
      if (differences.get(row.name).length > 0) differences.set(row.name, await judged(row))
    }
  }
})

after(() => server.stop())

test('every row of the table gives its record', () => {
  assert.ok(differences.size >= 60, `the table has ${differences.size} rows`)
  const all = [...differences].flatMap(([name, found]) => found.map(text => `${name}: ${text}`))
  assert.deepEqual(all, [])
  assert.equal(hookErrors(), 0)
})

test('wrong records are told', async () => {
  const row = table.scenarios.find(({ name }) => name === 'slow_stream')
  const { record, requests } = await play(row)
  const { marks } = record
  const wrongs = {
    'first token taken from the end': { marks: { ...marks, first_content_ns: marks.last_content_ns } },
    'first token taken from the start': { marks: { ...marks, first_content_ns: 0 } },
    'no first token': { ttft_ns: undefined },
    'a retry that never was': { attempt_count: 2 },
    'the finish reason lost': { finish_reasons: [] },
    'a call without a duration': { duration_ns: 0 },
  }
  for (const [what, wrong] of Object.entries(wrongs)) {
    assert.ok(judge(row, { ...record, ...wrong }, requests).length > 0, `not told: ${what}`)
  }
})

/** What is wrong with the record of a row, in words. */
async function judged(row) {
  try {
    const { record, requests } = await play(row)
    return judge(row, record, requests)
  } catch (error) {
    return [String(error?.stack ?? error)]
  }
}

async function play(row) {
  const memory = new Memory()
  const recorder = new Recorder({ sinks: [memory], clock, wallClock: clock, config: row.config ?? {} })
  const run = `${row.name}-${(runs += 1)}`
  const { stream, whole } = table.requests[row.request]
  await ask(row, row.stream ? stream : whole, `${server.address}/s/${row.faults}&run=${run}`, wrapFetch(fetch, { recorder }))
  // A call whose last attempt failed is open: another one could come.
  await recorder.close()
  const [record, ...more] = memory.records
  if (!record || more.length > 0) throw new Error(`${memory.records.length} records instead of one`)
  const { requests } = await (await fetch(`${server.address}/runs/${run}?wait=5000`)).json()
  return { record: record.toJSON(), requests }
}

/** The client of a row: it knows nothing of the hook below it. */
async function ask({ client = {}, expect }, { path, headers, body }, base, send) {
  const { attempts = 1, on_silence: act, silence_ms: silenceMs } = client
  const controller = new AbortController()
  let reader
  const onSilence = {
    cancel: () => controller.abort(),
    close: () => reader?.cancel(),
    time_out: () => controller.abort(new DOMException('nothing came', 'TimeoutError')),
  }[act]
  const unlessSilent = async what => {
    const timer = onSilence && setTimeout(onSilence, silenceMs)
    try {
      return await what
    } finally {
      clearTimeout(timer)
    }
  }
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: controller.signal,
  }
  for (let number = 1; ; number += 1) {
    const response = await unlessSilent(send(`${base}${path}`, request)).catch(() => undefined)
    if (response && response.status < 400) {
      reader = response.body.getReader()
      try {
        while (!(await unlessSilent(reader.read())).done);
      } catch {
        // It does not ask again in the middle of an answer.
      }
      return
    }
    await response?.arrayBuffer().catch(() => undefined)
    const isWorthIt = !response || response.status === 429 || response.status >= 500
    if (!isWorthIt || number >= attempts) return
    // What the other headers mean, the table says.
    const planned = expect.waits?.[number - 1]?.planned_delay_ns ?? 10_000_000
    await sleep(Number(response?.headers.get('retry-after-ms')) || Math.ceil(planned / 1e6))
  }
}

function judge(row, record, requests) {
  const found = []
  compare('record', expectedOf(row), record, found)
  contradictions(row, record, requests, found)
  return found
}

/** Nobody tells a hook how long a client means to wait where no server has asked for it. */
function expectedOf({ expect }) {
  if (!expect.waits) return expect
  const waits = expect.waits.map(({ planned_delay_ns: planned, ...wait }) => (wait.server_requested ? { planned_delay_ns: planned, ...wait } : wait))
  const { retry_planned_delay_ns: planned, ...rest } = expect
  return { ...rest, waits, ...(waits.every(wait => wait.server_requested) && planned !== undefined && { retry_planned_delay_ns: planned }) }
}

/** Each key that is expected has to be equal; `null` means that there is nothing. */
function compare(path, expected, got, found) {
  if (Array.isArray(expected) && expected.some(one => typeof one === 'object')) {
    if (expected.length !== (got?.length ?? 0)) found.push(`${path}: expected ${expected.length} entries, got ${got?.length ?? 0}`)
    for (const [at, one] of expected.entries()) compare(`${path}[${at}]`, one, got?.[at], found)
  } else if (expected !== null && typeof expected === 'object' && !Array.isArray(expected)) {
    for (const [key, one] of Object.entries(expected)) compare(`${path}.${key}`, one, got?.[key], found)
  } else {
    const [wanted, had] = [expected, got ?? (Array.isArray(expected) ? [] : null)].map(value => JSON.stringify(value))
    const isClose = typeof expected === 'number' && Math.abs(expected - Number(got)) <= 1e-9
    if (wanted !== had && !isClose) found.push(`${path}: expected ${wanted}, got ${had}`)
  }
}

/** The ways in which a record contradicts the schedule of the server. */
function contradictions(row, record, requests, found) {
  const tolerance = (row.tolerance_ms ?? table.tolerance_ms) * 1e6
  const startedAt = Number(record.start_unix_ns)
  const last = requests.at(-1)
  if (requests.length !== row.requests) found.push(`the server saw ${requests.length} requests, not ${row.requests}`)
  const { marks } = record
  const pairs = {
    headers: [marks.headers_ns, last.headers_at_ns],
    'first content': [marks.first_content_ns, last.first_visible_at_ns],
    'last content': [marks.last_content_ns, last.last_visible_at_ns],
  }
  for (const [name, [mark, sent]] of Object.entries(pairs)) {
    if (mark === undefined || sent === undefined) continue
    const late = startedAt + mark - sent
    if (late < 0 || late > tolerance) found.push(`${name} is ${late / 1e6} ms after it was sent`)
  }
  if (startedAt + record.request_setup_ns > last.accepted_at_ns) found.push('the final attempt starts after its request has arrived')
  if (startedAt + record.duration_ns < last.last_visible_at_ns) found.push('the call ends before the last content was sent')
  const isVisible = last.visible_writes > 0
  if (record.outcome === 'success' && row.stream && isVisible && record.ttft_ns === undefined) {
    found.push('a stream with visible content has no time to first token')
  }
  if (!isVisible && record.ttft_ns !== undefined) found.push('a time to first token, although nothing visible was sent')
  for (const [at, { planned_delay_ns: planned, actual_delay_ns: actual }] of (record.waits ?? []).entries()) {
    if (actual < planned || actual > planned + tolerance) found.push(`a wait of ${planned} ns took ${actual} ns`)
    const { headers_at_ns: headers, read_at_ns: read } = requests[at]
    if (requests[at + 1].accepted_at_ns < (headers ?? read) + planned) found.push(`request ${at + 2} came too early`)
  }
}
