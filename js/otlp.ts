import { unseen } from './ambient.js'
import { otlpRequest, type OtlpOptions } from './functions.js'
import { state, warn } from './platform.js'
import type { Record } from './record.js'
import { timer, type Recorder } from './recorder.js'
import type { Sink } from './sinks.js'

export interface OtlpSinkOptions extends OtlpOptions {
  /** Where traces go, such as `http://localhost:4318/v1/traces`. */
  url: string
  /** Headers of each request, such as an API key. */
  headers?: Readonly<{ [name: string]: string }> | undefined
  /** Records of one request at most, 512 when it is not said. */
  batchSize?: number | undefined
  /** Records that wait at most, 4096 when it is not said; past it they are dropped and counted. */
  queueSize?: number | undefined
  /** How long a request may take, 10 000 milliseconds when it is not said. */
  timeoutMs?: number | undefined
  /** How requests are packed, where the runtime can: not at all when it is not said. */
  compression?: 'gzip' | 'none' | undefined
}

/** What became of the records that an {@link Otlp} took. */
export interface OtlpStats {
  /** Records that the collector took, or that a page that went away left to the browser. */
  exported: number
  /** Records that were not sent: the queue was full, or the collector did not take them, also after retries. */
  dropped: number
  /** Records without an absolute time, and so without spans: the recorder has no wall clock. */
  withoutClock: number
  /** Spans that the collector took the request of, but not them. */
  rejectedSpans: number
  /** Requests that were sent again. */
  retries: number
}

/**
 * Sends spans of records to a collector, as OTLP in JSON over HTTP.
 *
 * One request is under way at a time. It is sent again, at most four times, after a failed connection and after the answers 429, 502,
 * 503 and 504: when the collector says (`Retry-After`, a minute at most), else after one second, two, four and eight, or up to a
 * fifth more. Meanwhile records wait in the queue.
 *
 * A page that goes out of sight hands what waits to the browser, which sends it also when the page is gone: at most 64 KB at
 * a time, which is the browsers' limit.
 */
export class Otlp implements Sink {
  private readonly counts: OtlpStats = { exported: 0, dropped: 0, withoutClock: 0, rejectedSpans: 0, retries: 0 }
  /** Holds credentials: unlike other members it is not shown to those who look into objects. */
  readonly #options: OtlpSinkOptions
  private queue: Record[] = []
  private sending: Promise<void> | undefined
  /** Of the request that failed and waits to be sent again. */
  private pausing: Batch | undefined
  private profiles: readonly string[] | undefined
  private isGone = false
  /** Bytes that the browser has to send by `fetch`. */
  private entrusted = 0

  /** Throws an {@link LlmspanError} for a profile that does not exist, and for attributes of the resource that cannot be written. */
  constructor(options: OtlpSinkOptions) {
    this.#options = options
    this.profiles = options.profiles
    otlpRequest([], options)
  }

  /** What became of the records so far. */
  get stats(): OtlpStats {
    return { ...this.counts }
  }

  attach(recorder: Recorder): void {
    this.profiles ??= recorder.profiles
  }

  record(record: Record): void {
    if (this.isGone || this.queue.length >= (this.#options.queueSize ?? 4096)) {
      this.counts.dropped += 1
      return
    }
    this.queue.push(record)
    if (this.queue.length >= this.batchSize && !this.sending) void unseen(() => this.flush()).catch(() => undefined)
  }

  /** Sends what waits. Throws what the last request failed with. */
  async flush(): Promise<void> {
    // What a flush finds under way may have begun without the last records.
    await this.sending?.catch(() => undefined)
    this.sending ??= this.sendAll().finally(() => {
      this.sending = undefined
    })
    await this.sending
  }

  close(): Promise<void> {
    return this.flush()
  }

  /** Leaves what waits to the browser; on other platforms it is lost, and counted. */
  exit(): void {
    this.isGone = true
    this.leave()
    this.counts.dropped += this.queue.length
    this.queue = []
  }

  hide(): void {
    this.leave()
  }

  private get batchSize(): number {
    return this.#options.batchSize ?? 512
  }

