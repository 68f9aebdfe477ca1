import { otlpTraces, type OtlpOptions } from './functions.js'
import { state } from './platform.js'
import type { Record } from './record.js'
import type { Recorder } from './recorder.js'
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
}

/** Sends spans of records to a collector, as OTLP in JSON over HTTP. One request is under way at a time. */
export class Otlp implements Sink {
  /** Records that were not sent: the queue was full, or the collector refused them. */
  dropped = 0
  private queue: Record[] = []
  private sending: Promise<void> | undefined
  private profiles: readonly string[] | undefined

  constructor(private readonly options: OtlpSinkOptions) {
    this.profiles = options.profiles
  }

  attach(recorder: Recorder): void {
    this.profiles ??= recorder.profiles
  }

  record(record: Record): void {
    if (this.queue.length >= (this.options.queueSize ?? 4096)) {
      this.dropped += 1
      return
    }
    this.queue.push(record)
    if (this.queue.length >= this.batchSize) void this.flush().catch(() => undefined)
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

  private get batchSize(): number {
    return this.options.batchSize ?? 512
  }

  private async sendAll(): Promise<void> {
    while (this.queue.length > 0) {
      const batch = this.queue.splice(0, this.batchSize)
      try {
        await this.send(batch)
      } catch (error) {
        this.dropped += batch.length
        throw error
      }
    }
  }

  private async send(batch: Record[]): Promise<void> {
    const { url, headers, resource, shape, timeoutMs = 10_000 } = this.options
    // Past hooks: an export is no call of a model.
    const fetch = state().behind.get(globalThis.fetch) ?? globalThis.fetch
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: otlpTraces(batch, { profiles: this.profiles, shape, resource }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    await response.body?.cancel()
    if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  }
}
