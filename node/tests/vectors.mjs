// Runs conformance vectors through the installed package.
//
// Each argument is a file with the paths of vectors, one a line. For each vector one line of JSON comes out: its `file`, the
// JSON of its `records`, and `why` the event log was replayed where the methods of the package cannot say a step. What the
// records have to be is compared by the caller.
import { readFileSync } from 'node:fs'
import { Call, Recorder, replay } from 'llmspan'

/** A step has no method. */
class NoMethod extends Error {}

/** Tells calls what the steps of one vector say. */
class Player {
  records = []
  calls = new Map()
  attempts = new Map()
  nowMs = 0
  lastMs = 0

  constructor(config) {
    const caps = ['open_calls', 'pending_records', 'finished_calls']
    if (caps.some(cap => cap in (config.limits ?? {}))) throw new NoMethod('caps of a tracker')
    this.recorder = new Recorder({ config, clock: () => this.nowMs, wallClock: null, queueSize: 1e6, onRecord: record => this.records.push(record.stringify()) })
  }

  /** Tells every step, then drops what is open. */
  async play(steps) {
    for (const { at_ns, event, ...fields } of steps) {
      this.nowMs = ms(at_ns)
      this.lastMs = Math.max(this.lastMs, this.nowMs)
      this.step(event, fields)
    }
    this.recorder.abandonOpenCalls(this.lastMs)
    if (this.recorder.stats.invalidEvents) throw new Error('the package left out an event')
    await this.recorder.flush()
    await this.recorder.close()
    return this.records
  }

  step(event, { call: id = '1', ...fields }) {
    if (event === 'tick' && id === '1' && !this.calls.has('1')) return this.recorder.tick(this.nowMs)
    let call = this.calls.get(id)
    if (event === 'call_started') {
      if (call?.isOpen) throw new NoMethod('a call that starts twice')
      this.start(id, fields)
      return
    }
    call ??= this.start(id, {})
    if (!call.isOpen) throw new NoMethod('an event after the end of its call')
    const { attempt, ...rest } = fields
    const target = attempt === undefined ? call : this.attempts.get(`${id} ${attempt}`)
    if (!target) throw new NoMethod('an attempt that nobody began')
    if (event === 'attempt_started') {
      const began = call.attempt(camel(fields))
      this.attempts.set(`${id} ${began.number}`, began)
    } else {
      STEPS[event](target, rest, { atMs: this.nowMs })
    }
  }

  start(id, { operation, unix_ns, ...fields }) {
    const unixMs = unix_ns === undefined ? undefined : BigInt(unix_ns)
    const call = new Call(operation, { ...camel(fields), unixMs, id, recorder: this.recorder })
    this.calls.set(id, call)
    return call
  }
}

/** How each step is told; times are in the fields or those of the clock. */
const STEPS = {
  attempt_failed: (target, fields, at) => target.fail(undefined, { ...camel(fields), ...at }),
  attributes: (call, { attributes }, at) => call.attributes(attributes, at),
  bytes: (target, { protocol, utf8, base64 }, at) =>
    target.bytes(protocol, utf8 === undefined ? Buffer.from(base64, 'base64') : Buffer.from(utf8), at),
  call_dropped: (call, _, at) => call.dropped(at),
  call_ended: (call, fields, at) => call.end({ ...camel(fields), ...at }),
  cancelled: (call, _, at) => call.cancelled(at),
  chunk: (target, { content, ...fields }, at) => target.chunk(content, { ...camel(fields), ...at }),
  consumer_closed: (target, _, at) => target.consumerClosed(at),
  delivered: (target, _, at) => target.delivered(at),
  headers_received: (target, { status_code, headers, unix_ns, ...fields }, at) => {
    if (unix_ns !== undefined && BigInt(unix_ns) % 1000n !== 0n) throw new NoMethod('wall-clock time below a microsecond')
    const unixMs = unix_ns === undefined ? undefined : Number(BigInt(unix_ns) / 1000n) / 1e3
    target.headers(status_code, headers, { ...camel(fields), unixMs, ...at })
  },
  keep_alive: (target, _, at) => target.keepAlive(at),
  payload: (target, { protocol, data }, at) => target.payload(protocol, data === '[DONE]' ? '"[DONE]"' : data, at),
  phase_ended: (call, { name }, at) => call.phaseEnded(name, at),
  phase_started: (call, { name }, at) => call.phaseStarted(name, at),
  request_sent: (target, _, at) => target.requestSent(at),
  retry_scheduled: (call, fields, at) => call.retry({ ...camel(fields), ...at }),
  retry_wait_ended: (call, fields, at) => call.retryWaitEnded({ ...camel(fields), ...at }),
  stream_ended: (target, _, at) => target.streamEnded(at),
  tick: (call, _, at) => call.tick(at),
  timed_out: (call, { kind }, at) => call.timedOut(kind, at),
  usage: (target, { usage }, at) => target.usage(camel(usage), at),
}

/** Fields of the event log by their names in JavaScript. */
function camel(fields) {
  const all = {}
  for (const [name, value] of Object.entries(fields)) {
    if (name.endsWith('_ns')) all[`${camelName(name.slice(0, -3))}Ms`] = ms(value)
    else all[camelName(name)] = NESTED.has(name) && value !== null ? camel(value) : value
  }
  return all
}

const camelName = name => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())

/** Nanoseconds as milliseconds that come back as they were. */
function ms(nanos) {
  const value = Number(nanos) / 1e6
  if (BigInt(Math.round(value * 1e6)) !== BigInt(nanos) || Number(nanos) > Number.MAX_SAFE_INTEGER) {
    throw new NoMethod('a time beyond what a double holds')
  }
  return value
}

const NESTED = new Set(['error', 'input_parts', 'request', 'tool_call', 'usage'])

async function run(file) {
  const text = readFileSync(file, 'utf8')
  const vector = JSON.parse(text)
  const config = vector.config ?? {}
  try {
    const numbers = text.match(/(?<=[:[,]\s*)\d[\d.eE+]*/g) ?? []
    if (numbers.some(number => Number(number) > Number.MAX_SAFE_INTEGER)) throw new NoMethod('a number that JavaScript takes for another')
    return { file, records: await new Player(config).play(vector.steps) }
  } catch (why) {
    if (!(why instanceof NoMethod)) throw why
    const log = rawSteps(text).join('\n')
    return { file, records: replay(log, config).map(record => record.stringify()), why: why.message }
  }
}

/** The steps of a vector as they are written, but for line ends. */
function rawSteps(text) {
  const steps = []
  let depth = 0
  let begin = 0
  // Strings whole, so that no bracket in them counts.
  const tokens = /"(?:[^"\\]|\\.)*"|[[\]{}]/g
  tokens.lastIndex = text.indexOf('[', text.indexOf('"steps"'))
  for (let token = tokens.exec(text); token; token = tokens.exec(text)) {
    if (/^[[{]/.test(token[0]) && (depth += 1) === 2) begin = token.index
    if (/^[\]}]/.test(token[0])) {
      if (depth === 2) steps.push(text.slice(begin, tokens.lastIndex).replaceAll(/\s*\n\s*/g, ' '))
      if ((depth -= 1) === 0) break
    }
  }
  return steps
}

for (const list of process.argv.slice(2)) {
  for (const file of readFileSync(list, 'utf8').split('\n').filter(Boolean)) {
    const result = await run(file).catch(error => ({ file, records: [], error: String(error) }))
    console.log(JSON.stringify(result))
  }
}
