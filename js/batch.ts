import type { EngineCall } from './engine.js'

/**
 * Events of SDKs that wait to cross over to the engine together: a crossing costs about as much as reading an event.
 *
 * The events of one attempt wait at a time, each with its time, so that nothing is different but when it is read. They cross
 * when something else happens to the call, when another call has events, and when there are enough of them.
 */
export class Batch {
  private call: EngineCall | undefined
  private attempt = 0
  private protocol = 0
  private count = 0
  private lines = ''
  private readonly times = new Float64Array(MOST_EVENTS)

  add(call: EngineCall, attempt: number, protocol: number, atMs: number, line: string): void {
    if (call !== this.call || attempt !== this.attempt || protocol !== this.protocol) {
      this.cross()
      this.call = call
      this.attempt = attempt
      this.protocol = protocol
    }
    this.lines = this.count === 0 ? line : `${this.lines}\n${line}`
    this.times[this.count] = atMs
    this.count += 1
    if (this.count === MOST_EVENTS || this.lines.length >= MOST_TEXT) this.cross()
  }

  /** Has what waits of a call cross. */
  flush(call: EngineCall): void {
    if (call === this.call) this.cross()
  }

  private cross(): void {
    const { call, attempt, protocol, lines, times, count } = this
    this.call = undefined
    this.count = 0
    this.lines = ''
    if (call && count > 0) call.payloads(count === MOST_EVENTS ? times : times.subarray(0, count), attempt, protocol, lines)
  }
}

const MOST_EVENTS = 32
/** Characters. */
const MOST_TEXT = 65_536
