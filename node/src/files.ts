import { closeSync, openSync, write, writeSync } from 'node:fs'

import { engine } from '../../js/platform.js'
import type { Record } from '../../js/record.js'
import type { Sink } from '../../js/sinks.js'

/** Appends text to a file without waiting for the disk; whole pieces, in order. */
class Appender {
  private readonly file: number
  private pieces: string[] = []
  private writing: Promise<void> | undefined
  private isOpen = true

  /** Opens the file; throws what opening it throws. */
  constructor(path: string, flags: 'a' | 'w') {
    this.file = openSync(path, flags)
  }

  append(text: string): void {
    if (this.isOpen && text !== '') this.pieces.push(text)
  }

  async flush(): Promise<void> {
    while (this.isOpen && (this.writing || this.pieces.length > 0)) {
      this.writing ??= this.write().finally(() => {
        this.writing = undefined
      })
      await this.writing
    }
  }

  /** Writes what is left, and closes the file. */
  finish(): void {
    if (!this.isOpen) return
    this.isOpen = false
    try {
      for (const text of this.pieces.splice(0)) writeSync(this.file, text)
    } finally {
      closeSync(this.file)
    }
  }

  private async write(): Promise<void> {
    let rest = Buffer.from(this.pieces.splice(0).join(''))
    while (rest.length > 0) {
      const written = await new Promise<number>((resolve, reject) => {
        write(this.file, rest, (error, count) => (error ? reject(error) : resolve(count)))
      })
      rest = rest.subarray(written)
    }
  }
}

/** Writes each record as one line of JSON to the end of a file, which is made if it is not there. */
export class JsonLines implements Sink {
  private readonly file: Appender

  /** Opens the file; throws what opening it throws. */
  constructor(path: string) {
    this.file = new Appender(path, 'a')
  }

  record(record: Record): void {
    this.file.append(`${record.stringify()}\n`)
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

  record(record: Record): void {
    this.file.append(this.log.append(record.engine))
  }

  flush(): Promise<void> {
    return this.file.flush()
  }

  async close(): Promise<void> {
    this.file.append(this.log.close())
    await this.file.flush()
    this.file.finish()
  }

  exit(): void {
    this.file.append(this.log.close())
    this.file.finish()
  }
}