  private async sendAll(): Promise<void> {
    let failure: unknown
    while (this.queue.length > 0) {
      const batch = this.pack(this.queue.splice(0, this.batchSize))
      try {
        if (batch.count > 0) await this.deliver(batch)
      } catch (error) {
        if (!batch.isLeft) this.counts.dropped += batch.count
        failure = error
      }
    }
    // eslint-disable-next-line @typescript-eslint/only-throw-error
    if (failure !== undefined) throw failure
  }

  /** Records as one request, which stays the same when it is sent again: so a collector can tell. */
  private pack(records: readonly Record[]): Batch {
    const { resource, shape } = this.#options
    const { body, count } = otlpRequest(records, { profiles: this.profiles, shape, resource })
    this.counts.withoutClock += records.length - count
    return { body, count, isLeft: false }
  }

  private async deliver(batch: Batch): Promise<void> {
    const packed = await this.compress(batch.body)
    for (let pauseMs = FIRST_PAUSE; ; pauseMs *= 2) {
      const answer = await this.send(packed)
      if (answer === undefined) {
        this.counts.exported += batch.count
        return
      }
      if (!answer.mayRetry || pauseMs > LAST_PAUSE) throw answer.error
      this.pausing = batch
      await new Promise<void>(resolve => timer(resolve, answer.retryAfterMs ?? pauseMs * (1 + Math.random() / 5)))
      this.pausing = undefined
      if (batch.isLeft || this.isGone) throw answer.error
      this.counts.retries += 1
    }
  }

  private async send({ body, encoding }: Packed): Promise<Refusal | undefined> {
    const { url, timeoutMs = 10_000 } = this.#options
    let response: Response
    try {
      response = await this.post(body, { ...encoding }, { signal: AbortSignal.timeout(timeoutMs) })
    } catch (error) {
      return { error, mayRetry: true, retryAfterMs: undefined }
    }
    if (response.ok) {
      await this.read(response)
      return undefined
    }
    await response.body?.cancel().catch(() => undefined)
    const { status, headers } = response
    const error = new Error(`${shown(url)} answered ${status}`)
    return { error, mayRetry: RETRIABLE.has(status), retryAfterMs: retryAfter(headers.get('retry-after')) }
  }

  private post(body: Uint8Array, encoding: { [name: string]: string }, more: RequestInit): Promise<Response> {
    const { url, headers } = this.#options
    // Past hooks: an export is no call of a model.
    const fetch = state().behind.get(globalThis.fetch) ?? globalThis.fetch
    return fetch(url, { method: 'POST', headers: { 'content-type': JSON_TYPE, ...encoding, ...headers }, body, ...more })
  }

  /** Reads of the answer to a request that was taken how many spans were not. */
  private async read(response: Response): Promise<void> {
    try {
      const text = await beginning(response)
      const said = (JSON.parse(text) as { partialSuccess?: { rejectedSpans?: unknown; errorMessage?: unknown } }).partialSuccess
      const rejected = Number(said?.rejectedSpans ?? 0)
      if (!Number.isSafeInteger(rejected) || rejected <= 0) return
      if (this.counts.rejectedSpans === 0) warn(`${shown(this.#options.url)} rejected spans: ${String(said?.errorMessage ?? '').slice(0, 200)}`)
      this.counts.rejectedSpans += rejected
    } catch {
      // Many collectors answer with nothing, or with something of their own.
    }
  }

