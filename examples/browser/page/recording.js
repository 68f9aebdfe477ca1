/** A call that can be shown: by its event log, at any time of it, or by its record alone. */
import { Record, replay, waterfallOf } from './engine.js'

/** @import { Waterfall } from './types.js' */

/**
 * One line of an event log.
 * @typedef {object} Line
 * @property {number} at Nanoseconds on the clock of the log.
 * @property {string} event Name of the event.
 * @property {number} size Characters of the line.
 * @property {string} text The line.
 */

/**
 * What is known of a call at a time.
 * @typedef {object} Moment
 * @property {Record} record
 * @property {boolean} isOpen Whether the call goes on: then the record is what it would be, had the call ended here.
 */

export class Recording {
  /** @type {Line[]} */
  lines = []
  /** Whether more lines may come. */
  isGrowing = false
  /** What has to be said about what is shown. */
  note = ''
  /** Whether the times in the record mean something. */
  hasTimes = true
  /** @type {Record | undefined} */
  #final
  /** @type {Waterfall | undefined} */
  #finalWaterfall

  /**
   * @param {string} title
   * @param {string} [config] Configuration of the engine, as JSON.
   */
  constructor(title, config = '{}') {
    this.title = title
    this.config = config
  }

  /** @param {Record} record */
  static ofRecord(record) {
    const recording = new Recording(record.call)
    recording.#final = record
    return recording
  }

  /** @param {Line} line */
  add(line) {
    this.lines.push(line)
    this.#final = undefined
    this.#finalWaterfall = undefined
    this.#times = undefined
    this.#arrivals = undefined
  }

  get hasLog() {
    return this.lines.length > 0
  }

  /** Nanoseconds from the first event to the last. */
  get duration() {
    const times = this.times
    return times[times.length - 1] ?? 0
  }

  /** The times of all events, from that of the first, in order. */
  get times() {
    if (!this.#times) {
      const start = this.#start
      const times = this.lines.map(line => Math.max(line.at - start, 0))
      this.#times = times.sort((one, other) => one - other)
    }
    return this.#times
  }

  /** The arrivals: events that have something of the response, in order. */
  get arrivals() {
    if (!this.#arrivals) {
      const start = this.#start
      const lines = this.lines.filter(line => ARRIVALS.has(line.event))
      this.#arrivals = lines.map(({ at, size }) => ({ at: Math.max(at - start, 0), size }))
    }
    return this.#arrivals
  }

  /** What is drawn of {@link final}. */
  get finalWaterfall() {
    return (this.#finalWaterfall ??= this.final && waterfallOf(this.final))
  }

  /** The events of a time, by their names and places in the log. @param {number} at */
  eventsAt(at) {
    const start = this.#start
    const names = this.lines.flatMap((line, place) => (line.at - start === at ? [`${line.event} (event ${String(place + 1)} of ${String(this.lines.length)})`] : []))
    return names.join(', ')
  }

  /** The record of the whole call; `undefined` when its log has no start. */
  get final() {
    return (this.#final ??= replay(this.lines.map(line => line.text).join('\n'), this.config)[0])
  }

  /**
   * The call as it is so many nanoseconds after its first event. What is open then is dropped there.
   * @param {number} at
   * @returns {Moment | undefined}
   */
  at(at) {
    const isOver = at >= this.duration && !this.isGrowing
    if (isOver || !this.hasLog) return this.final && { record: this.final, isOpen: false }
    const until = this.#start + at
    const lines = this.lines.filter(line => line.at <= until)
    const isOpen = !lines.some(line => ENDS.has(line.event))
    const log = lines.map(line => line.text)
    if (isOpen) log.push(JSON.stringify({ at_ns: Math.round(until), event: 'call_dropped', call: this.#call }))
    const [record] = replay(log.join('\n'), this.config)
    return record && { record, isOpen }
  }

  get #start() {
    return this.lines[0]?.at ?? 0
  }

  get #call() {
    /** @type {{ call?: string }} */
    const first = JSON.parse(this.lines[0]?.text ?? '{}')
    return first.call
  }

  /** @type {number[] | undefined} */
  #times
  /** @type {{ at: number, size: number }[] | undefined} */
  #arrivals
}

/**
 * Reads one line of an event log.
 * @param {string} text
 * @returns {Line & { call: string }}
 */
export function readLine(text) {
  /** @type {{ at_ns: number | string, event: string, call?: string }} */
  const { at_ns, event, call = '1' } = JSON.parse(text)
  return { at: Number(at_ns), event, call, size: text.length, text }
}

const ARRIVALS = new Set(['bytes', 'chunk', 'payload', 'keep_alive'])
const ENDS = new Set(['call_ended', 'call_dropped'])
