import type { Engine } from './engine.js'
import type { Call } from './call.js'
import type { Recorder } from './recorder.js'

/** What a package brings along: its engine, and what its runtime has beyond the web's own interfaces. */
export interface Platform {
  engine: Engine
  /** Keeps a value for what runs inside of a function, its promises included; absent where the runtime has no such thing. */
  storage?: Storage<Call> | undefined
  /** Runs something soon, after what runs. */
  soon(run: () => void): void
  /** Whether timers end with the request that set them, as in Workers: then nothing is left to a timer. */
  isPerRequest?: boolean | undefined
}

export interface Storage<Value> {
  run<Result>(value: Value, inside: () => Result): Result
  getStore(): Value | undefined
}

/** What all copies of the package in a program share, be they loaded with `import` or with `require`. */
export interface Shared {
  platform: Platform
  recorder: Recorder | undefined
  /** Recorders that are not closed. */
  recorders: Set<Recorder>
  /** The `fetch` that {@link instrument} put in place. */
  fetch: typeof fetch | undefined
  /** Which function stands behind a `fetch` that is seen. */
  behind: WeakMap<object, typeof fetch>
  hookErrors: number
  numbers: number
  /** Whether something was made with the engine, which belongs to it. */
  isUsed: boolean
}

let shared: Shared | undefined

/**
 * Called by each way into a package, before anything else. What is loaded first serves all; an engine that does more takes its
 * place, as long as nothing was made with the first one. Says whether this is the first.
 */
export function install(name: string, platform: Platform): boolean {
  const key = Symbol.for(`${name}@${platform.engine.version}`)
  const all = globalThis as { [key: symbol]: Shared | undefined }
  const before = all[key]
  if (before) {
    shared = before
    if (!before.isUsed && doesMore(platform, before.platform)) before.platform = platform
    return false
  }
  shared = all[key] = {
    platform,
    recorder: undefined,
    recorders: new Set(),
    fetch: undefined,
    behind: new WeakMap(),
    hookErrors: 0,
    numbers: 0,
    isUsed: false,
  }
  return true
}

/** Whether a platform has an engine that does more than that of another one. */
export function doesMore(platform: Platform, other: Platform): boolean {
  return platform.engine.profiles.length > other.engine.profiles.length
}

/** Flushes recorders when the process runs out of work, and ends them with it. Once for all copies of a package. */
export function watchProcess(name: string): void {
  const { recorders } = state()
  const hooked = Symbol.for(`${name}.exit`)
  if (hooked in process) return
  Object.defineProperty(process, hooked, { value: true })
  process.on('beforeExit', () => {
    for (const recorder of recorders) if (recorder.hasWork) void recorder.flush()
  })
  process.on('exit', () => {
    for (const recorder of recorders) recorder.exit()
  })
}

export function state(): Shared {
  if (!shared) throw new Error('llmspan is used before it is loaded')
  return shared
}

export function engine(): Engine {
  return state().platform.engine
}

/** The call whose {@link Call.run} this code runs in, if it is open. */
export function currentCall(): Call | undefined {
  const call = state().platform.storage?.getStore()
  return call?.isOpen ? call : undefined
}

/** Exceptions that hooks kept from the application. It should be 0; please report what was logged. */
export function hookErrors(): number {
  return state().hookErrors
}

/** Takes note of an exception of telemetry, which must not reach the application: the first one is shown as a warning. */
export function hookFailed(error: unknown): void {
  const all = state()
  all.hookErrors += 1
  if (all.hookErrors === 1) warn('a hook of llmspan failed; later failures are counted', error)
}

/** Runs something for what has become garbage; never where the runtime does not tell. */
export function registry<Held>(run: (held: Held) => void): Pick<FinalizationRegistry<Held>, 'register' | 'unregister'> {
  if (typeof FinalizationRegistry === 'function') return new FinalizationRegistry(run)
  return { register: () => undefined, unregister: () => false } as unknown as FinalizationRegistry<Held>
}

/** Shows something once. Nothing that is wrong with the console goes further. */
export function warn(text: string, error?: unknown): void {
  try {
    console.warn(text, ...(error === undefined ? [] : [error]))
  } catch {
    // There is nobody to tell.
  }
}
