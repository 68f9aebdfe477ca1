/** Events as JSON of the event log. */

/** Writes one event: `fields` in camel case, times in milliseconds. What is `undefined` is left out. */
export function eventJson(event: string, atMs: number, attempt: number, fields?: object): string {
  const log: Record<string, unknown> = { at_ns: nanos(atMs), event }
  if (attempt > 0) log['attempt'] = attempt
  if (fields) add(log, fields)
  return JSON.stringify(log)
}

/**
 * Nanoseconds of a time in milliseconds, as JSON can carry them: as text where they are many, which they are where the monotonic
 * clock counts from 1970, as in Workers.
 */
export function nanos(ms: number): number | string {
  if (!(ms > 0)) return 0
  const whole = Math.round(ms * 1e6)
  if (whole <= Number.MAX_SAFE_INTEGER) return whole
  return whole < MOST_NANOS ? String(BigInt(whole)) : String(2n ** 64n - 1n)
}

/** Nanoseconds since 1970 as decimal text. A double holds these milliseconds to a quarter of a microsecond. */
export function unixNanos(ms: number | bigint): string {
  return typeof ms === 'bigint' ? String(ms) : `${Math.max(Math.round(ms * 1e3), 0)}000`
}

/** Whether an event says nothing but when it was. */
export function isBare(fields: object | undefined): boolean {
  for (const name in fields) if (isSaid(name, (fields as Fields)[name])) return false
  return true
}

/** Texts as lines of one text; what ends a line is a space there, as in a header that goes on in another line (RFC 9112, 5.2). */
export function lines(texts: readonly string[]): string {
  for (const text of texts) if (text.includes('\n')) return texts.map(one => one.replaceAll('\n', ' ')).join('\n')
  return texts.join('\n')
}

function add(log: Record<string, unknown>, fields: object): void {
  for (const name of Object.keys(fields)) {
    const value = (fields as Fields)[name]
    if (!isSaid(name, value)) continue
    if (name === 'unixMs') log['unix_ns'] = unixNanos(value as number | bigint)
    else if (typeof value === 'number' && name.endsWith('Ms')) log[`${snake(name.slice(0, -2))}_ns`] = nanos(value)
    else if (NESTED.has(name)) add((log[snake(name)] = {}), value as object)
    else log[snake(name)] = value
  }
}

function isSaid(name: string, value: unknown): boolean {
  return value !== undefined && value !== null && !ENVELOPE.has(name)
}

function snake(name: string): string {
  const known = snakes.get(name)
  if (known !== undefined) return known
  const made = name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
  if (snakes.size < MOST_NAMES && name.length < LONGEST_NAME) snakes.set(name, made)
  return made
}

type Fields = Readonly<{ [name: string]: unknown }>

/** Names of fields that were asked for; callers may invent as many as they like. */
const snakes = new Map<string, string>()
const MOST_NAMES = 256
const LONGEST_NAME = 64

const MOST_NANOS = 2 ** 64

/** What is no field of an event. */
const ENVELOPE = new Set(['atMs', 'id', 'recorder'])

/** Objects with fields of their own; the names in others are the caller's. */
const NESTED = new Set(['error', 'inputParts', 'request', 'toolCall', 'usage'])
