/** Says what has happened in a call, once each: for those who do not watch the bars grow. */
import { inWords } from './engine.js'

/** @import { Row, Waterfall } from './types.js' */

export class Milestones {
  /** @type {Set<string>} */
  #said = new Set()

  /** Starts over, with what a waterfall shows taken as known. @param {Waterfall | undefined} waterfall */
  reset(waterfall) {
    this.#said = new Set(waterfall?.rows.map(key))
  }

  /**
   * What is new in a waterfall, in words; empty when nothing is. A call with many attempts is summed up by the engine.
   * @param {Waterfall} waterfall
   * @param {boolean} isOpen
   */
  news(waterfall, isOpen) {
    const fresh = waterfall.rows.filter(row => !this.#said.has(key(row)))
    for (const row of fresh) this.#said.add(key(row))
    // What begins is told as it begins. What is a length of time is told at its end, when its row appears.
    const told = fresh.map(row => (ENDED.has(row.kind) ? `${row.label} ${inWords(Number(row.duration_ns))}` : row.label))
    if (!isOpen) told.push(`${waterfall.head.ending} after ${waterfall.head.duration}`)
    return told.join(', ')
  }
}

/** @param {Row} row */
function key({ kind, label, start_ns }) {
  return `${kind} ${label} ${String(start_ns)}`
}

/** Kinds of rows that appear when they are over. */
const ENDED = new Set(['first_chunk', 'first_token', 'headers', 'stall'])
