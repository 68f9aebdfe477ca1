// Runs the table of cases: without llmspan, with its hooks, and with `observe` alone.
import assert from 'node:assert/strict'
import test, { after, before, describe } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { hookErrors, instrument, Memory, Recorder, uninstrument } from 'llmspan'
import { serve } from '../server.mjs'
import { CASES, OBSERVED } from './cases.mjs'
import * as proxies from './proxy.mjs'

const plainFetch = globalThis.fetch
/** The clock of the server's log, in milliseconds: times are compared as they are. */
const clock = () => Number(process.hrtime.bigint()) / 1e6
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const AT_ONCE = 8
/** How often a case is played that a busy machine was too late for. */
const TURNS = 3
let runs = 0

/**
 * Registers tests of clients by their name. All cases are played before the first test; their records are told apart by the
 * model that they ask for.
 *
 * A client has `stream` and, unless it cannot, `whole`: each takes a base URL and options. The others say what it does:
 * `retryAfter`, what makes it wait `retryAfterMs` before it repeats a request; `honoursDelays`, whether it waits as long as it
 * is asked; `countsRetries`, whether it tells the server how often it has; `hasDeadline`, whether its timeout holds for the whole
 * response; `tellsResponse`, whether its objects have the id of the response; `abortsStreams`, whether it aborts nothing else;
 * `losesAborts`, whether an abort may get lost; `finish` and `toolFinish`, the finish reasons.
 */
export function run(clients) {
  const names = Object.keys(clients)
  const seen = names.flatMap(name => casesOf(name, clients[name], CASES, 'seen'))
  const observed = names.flatMap(name => casesOf(name, clients[name], OBSERVED, 'observed'))
  let server, proxy, strays

  before(async () => {
    // What nobody waits for, an SDK may reject.
    process.on('unhandledRejection', () => undefined)
    server = await serve()
    proxy = await proxies.record(server.address)
    const shared = { server, proxy, atOnce: AT_ONCE }
    strays = await playAll(seen, observed, shared)
    for (let turn = 1; turn < TURNS; turn += 1) {
      const [late, lateToo] = [seen, observed].map(cases => cases.filter(isLate))
      if (late.length + lateToo.length > 0) strays += await playAll(late, lateToo, { ...shared, atOnce: 1 })
    }
  })

  after(() => {
    proxy.stop()
    server.stop()
  })

  for (const name of names) {
    describe(name, () => {
      for (const played of seen.filter(({ of }) => of === name)) test(played.name, () => judge(played))
      for (const played of observed.filter(({ of }) => of === name)) test(`observed alone: ${played.name}`, () => judge(played))
    })
  }

  test('no hook failed, and every record was asked for', () => assert.deepEqual([hookErrors(), strays], [0, 0]))
}

function casesOf(of, client, table, way) {
  const all = Object.entries(table).map(([name, row], at) => ({ ...row, name, of, client, model: `${of}-${way}-${at}` }))
  return all.filter(({ isFor }) => !isFor || isFor(client))
}

/** Plays cases in all ways; gives the number of records that belong to none. */
async function playAll(seen, observed, shared) {
  await play([...seen, ...observed], 'bare', shared)
  const strays = await record(seen, { ...shared, begin: recorder => instrument({ recorder }) })
  uninstrument()
  return strays + (await record(observed, { ...shared, begin: () => undefined }))
}

/** Whether a case has to be played again: one of those that a busy machine may be too late for. */
function isLate(played) {
  if (!played.isTimed && !played.isAborted) return false
  try {
    judge(played)
    return false
  } catch {
    return true
  }
}

/** Plays the cases, some at the same time: where too many wait for one processor, nothing is on time. */
async function play(cases, way, { server, proxy, recorder, atOnce }) {
  const playOne = async played => {
    const { client, model, served, isProxied, options } = played
    const run = `r${process.pid}-${(runs += 1)}`
    const asked = typeof served === 'function' ? served(client) : served
    const parameters = [client.served, asked, `run=${run}`].filter(Boolean).join('&')
    const base = `${isProxied ? proxy.address : server.address}/s/${parameters}`
    const requests = () => requestsOf(server, run, 0)
    const sight = await played.act(client, base, { model, retries: 0, ...options }, { recorder, requests })
    played[way] = { run, sight, sent: isProxied && proxy.of(run) }
  }
  const left = cases.values()
  const playSome = async () => {
    for (const played of left) await playOne(played)
  }
  await Promise.all(Array.from({ length: atOnce }, playSome))
}

/** Plays all cases with a recorder, and hands out what it recorded; gives the number of records that belong to no case. */
async function record(cases, { server, proxy, atOnce, begin }) {
  const memory = new Memory()
  const recorder = new Recorder({ sinks: [memory], clock, wallClock: clock })
  begin(recorder)
  await play(cases, 'seen', { server, proxy, recorder, atOnce })
  const isThere = ({ isGarbage, model }) => !isGarbage || memory.records.some(record => record.model === model)
  for (const deadline = clock() + 1500; clock() < deadline && !cases.every(isThere); await recorder.flush()) {
    globalThis.gc()
    await sleep(5)
  }
  // What is cancelled may be about to end; calls that wait for a retry end when the recorder does.
  await sleep(150)
  await recorder.close()
  for (const played of cases) {
    const records = memory.records.filter(({ model }) => model === played.model)
    played.records = records.toSorted((a, b) => Number(a.start_unix_ns) - Number(b.start_unix_ns))
    for (const way of ['bare', 'seen']) played[way].requests = await requestsOf(server, played[way].run)
  }
  return memory.records.length - cases.reduce((sum, { records }) => sum + records.length, 0)
}

async function requestsOf(server, run, waitMs = 2000) {
  const answer = await plainFetch(`${server.address}/runs/${run}?wait=${waitMs}`)
  return answer.ok ? (await answer.json()).requests : []
}

function judge({ name, client, bare, seen, records, check, isGarbage, isRace, isAborted, count = 1 }) {
  if (isAborted && client.losesAborts && !(bare.sight.error && seen.sight.error)) {
    // What nobody told the server, and nobody but the caller knows, is in no record.
    if (!seen.sight.error) assert.equal(records[0].outcome, 'success')
    return
  }
  if (isRace) for (const { sight } of [bare, seen]) sight.error?.splice(1)
  same(seen.sight, bare.sight, 'the application sees')
  same(seen.sent, bare.sent, 'the server gets')
  same(seen.requests.map(shown), bare.requests.map(shown), 'the server gets')
  if (!isGarbage) assert.equal(records.length, count, `${records.length} records of ${name}`)
  const { requests, sight } = seen
  check({ record: records[0], records, request: requests[0], requests, client, sight })
}

/** Shows the first lines that differ: chunks are long, and there are many. */
function same(seen, bare, what) {
  if (isDeepStrictEqual(seen, bare)) return
  const [left, right] = [seen, bare].map(value => (JSON.stringify(value, null, 1) ?? '').split('\n'))
  const at = left.findIndex((line, index) => line !== right[index])
  const [one, other] = [left, right].map(lines => lines.slice(Math.max(at, 0)).join(' ').slice(0, 600))
  assert.fail(`${what} with llmspan: ${one}\n${what} without: ${other}`)
}

/** What a request of the server's log is by, and how it ended. */
const shown = ({ method, status, request_bytes, headers }) => ({ method, status, request_bytes, headers })
