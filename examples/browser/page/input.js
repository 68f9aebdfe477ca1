/** What somebody dropped or pasted, as recordings. */
import { detect, Record, replay } from './engine.js'
import { readLine, Recording } from './recording.js'

/** @import { RecordData } from './llmspan/index.js' */

/**
 * Finds out what data is, and reads it.
 * @param {Uint8Array<ArrayBuffer>} data
 * @param {{ protocol?: string, config?: string, name?: string }} [options] `protocol` is that of a body; by its shape when it
 * is not said.
 * @returns {Recording[]} At least one.
 */
export function read(data, { protocol = '', config = '{}', name = '' } = {}) {
  if (data.length > MOST_BYTES) throw new Error(`more than ${String(MOST_BYTES / 2 ** 20)} MiB`)
  const text = new TextDecoder().decode(data)
  const first = firstValue(text)
  if (first === undefined && text.trim() === '') throw new Error('there is nothing in it')
  if (!protocol && isObject(first) && 'event' in first && 'at_ns' in first) return ofLog(text, config)
  if (!protocol && isObject(first) && 'duration_ns' in first && 'outcome' in first) return ofRecords(text)
  return [ofBody(data, protocol, name)]
}

/**
 * The calls of an event log, in the order of their first events.
 * @param {string} text
 * @param {string} config
 */
function ofLog(text, config) {
  // The whole log first: an error names the line as the reader counts them.
  replay(text, config)
  /** @type {Map<string, Recording>} */
  const open = new Map()
  /** @type {Recording[]} */
  const all = []
  for (const each of text.split('\n')) {
    if (each.trim() === '') continue
    const line = readLine(each)
    let recording = open.get(line.call)
    // An id may come again after its call.
    if (!recording || (line.event === 'call_started' && recording.lines.some(isEnd))) {
      recording = new Recording(line.call, config)
      open.set(line.call, recording)
      all.push(recording)
    }
    recording.add(line)
  }
  const started = all.filter(recording => recording.lines.some(line => line.event === 'call_started'))
  if (started.length === 0) throw new Error('no call starts in this log: it has no event `call_started`')
  return started
}

/** @param {string} text */
function ofRecords(text) {
  const trimmed = text.trim()
  const values = isWhole(trimmed) ? [JSON.parse(trimmed)].flat() : trimmed.split('\n').filter(line => line.trim() !== '')
  return values.map((value, at) => {
    try {
      const recording = Recording.ofRecord(Record.fromJSON(value))
      recording.note = 'A record has no events, so there is nothing to play. An event log has.'
      return recording
    } catch (error) {
      throw new Error(`record ${String(at + 1)}: ${error instanceof Error ? error.message : String(error)}`)
    }
  })
}

/**
 * A body without times: what it says is read, and nothing is said about time.
 * @param {Uint8Array<ArrayBuffer>} data
 * @param {string} wanted
 * @param {string} name
 */
function ofBody(data, wanted, name) {
  const protocol = wanted || detect('', [], data.subarray(0, 2048))
  if (!protocol) {
    throw new Error('this is no event log, no record, and no response whose protocol shows: choose the protocol of the body')
  }
  const log = [
    { event: 'call_started', operation: 'chat' },
    { event: 'attempt_started' },
    { event: 'bytes', protocol, base64: base64(data) },
    { event: 'stream_ended' },
    { event: 'call_ended' },
  ]
  const [record] = replay(log.map(event => JSON.stringify({ at_ns: 0, ...event })).join('\n'))
  if (!record) throw new Error('no record came of it')
  const timeless = /** @type {RecordData} */ (withoutTimes(record.toJSON()))
  const recording = Recording.ofRecord(Record.fromJSON(timeless))
  recording.title = name || protocol
  recording.hasTimes = false
  recording.note = `Read as ${protocol}. A body has no times, so there is no waterfall: only what it says is shown.`
  return recording
}

/**
 * The attributes of a record of a body that say nothing of time: those that are the same for a call of another length.
 * @param {Record} record
 * @param {string} profile
 * @returns {[string, unknown][]}
 */
export function timelessAttributes(record, profile) {
  const stretched = /** @type {RecordData} */ (JSON.parse(record.stringify(), (key, value) => (key === 'duration_ns' ? 1e9 : value)))
  const longer = Record.fromJSON(stretched).attributes(profile)
  return Object.entries(record.attributes(profile)).filter(([name, value]) => JSON.stringify(value) === JSON.stringify(longer[name]))
}

/**
 * Data of a record without all that was measured with a clock.
 * @param {unknown} value
 * @returns {unknown}
 */
function withoutTimes(value) {
  if (Array.isArray(value)) return value.map(withoutTimes)
  if (!isObject(value)) return value
  const kept = Object.entries(value).filter(([key]) => !isTime(key))
  return Object.fromEntries(kept.map(([key, inside]) => [key, withoutTimes(inside)]))
}

/** @param {string} key */
function isTime(key) {
  // The lengths and starts of the parts of a record are never absent.
  if (key === 'duration_ns' || key === 'start_ns') return false
  return key.endsWith('_ns') || key.endsWith('_per_second') || MEASURED.has(key)
}

/**
 * The first JSON value of a text, or of its first line.
 * @param {string} text
 * @returns {unknown}
 */
function firstValue(text) {
  const trimmed = text.trim()
  const line = trimmed.slice(0, trimmed.indexOf('\n') + 1 || undefined)
  for (const candidate of [line, trimmed]) {
    try {
      const value = /** @type {unknown} */ (JSON.parse(candidate))
      return Array.isArray(value) ? /** @type {unknown} */ (value[0]) : value
    } catch {
      // Then it is something else.
    }
  }
  return undefined
}

/** @param {string} text */
function isWhole(text) {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** @param {{ event: string }} line */
function isEnd(line) {
  return line.event === 'call_ended' || line.event === 'call_dropped'
}

/**
 * @param {unknown} value
 * @returns {value is { [key: string]: unknown }}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @param {Uint8Array} data */
export function base64(data) {
  let text = ''
  for (let at = 0; at < data.length; at += PART) text += String.fromCharCode(...data.subarray(at, at + PART))
  return btoa(text)
}

/** Fields that are measured and have no unit in their name. */
const MEASURED = new Set(['inter_chunk', 'output_buffered', 'events'])
const PART = 8192
const MOST_BYTES = 32 * 2 ** 20
