import { isAbort } from './failure.js'
import { hookFailed, registry } from './platform.js'
import { timer } from './recorder.js'

/** What watches a body or a stream while it is read. */
export interface Watcher<Chunk> {
  /** Somebody asks for the first chunk. */
  reading?(): void
  data(chunk: Chunk): void
  ended(): void
  closed(): void
  failed(error: unknown): void
  collected(): void
}

/**
 * Watches a stream while it is read. Chunks are passed on as they are, one for each that is asked for; a cancel goes to the source.
 * A stream of bytes stays one, so that it can be read in every way that the source can.
 */
export function watch<Chunk>(source: ReadableStream<Chunk>, watcher: Watcher<Chunk>): ReadableStream<Chunk> {
  let reader: ReadableStreamDefaultReader<Chunk> | undefined
  let isReading = false
  const begin = (): ReadableStreamDefaultReader<Chunk> => {
    reader = source.getReader()
    // The source may fail while nobody reads. An abort then may be how whoever reads says that it has stopped, as SDKs do for
    // a `break`: what it does next tells.
    reader.closed.catch((error: unknown) => {
      if (isReading) return
      if (isAbort(error)) timer(() => tell(() => watcher.failed(error)), ABORT_PAUSE)
      else tell(() => watcher.failed(error))
    })
    tell(() => watcher.reading?.())
    return reader
  }
  const pass = (controller: Controller, { done, value }: { done: boolean; value?: Chunk | undefined }): Promise<void> | undefined => {
    if (done) {
      tell(() => watcher.ended())
      controller.close()
      controller.byobRequest?.respond(0)
      return undefined
    }
    tell(() => watcher.data(value as Chunk))
    // A stream of bytes takes no empty chunk.
    if ((value as { byteLength?: number } | undefined)?.byteLength === 0) return pull(controller)
    controller.enqueue(value as never)
    return undefined
  }
  const pull = (controller: Controller): Promise<void> => {
    isReading = true
    return (reader ?? begin()).read().then(
      step => {
        isReading = false
        return pass(controller, step)
      },
      (error: unknown) => {
        tell(() => watcher.failed(error))
        controller.error(error)
      },
    )
  }
  const cancel = (reason: unknown): Promise<void> => {
    tell(() => watcher.closed())
    return reader ? reader.cancel(reason) : source.cancel(reason)
  }
  // What is not asked for stays at the source.
  const calm = { highWaterMark: 0 }
  const watched = isOfBytes(source)
    ? new ReadableStream({ type: 'bytes', pull: pull as (controller: ReadableByteStreamController) => Promise<void>, cancel }, calm)
    : new ReadableStream({ pull: pull as (controller: ReadableStreamDefaultController) => Promise<void>, cancel }, calm)
  garbage.register(watched, watcher as Watcher<never>, watcher)
  return watched as ReadableStream<Chunk>
}

interface Controller {
  readonly byobRequest?: { respond(bytes: number): void } | null
  enqueue(chunk: never): void
  close(): void
  error(error: unknown): void
}

/** Only such a stream has readers that bring their own buffers. */
function isOfBytes(stream: ReadableStream): boolean {
  try {
    stream.getReader({ mode: 'byob' }).releaseLock()
    return true
  } catch {
    return false
  }
}

/** Runs a part of a hook; what it throws is counted. */
function tell(run: () => void): void {
  try {
    run()
  } catch (error) {
    hookFailed(error)
  }
}

/** Streams that nobody can read any more. A watcher that has seen its end is taken out: what waits to be garbage lives longer. */
export const garbage = registry<Watcher<never>>(watcher => tell(() => watcher.collected()))

/** Milliseconds in which whoever aborted a stream says whether it goes on reading. @internal */
export const ABORT_PAUSE = 100