  private async compress(body: Uint8Array): Promise<Packed> {
    if (this.#options.compression !== 'gzip' || typeof CompressionStream === 'undefined') return { body, encoding: {} }
    const packed = new Response(body).body?.pipeThrough(new CompressionStream('gzip'))
    return { body: new Uint8Array(await new Response(packed as ReadableStream).arrayBuffer()), encoding: { 'content-encoding': 'gzip' } }
  }

  /** Leaves what waits to the browser, as far as it takes it. */
  private leave(): void {
    if (!isPage()) return
    const { pausing } = this
    if (pausing && this.entrust(pausing)) pausing.isLeft = true
    const kept: Record[] = []
    while (this.queue.length > 0) {
      const { records, batch } = this.piece()
      if (batch.count > 0 && !this.entrust(batch)) kept.push(...records)
    }
    this.queue = kept
  }

  /** Takes from the queue what fits into one piece, at least one record. */
  private piece(): { records: Record[]; batch: Batch } {
    const { resource, shape } = this.#options
    const options = { profiles: this.profiles, shape, resource }
    let count = Math.min(this.queue.length, this.batchSize)
    let request = otlpRequest(this.queue.slice(0, count), options)
    while (request.body.length > PIECE && count > 1) {
      count = Math.max(1, Math.floor((count * PIECE) / request.body.length / 1.1))
      request = otlpRequest(this.queue.slice(0, count), options)
    }
    this.counts.withoutClock += count - request.count
    return { records: this.queue.splice(0, count), batch: { ...request, isLeft: false } }
  }

  /** Hands a request to the browser; says whether it takes it. */
  private entrust({ body, count }: Batch): boolean {
    if (body.length > MOST_LEFT) return false
    const { navigator, location, Request } = globalThis as unknown as Page
    try {
      // A beacon has no headers, and comes with cookies, which collectors elsewhere have to allow; `fetch` has not these limits.
      const isPlain = !this.#options.headers && new URL(this.#options.url, location?.href).origin === location?.origin
      const hasKeepAlive = Request !== undefined && 'keepalive' in Request.prototype
      if (isPlain || (!hasKeepAlive && !this.#options.headers)) {
        if (navigator?.sendBeacon?.(this.#options.url, new Blob([body], { type: JSON_TYPE }))) {
          this.counts.exported += count
          return true
        }
      }
      if (this.entrusted + body.length > MOST_LEFT) return false
      this.entrusted += body.length
      this.post(body, {}, { keepalive: true }).then(
        response => {
          this.entrusted -= body.length
          this.counts[response.ok ? 'exported' : 'dropped'] += count
        },
        () => {
          this.entrusted -= body.length
          this.counts.dropped += count
        },
      )
      return true
    } catch {
      return false
    }
  }
}

/** Records on their way. */
interface Batch {
  readonly body: Uint8Array
  readonly count: number
  /** Whether it was left to the browser. */
  isLeft: boolean
}

interface Packed {
  readonly body: Uint8Array
  readonly encoding: { readonly [name: string]: string }
}

interface Refusal {
  readonly error: unknown
  readonly mayRetry: boolean
  readonly retryAfterMs: number | undefined
}

/** What is used of a page. */
interface Page {
  readonly document?: unknown
  readonly location?: { readonly href: string; readonly origin: string }
  readonly navigator?: { sendBeacon?(url: string, data: Blob): boolean }
  readonly Request?: { readonly prototype: object }
}

/** An address without what may be a credential in it: errors of sinks are shown. */
function shown(url: string): string {
  return url.replace(/[?#].*$/s, '').replace(/\/\/[^/]*@/, '//')
}

function isPage(): boolean {
  return (globalThis as unknown as Page).document !== undefined
}

/** The delay of a `Retry-After`, in seconds or as a date (RFC 9110, 10.2.3). */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined
  const delay = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isNaN(delay) ? undefined : Math.min(Math.max(delay, 0), LONGEST_PAUSE)
}

/** The text of a body, up to some length. */
async function beginning(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  if (!reader) return ''
  const decoder = new TextDecoder()
  let text = ''
  while (text.length < MOST_ANSWER) {
    const { done, value } = await reader.read()
    if (done) return text
    text += decoder.decode(value, { stream: true })
  }
  await reader.cancel()
  return text
}

const JSON_TYPE = 'application/json'

/** Answers after which a request may be sent again (OTLP, "Failures", "Retryable Response Codes"). */
const RETRIABLE = new Set([429, 502, 503, 504])

/** Milliseconds before a request is sent again, first and last. */
const FIRST_PAUSE = 1000
const LAST_PAUSE = 8000
const LONGEST_PAUSE = 60_000

/** Bytes that a browser sends for pages that are gone, of all requests together (Fetch, "inflightKeepaliveBytes"). */
const MOST_LEFT = 65_536

/** Bytes of one such request, so that some of them fit. */
const PIECE = 16_384

/** Characters. */
const MOST_ANSWER = 65_536
