import { closeSync, openSync, write, writeSync } from 'node:fs'

import { engine } from '../../js/platform.js'
import type { Record } from '../../js/record.js'
import type { Sink } from '../../js/sinks.js'

/** What became of the records that a sink for files took. */
export interface FileStats {
  /** Records that are in the file, as far as the system says. */
  written: number
  /** Records that were left out, because too much waits for a disk that is slow, or because writing failed. */
  dropped: number
}

/** Appends text to a file without waiting for the disk; whole pieces, in order. */
class Appender {
  readonly counts: FileStats = { written: 0, dropped: 0 }
  private readonly file: number
  private pieces: Piece[] = []
  /** Bytes, about, that wait or are being written. */
  private waiting = 0
  private writing: Promise<void> | undefined
  private isOpen = true

  /** Opens the file; throws what opening it throws. */
  constructor(path: string, flags: 'a' | 'w') {
    this.file = openSync(path, flags)
  }

  /** Takes the text of one record, if there is room for it. */
  append(make: () => string): void {
    if (!this.isOpen || this.waiting >= MOST_WAITING) {
      this.counts.dropped += 1
      return
    }
    this.take({ text: make(), records: 1 })
    if (this.waiting >= MUCH_WAITING && !this.writing) void this.flush().catch(() => undefined)
  }

  async flush(): Promise<void> {
    while (this.isOpen && (this.writing || this.pieces.length > 0)) {
      this.writing ??= this.write().finally(() => {
        this.writing = undefined
      })
      await this.writing
    }
  }

  /** Writes what is left, and the text, and closes the file. */
  finish(text = ''): void {
    if (!this.isOpen) return
    this.isOpen = false
    if (text !== '') this.take({ text, records: 0 })
    const pieces = this.pieces.splice(0)
    try {
      // A write that is under way has its place before what is left, and is not waited for.
      for (let piece = pieces.shift(); piece; piece = pieces.shift()) {
        writeSync(this.file, piece.text)
        this.counts.written += piece.records
      }
    } finally {
      for (const { records } of pieces) this.counts.dropped += records
      closeSync(this.file)
    }
  }

  private take(piece: Piece): void {
    this.pieces.push(piece)
    this.waiting += piece.text.length
  }

  private async write(): Promise<void> {
    const pieces = this.pieces.splice(0)
    const text = pieces.map(piece => piece.text).join('')
    const records = pieces.reduce((sum, piece) => sum + piece.records, 0)
    try {
      let rest = Buffer.from(text)
      while (rest.length > 0) {
        const written = await new Promise<number>((resolve, reject) => {
          write(this.file, rest, (error, count) => (error ? reject(error) : resolve(count)))
        })
        rest = rest.subarray(written)
      }
      this.counts.written += records
    } catch (error) {
      this.counts.dropped += records
      throw error
    } finally {
      this.waiting -= text.length
    }
  }
}

interface Piece {
  readonly text: string
  readonly records: number
}

/** Writes each record as one line of JSON to the end of a file, which is made if it is not there. */
export class JsonLines implements Sink {
  private readonly file: Appender

  /** Opens the file; throws what opening it throws. */
  constructor(path: string) {
    this.file = new Appender(path, 'a')
  }

  /** What became of the records so far. */
  get stats(): FileStats {
    return { ...this.file.counts }
  }

  record(record: Record): void {
    this.file.append(() => `${record.stringify()}\n`)
  }

  flush(): Promise<void> {
    return this.file.flush()
  }

  async close(): Promise<void> {
    await this.file.flush()
    this.file.finish()
  }

  exit(): void {
    this.file.finish()
  }
}

/** Writes calls as a trace for Perfetto and `chrome://tracing` to a file that begins anew. */
export class ChromeTrace implements Sink {
  private readonly file: Appender
  private readonly log = engine().chromeTraceLog(null)

  /** Opens the file; throws what opening it throws. */
  constructor(path: string) {
    this.file = new Appender(path, 'w')
  }

  /** What became of the records so far. */
  get stats(): FileStats {
    return { ...this.file.counts }
  }

  record(record: Record): void {
    this.file.append(() => this.log.append(record.engine))
  }

  flush(): Promise<void> {
    return this.file.flush()
  }

  async close(): Promise<void> {
    await this.file.flush()
    this.file.finish(this.log.close())
  }

  exit(): void {
    this.file.finish(this.log.close())
  }
}

/** Characters of records that wait for the disk at most. */
const MOST_WAITING = 32 * 1024 * 1024

/** Characters that are not left to wait for the next flush. */
const MUCH_WAITING = 1024 * 1024
