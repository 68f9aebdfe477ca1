// The table of cases: what the server is asked for, what the application does, and what the record has to say.
import assert from 'node:assert/strict'
import { Call, observe } from 'llmspan'
import { ask, read, Sight } from './compare.mjs'

const MS = 1_000_000
/** A busy machine adds this much to a time. What is measured too early is always wrong. */
const TOLERANCE = 2000 * MS

/**
 * - `served`: parameters for the server, or what makes them of the client
 * - `isFor`: the clients that can do it; all, if it is left out
 * - `options`: of the client
 * - `act`: what the application does; gives what it sees
 * - `check`: has the records of the case, the requests that the server saw, what the application saw, and the client
 * - `count`: how many records there have to be, if not one
 * - `isProxied`: whether every byte of the requests is compared
 * - `isAborted`: whether it is aborted, by the application or by the SDK
 * - `isTimed`: whether a busy machine may be too late for it
 * - `isRace`: whether what the system says of the cause depends on the moment
 * - `isGarbage`: whether the record is of what nobody holds any more
 */
export const CASES = {
  'a stream': {
    isProxied: true,
    act: read,
    check({ record, request, client, sight }) {
      assert.equal(sight.error, undefined)
      assert.ok(sight.chunks.length >= 4)
      assert.deepEqual([record.outcome, record.stream, record.attempt_count], ['success', true, 1])
      assert.deepEqual(record.finish_reasons, [client.finish])
      assert.equal(record.attempts[0].status_code, 200)
      // Behind a local address the paths of some providers look like OpenAI's.
      assert.ok([client.provider, 'openai'].includes(record.provider), record.provider)
      usage(record)
      firstToken(record, request)
    },
  },

  'a whole answer': {
    isProxied: true,
    isFor: client => client.whole,
    act: ask,
    check({ record, client, sight }) {
      assert.equal(sight.error, undefined)
      assert.deepEqual([record.outcome, record.stream, record.ttft_ns], ['success', false, undefined])
      assert.deepEqual(record.finish_reasons, [client.finish])
      usage(record)
    },
  },

  'a compressed stream': {
    served: 'gzip=real',
    act: read,
    check({ record, sight }) {
      assert.equal(sight.error, undefined)
      assert.equal(record.outcome, 'success')
      usage(record)
    },
  },

  'a compressed answer': {
    served: 'gzip=real',
    isFor: client => client.whole,
    act: ask,
    check({ record, sight }) {
      assert.equal(sight.error, undefined)
      assert.equal(record.outcome, 'success')
      usage(record)
    },
  },

  'times of the head and of the first token': {
    isTimed: true,
    count: 8,
    served: 'head=40&first=80&interval=60',
    async act(client, base, options) {
      const sights = []
      for (let turn = 0; turn < 8; turn += 1) sights.push(await read(client, base, options))
      return sights
    },
    check({ records, requests }) {
      const behind = (record, mark, sent) => Number(record.start_unix_ns) + mark - sent
      const heads = records.map((record, at) => behind(record, record.marks.headers_ns, requests[at].headers_at_ns))
      const tokens = records.map((record, at) => behind(record, record.call_ttft_ns, requests[at].first_visible_at_ns))
      for (const late of [heads, tokens]) {
        // Whatever else runs on the machine adds to it; the least is what the measurement itself is off by.
        const least = Math.min(...late)
        assert.ok(least >= 0 && least < 100 * MS, `${late} ns after it was sent`)
      }
    },
  },

  'a tool call': {
    served: 'tool=3&chunks=0',
    act: read,
    check({ record, client, sight }) {
      assert.equal(sight.error, undefined)
      assert.deepEqual([record.outcome, record.finish_reasons], ['success', [client.toolFinish]])
      assert.equal(record.tool_call_count, 1)
      usage(record)
    },
  },

  'a 429 that the SDK hides': {
    isTimed: true,
    isProxied: true,
    served: client => `plan=429,ok&${client.retryAfter}`,
    isFor: client => client.retryAfter,
    options: { retries: 2 },
    act: read,
    check({ record, requests, client, sight }) {
      assert.equal(sight.error, undefined)
      assert.equal(requests.length, 2)
      assert.deepEqual([record.outcome, record.attempt_count, record.retry_count], ['success', 2, 1])
      assert.deepEqual(record.attempts.map(attempt => attempt.status_code), [429, 200])
      const [wait, ...more] = record.waits
      assert.deepEqual([more.length, wait.reason, wait.server_requested], [0, 'rate_limit', true])
      assert.equal(wait.planned_delay_ns, client.retryAfterMs * MS)
      const between = requests[1].accepted_at_ns - requests[0].headers_at_ns
      const { actual_delay_ns: actual } = wait
      assert.ok(actual <= between && actual > between - TOLERANCE, `a wait of ${actual} ns, between the requests ${between}`)
      if (client.honoursDelays) assert.ok(actual >= wait.planned_delay_ns - 2 * MS, `a wait of ${actual} ns`)
      usage(record)
      firstToken(record, requests[1])
    },
  },

  'a 503, then an answer': {
    served: client => `plan=503,ok&${client.retryAfter}`,
    isFor: client => client.retryAfter,
    options: { retries: 2 },
    act: read,
    check({ record }) {
      assert.deepEqual([record.outcome, record.attempt_count], ['success', 2])
      assert.deepEqual(record.attempts.map(attempt => attempt.status_code), [503, 200])
      assert.equal(record.waits[0].reason, 'server_error')
    },
  },

  'retries that are used up': {
    isTimed: true,
    served: client => `plan=503&${client.retryAfter ?? ''}`,
    options: { retries: 1 },
    act: read,
    check({ record, requests, client, sight }) {
      if (!client.isVercel) assert.ok(sight.error)
      assert.equal(requests.length, client.retryAfter ? 2 : 1)
      assert.deepEqual([record.outcome, record.attempt_count, record.error.status_code], ['error', requests.length, 503])
      // It ends at the last failure, also where nothing tells until later that it was the last.
      const end = Number(record.start_unix_ns) + record.duration_ns - requests.at(-1).headers_at_ns
      assert.ok(end >= 0 && end < TOLERANCE, `it ended ${end} ns after the last failure`)
    },
  },

  'a request that is refused': {
    served: 'plan=400',
    options: { retries: 2 },
    act: read,
    check({ record }) {
      assert.deepEqual([record.outcome, record.attempt_count, record.error.status_code], ['error', 1, 400])
    },
  },

  'an error frame in mid-stream': inMidStream('error-frame'),
  'a stream that is cut': inMidStream('cut', 'stream_truncated'),
  'a connection that is closed in mid-stream': inMidStream('drop', 'network'),
  'a connection that is reset in mid-stream': { ...inMidStream('reset', 'network'), isRace: true },

  'a connection that is lost before the head': {
    served: 'plan=drop&at=head',
    act: read,
    check({ record, client, sight }) {
      if (!client.isVercel) assert.ok(sight.error)
      assert.deepEqual([record.outcome, record.error.type, record.ttft_ns], ['error', 'network', undefined])
    },
  },

  'a break out of the stream': {
    isTimed: true,
    served: 'chunks=60&interval=10',
    act: (client, base, options) => read(client, base, options, {}, { limit: client.isVercel ? 8 : 6 }),
    isGarbage: true,
    check({ record, request, sight, client }) {
      assert.equal(sight.chunks.length, client.isVercel ? 8 : 6)
      // What the server saw says whether the SDK stops to read, or forgets the stream.
      const stops = [client.breaksByAbort ? 'cancelled' : 'interrupted']
      const outcomes = request.end === 'client_closed' ? stops : ['abandoned', 'interrupted', 'success']
      assert.ok(outcomes.includes(record.outcome), `${record.outcome}, of ${outcomes}`)
    },
  },

  'an abort before the head': {
    isAborted: true,
    served: 'head=8000',
    isFor: client => !client.abortsStreams,
    act: (client, base, options, bench) => aborted(client, base, options, bench, { when: isSent }),
    check({ record, client, sight }) {
      if (!client.isVercel) assert.ok(sight.error)
      assert.deepEqual([record.outcome, record.ttft_ns], ['cancelled', undefined])
      assert.ok(record.duration_ns < 7500 * MS, String(record.duration_ns))
    },
  },

  'an abort in mid-stream': {
    isAborted: true,
    served: 'stall=8000',
    act: (client, base, options, bench) => aborted(client, base, options, bench, { when: isStalled }),
    check({ record }) {
      assert.equal(record.outcome, 'cancelled')
      assert.ok(record.ttft_ns > 0 && record.duration_ns < 7500 * MS)
    },
  },

  'an abort with a reason of its own': {
    isAborted: true,
    served: 'head=8000',
    isFor: client => !client.abortsStreams,
    act: (client, base, options, bench) =>
      aborted(client, base, options, bench, { when: isSent, reason: new Error('that is enough') }),
    check({ record }) {
      assert.equal(record.outcome, 'cancelled')
    },
  },

  'a timeout before the head': {
    isAborted: true,
    served: 'head=8000',
    isFor: client => !client.abortsStreams,
    options: { timeoutMs: 900 },
    act: read,
    check({ record, client, sight }) {
      if (!client.isVercel) assert.ok(sight.error)
      assert.deepEqual([record.outcome, record.error?.type, record.ttft_ns], ['timed_out', 'timeout', undefined])
      assert.ok(record.duration_ns > 200 * MS && record.duration_ns < 7500 * MS, String(record.duration_ns))
    },
  },

  'a timeout in mid-stream': {
    isAborted: true,
    served: 'stall=8000',
    isFor: client => client.hasDeadline,
    options: { timeoutMs: 900 },
    act: read,
    check({ record }) {
      assert.deepEqual([record.outcome, record.error?.type], ['timed_out', 'timeout'])
      assert.ok(record.ttft_ns > 0)
      assert.ok(record.duration_ns > 200 * MS && record.duration_ns < 7500 * MS, String(record.duration_ns))
    },
  },

  'a timeout that the SDK hides': {
    isTimed: true,
    served: 'plan=hang,ok&at=head',
    // Of the client, so that not every SDK tells of it.
    isFor: client => client.countsRetries,
    options: { timeoutMs: 900, timeoutOf: 'client', retries: 1 },
    act: read,
    check({ record, sight }) {
      assert.equal(sight.error, undefined)
      assert.deepEqual([record.outcome, record.attempt_count], ['success', 2])
      assert.deepEqual([record.attempts[0].error.type, record.waits[0].reason], ['timeout', 'timeout'])
      usage(record)
    },
  },

  'a stream that is never read': {
    isGarbage: true,
    async act(client, base, options) {
      await client.stream(base, options)
      return new Sight()
    },
    check({ records, requests }) {
      // An SDK may send the request when it is read, and then there is no call; or read by itself.
      assert.equal(records.length, requests.length)
      for (const record of records) {
        const expected = requests[0].end === 'complete' ? ['success', 'abandoned', 'interrupted'] : ['abandoned', 'interrupted']
        assert.ok(expected.includes(record.outcome), record.outcome)
      }
    },
  },

  'a stream that is dropped': {
    served: 'chunks=40&interval=5',
    isGarbage: true,
    async act(client, base, options) {
      const sight = new Sight()
      const stream = await client.stream(base, options)
      sight.take((await stream[Symbol.asyncIterator]().next()).value)
      return sight
    },
    check({ record, request }) {
      const isRead = request.end === 'complete'
      assert.ok(['abandoned', 'interrupted', ...(isRead ? ['success'] : [])].includes(record.outcome), record.outcome)
    },
  },

  'two streams, read in turn': {
    count: 2,
    // What such a stream gives depends on how far it has read.
    isFor: client => !client.readsAhead,
    async act(client, base, options) {
      const sights = [new Sight(), new Sight()]
      const faulty = base.replace('/s/', '/s/output=5&chunks=3&plan=error-frame&').replace('run=', 'run=b')
      const streams = await Promise.all([base, faulty].map(url => client.stream(url, options)))
      const left = new Map(streams.map((stream, at) => [sights[at], stream[Symbol.asyncIterator]()]))
      while (left.size > 0) {
        for (const [sight, steps] of left) {
          try {
            const { done, value } = await steps.next()
            if (done) left.delete(sight)
            else sight.take(value)
          } catch (error) {
            sight.fail(error)
            left.delete(sight)
          }
        }
      }
      return sights
    },
    check({ records }) {
      const outcomes = records.map(record => record.outcome)
      assert.deepEqual(outcomes.toSorted(), ['error', 'success'])
      usage(records[outcomes.indexOf('success')])
    },
  },

  'ten calls at once': {
    count: 10,
    act: (client, base, options) => Promise.all(Array.from({ length: 10 }, () => read(client, base, options))),
    check({ records }) {
      for (const record of records) {
        assert.deepEqual([record.outcome, record.attempt_count], ['success', 1])
        usage(record)
      }
    },
  },

  'retries of equal calls at once': {
    isTimed: true,
    count: 3,
    served: client =>
      client.retryAfterMs < 1000
        ? 'plan=429,429,429,ok&1.retry-after-ms=400&2.retry-after-ms=250&3.retry-after-ms=100'
        : `plan=429,429,429,ok&${client.retryAfter}`,
    isFor: client => client.retryAfter,
    options: { retries: 2 },
    act: (client, base, options) => Promise.all([1, 2, 3].map(() => read(client, base, options))),
    check({ records, requests, client }) {
      assert.equal(requests.length, 6)
      for (const record of records) {
        assert.deepEqual([record.outcome, record.attempt_count], ['success', 2])
        assert.deepEqual(record.attempts.map(attempt => attempt.status_code), [429, 200])
        usage(record)
      }
      if (!client.honoursDelays) return
      // Nobody got the wait of another call.
      const waits = records.map(record => record.waits[0])
      assert.deepEqual(waits.map(wait => wait.planned_delay_ns / MS).toSorted((a, b) => a - b), [100, 250, 400])
      for (const { actual_delay_ns: actual, planned_delay_ns: planned } of waits) {
        assert.ok(actual >= planned - 2 * MS, `${actual} ns instead of ${planned}`)
      }
    },
  },

  'requests of one call': {
    isFor: client => client.whole,
    async act(client, base, options, { recorder }) {
      return new Call('chat', { model: options.model, recorder }).run(async () => [
        await ask(client, base, options),
        await ask(client, base, options),
      ])
    },
    check({ record }) {
      assert.deepEqual([record.outcome, record.attempt_count], ['success', 2])
      assert.deepEqual(record.attempts.map(attempt => attempt.usage.output_tokens), [9, 9])
    },
  },

  'an observed stream of a request that is seen': {
    isFor: client => client.tellsResponse !== false,
    act: (client, base, options, { recorder }) =>
      read(client, base, options, { recorder }, { watch: stream => observe(stream, { recorder, model: options.model }) }),
    check({ record }) {
      assert.deepEqual([record.outcome, record.attempt_count], ['success', 1])
    },
  },
}

