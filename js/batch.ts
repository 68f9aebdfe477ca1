import type { EngineCall } from './engine.js'

/**
 * Events of SDKs, and bytes of responses, that wait to cross over to the engine together: a crossing costs about as much as
 * reading an event.
 *
 * What came for one attempt waits at a time, each piece with its time, so that nothing is different but when it is read. It
 * crosses when something else happens to the call, when something comes for another call, and when there is enough of it.
 */
export class Batch {
  private call: EngineCall | undefined
  private isOfBytes = false
  private attempt = 0
  private protocol = 0
  /** The times of events; of bytes, time and end of each piece in turn. */
  private readonly marks = new Float64Array(MOST_MARKS)
  private count = 0
  /** Events, a line each. */
  private lines = ''
  /** Bytes of pieces; of events, when they cross. */
  private readonly data = new Uint8Array(MOST_BYTES)
  private length = 0

  /** Takes an event, as a line of JSON. */
  event(call: EngineCall, attempt: number, protocol: number, atMs: number, line: string): void {
    this.turnTo(call, false, attempt, protocol)
    this.lines = this.count === 0 ? line : `${this.lines}\n${line}`
    this.marks[this.count] = atMs
    this.count += 1
    if (this.count === MOST_MARKS || this.lines.length >= MOST_TEXT) this.cross()
  }

  /** Takes bytes, of which it makes a copy. */
  bytes(call: EngineCall, attempt: number, protocol: number, atMs: number, data: Uint8Array): void {
    if (data.length > MOST_BYTES) {
      this.cross()
      call.pieces(Float64Array.of(atMs, data.length), attempt, protocol, data)
      return
    }
    if (data.length > MOST_BYTES - this.length) this.cross()
    this.turnTo(call, true, attempt, protocol)
    this.data.set(data, this.length)
    this.length += data.length
    this.marks[this.count] = atMs
    this.marks[this.count + 1] = this.length
    this.count += 2
    if (this.count === MOST_MARKS) this.cross()
  }

  /** Has what waits of a call cross. */
  flush(call: EngineCall): void {
    if (call === this.call) this.cross()
  }

  private turnTo(call: EngineCall, isOfBytes: boolean, attempt: number, protocol: number): void {
    if (call === this.call && isOfBytes === this.isOfBytes && attempt === this.attempt && protocol === this.protocol) return
    this.cross()
    this.call = call
    this.isOfBytes = isOfBytes
    this.attempt = attempt
    this.protocol = protocol
  }

  private cross(): void {
    const { call, isOfBytes, attempt, protocol, count } = this
    if (!call || count === 0) return
    const data = isOfBytes ? this.data.subarray(0, this.length) : this.encoded()
    const marks = this.marks.subarray(0, count)
    this.call = undefined
    this.count = 0
    this.lines = ''
    this.length = 0
    try {
      if (isOfBytes) call.pieces(marks, attempt, protocol, data)
      else call.payloads(marks, attempt, protocol, data)
    } finally {
      data.fill(0)
    }
  }

  private encoded(): Uint8Array {
    const { lines, data } = this
    const { read, written } = encoder.encodeInto(lines, data)
    if (read === lines.length) return data.subarray(0, written)
    data.fill(0)
    return encoder.encode(lines)
  }
}

const encoder = new TextEncoder()

/** Of so many events, or of half as many pieces of bytes. */
const MOST_MARKS = 64
const MOST_BYTES = 32_768
/** Code units: mostly they take no more room than there is. */
const MOST_TEXT = MOST_BYTES / 2
