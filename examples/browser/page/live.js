/**
 * A call of an endpoint, made as OpenAI's clients make it: what fails is repeated, after the delay that the server asks for. It
 * writes down what happens as an event log, in this page alone.
 */
import { detect } from './engine.js'
import { base64 } from './input.js'
import { readLine, Recording } from './recording.js'

/**
 * @typedef {object} Wish
 * @property {string} url Where `chat/completions` is.
 * @property {string} model
 * @property {string} prompt
 * @property {string} key Empty for none.
 * @property {number} retries
 */

export class LiveCall {
  #begun = performance.now()
  #abort = new AbortController()
  #attempt = 0
  #size = 0

  /** @param {Wish} wish */
  constructor(wish) {
    this.wish = wish
    this.recording = new Recording(wish.model)
    this.recording.isGrowing = true
  }

  /** Nanoseconds since the call began. */
  get now() {
    return Math.round((performance.now() - this.#begun) * 1e6)
  }

  /** Ends the call as its user does. */
  stop() {
    this.#abort.abort()
  }

  /** Makes the call to its end. What goes wrong is in the record. */
  async run() {
    const { model, retries } = this.wish
    const unix = `${String(Math.round((performance.timeOrigin + this.#begun) * 1e3))}000`
    this.#log('call_started', { operation: 'chat', provider: 'openai', model, stream: true, unix_ns: unix })
    try {
      while (await this.#try()) {
        if (this.#attempt > retries) break
        await this.#wait()
      }
      this.#log('call_ended')
    } catch {
      // Only an abort comes this far.
      this.#log('cancelled')
      this.#log('call_ended')
    }
    this.recording.isGrowing = false
  }

  /** Makes one request; says whether another one may help. */
  async #try() {
    const { url, model, prompt, key } = this.wish
    this.#attempt += 1
    const attempt = this.#attempt
    this.#log('attempt_started')
    let isAnswering = false
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-stainless-retry-count': String(attempt - 1),
          ...(key && { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify({
          model,
          messages: [{ role: 'user', content: prompt }],
          stream: true,
          stream_options: { include_usage: true },
        }),
        signal: this.#abort.signal,
      })
      const { status } = response
      const unix = `${String(Math.round((performance.timeOrigin + performance.now()) * 1e3))}000`
      this.#log('headers_received', { attempt, status_code: status, headers: [...response.headers], unix_ns: unix })
      isAnswering = response.ok
      await this.#read(response, attempt)
      if (response.ok) {
        this.#log('stream_ended', { attempt })
        return false
      }
      this.#log('attempt_failed', { attempt, status_code: status })
      return REPEATED.has(status) || status >= 500
    } catch (error) {
      if (this.#abort.signal.aborted) throw error
      this.#log('attempt_failed', { attempt, error_type: 'network' })
      return !isAnswering
    }
  }

  /** @param {Response} response @param {number} attempt */
  async #read(response, attempt) {
    const reader = response.body?.getReader()
    if (!reader) return
    /** @type {string | undefined} */
    let protocol
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      protocol ??= detect(this.wish.url, response.headers, value.subarray(0, 2048)) ?? 'openai.chat'
      this.#log('bytes', { attempt, protocol, base64: base64(value) })
    }
  }

  /** Waits before the next attempt: as long as the server asks, else half a second, doubled each time. */
  async #wait() {
    const failed = this.recording.at(this.now)?.record.attempts?.at(-1)
    const asked = failed?.retry_after_ns
    const delay = asked === undefined ? Math.min(0.5 * 2 ** (this.#attempt - 1), 8) * 1e9 : Number(asked)
    const status = failed?.status_code ?? 0
    const reason = status === 429 ? 'rate_limit' : status === 408 ? 'timeout' : status > 0 ? 'server_error' : 'network'
    this.#log('retry_scheduled', { delay_ns: delay, reason, server_requested: asked !== undefined })
    const { signal } = this.#abort
    await new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, delay / 1e6)
      signal.addEventListener('abort', () => {
        clearTimeout(timer)
        reject(signal.reason)
      }, { once: true })
    })
  }

  /** @param {string} event @param {object} [fields] */
  #log(event, fields) {
    const line = readLine(JSON.stringify({ at_ns: this.now, event, call: 'live', ...fields }))
    this.recording.add(line)
    this.#size += line.size
    if (this.#size > MOST_SIZE) this.stop()
  }
}

/**
 * The address of a path below an endpoint, which has to be on the origin of the page.
 * @param {string} base
 * @param {string} path
 */
export function below(base, path) {
  const url = new URL(`${base.trim().replace(/\/+$/, '')}/${path}`, location.href)
  if (url.origin !== location.origin) {
    throw new Error(`this page talks to its own origin alone, ${location.origin}, so nothing can leak: put the endpoint behind it`)
  }
  return url.href
}

/** Characters of a log, with which a call that does not end is stopped. */
const MOST_SIZE = 32 * 2 ** 20
/** Statuses that OpenAI's clients repeat, beside those from 500. */
const REPEATED = new Set([408, 409, 429])