/** What is seen of objects alone, without hooks. */
export const OBSERVED = {
  'a stream': {
    act: watched,
    check({ record, sight, client }) {
      assert.equal(sight.error, undefined)
      assert.deepEqual([record.outcome, record.attempt_count], ['success', 1])
      assert.deepEqual(record.finish_reasons, [client.partsFinish ?? client.finish])
      usage(record)
    },
  },
  'a tool call': {
    served: 'tool=3&chunks=0',
    act: watched,
    check({ record }) {
      assert.deepEqual([record.outcome, record.tool_call_count], ['success', 1])
      usage(record)
    },
  },
  'an error frame in mid-stream': {
    served: 'plan=error-frame',
    act: watched,
    check({ record }) {
      assert.equal(record.outcome, 'error')
      assert.ok(record.ttft_ns > 0)
    },
  },
  'a connection that is reset in mid-stream': {
    served: 'plan=reset',
    isRace: true,
    act: watched,
    check({ record }) {
      assert.equal(record.outcome, 'error')
      assert.ok(record.ttft_ns > 0)
    },
  },
  'a break out of the stream': {
    served: 'chunks=60&interval=10',
    act: (client, base, options, bench) => watched(client, base, options, bench, { limit: 8 }),
    check({ record, sight }) {
      assert.deepEqual([record.outcome, sight.chunks.length], ['interrupted', 8])
    },
  },
  'an abort in mid-stream': {
    isAborted: true,
    served: 'stall=8000',
    act: (client, base, options, bench) => aborted(client, base, options, bench, { when: isStalled, read: watched }),
    check({ record }) {
      assert.equal(record.outcome, 'cancelled')
    },
  },
}

