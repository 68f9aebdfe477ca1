/** The engine that the page draws with: the package `llmspan-wasm`, which the build puts beside this file. */
import { Record } from './llmspan/index.js'

export { chromeTrace, detect, otlpTraces, profiles, protocols, Record, replay } from './llmspan/index.js'

/** @import { Axis, Waterfall } from './types.js' */

/**
 * A length of time with its unit, in the words that the engine has for it everywhere.
 * @param {number} ns
 * @returns {string}
 */
export function inWords(ns) {
  const known = words.get(ns)
  if (known !== undefined) return known
  const text = ofLength(ns).head.duration
  if (words.size >= MOST_WORDS) words.clear()
  words.set(ns, text)
  return text
}

/**
 * The axis of a call of that length.
 * @param {number} ns
 * @returns {Axis}
 */
export function axisOf(ns) {
  if (axis?.ns !== ns) axis = { ns, axis: ofLength(ns).axis }
  return axis.axis
}

/**
 * What the engine draws for a record.
 * @param {Record} record
 * @returns {Waterfall}
 */
export function waterfallOf(record) {
  return /** @type {Waterfall} */ (record.waterfall())
}

/**
 * A record that has a length and nothing else.
 * @param {number} ns
 */
function ofLength(ns) {
  return waterfallOf(Record.fromJSON(`{"duration_ns":${String(Math.round(ns))}}`))
}

/** @type {Map<number, string>} */
const words = new Map()
const MOST_WORDS = 2000
/** @type {{ ns: number, axis: Axis } | undefined} */
let axis