function watched(client, base, options, { recorder }, how = {}) {
  const { model, signal } = options
  const watch = recorder ? stream => observe(stream, { recorder, model, signal }) : undefined
  return read(client, base, options, { recorder }, { ...how, ...(watch && { watch }) })
}

function inMidStream(fault, errorType) {
  return {
    served: `plan=${fault}`,
    act: read,
    check({ record }) {
      assert.deepEqual([record.outcome, record.attempt_count], ['error', 1])
      assert.ok(record.ttft_ns > 0)
      if (errorType) assert.equal(record.error.type, errorType)
      else assert.ok(!['stream_truncated', 'network'].includes(record.error.type), record.error.type)
    },
  }
}

/** Reads a stream and aborts it, a little after the server has come so far that what the application sees is certain. */
async function aborted(client, base, options, bench, { when, reason, read: how = read }) {
  const controller = new AbortController()
  const sight = how(client, base, { ...options, signal: controller.signal }, bench)
  while (!when(await bench.requests())) await sleep(20)
  await sleep(300)
  controller.abort(reason)
  return sight
}

const isSent = requests => requests.length > 0
const isStalled = ([request]) => request?.visible_writes === 2
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

/** The tokens that the server sends when nothing else is asked for. */
function usage(record) {
  assert.deepEqual([record.usage?.input_tokens, record.usage?.output_tokens], [21, 9])
}

/** The first token is seen when the server has sent it. Both clocks are the machine's monotonic one. */
function firstToken(record, request) {
  const behind = Number(record.start_unix_ns) + record.call_ttft_ns - request.first_visible_at_ns
  assert.ok(behind >= 0 && behind < TOLERANCE, `the first token ${behind} ns after it was sent`)
  assert.ok(Number(record.start_unix_ns) <= request.accepted_at_ns || record.attempt_count > 1)
}
