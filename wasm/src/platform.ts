import type { Call } from '../../js/call.js'
import type { Engine } from '../../js/engine.js'
import { doesMore, install, state, warn, type Platform, type Storage } from '../../js/platform.js'

/** What an entry point knows of its runtime. */
export type Runtime = Partial<Pick<Platform, 'isPerRequest' | 'soon' | 'storage'>>

/** Makes an engine the one of the package, unless another one serves all copies already. */
export function start(engine: Engine, { storage = builtInStorage() ?? new Meanwhile(), isPerRequest = isWorker(), soon = pickSoon(isPerRequest) }: Runtime): void {
  const platform: Platform = { engine, storage, soon, isPerRequest }
  if (install('llmspan-wasm', platform)) watchPage()
  else if (doesMore(platform, state().platform)) warn('llmspan-wasm was loaded after llmspan-wasm/slim was used, and does no more than that: import it first')
}

/** The `AsyncLocalStorage` of runtimes that have Node's modules, without an import, which would break the others. */
function builtInStorage(): Storage<Call> | undefined {
  try {
    const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }
    const hooks = process?.getBuiltinModule?.('node:async_hooks') as { AsyncLocalStorage: new () => Storage<Call> } | undefined
    return hooks && new hooks.AsyncLocalStorage()
  } catch {
    return undefined
  }
}

/** Where nothing keeps a value across pauses: it is there until the function returns, and so for what is sent at once. */
class Meanwhile implements Storage<Call> {
  private call: Call | undefined

  run<Result>(call: Call, inside: () => Result): Result {
    const before = this.call
    this.call = call
    try {
      return inside()
    } finally {
      this.call = before
    }
  }

  getStore(): Call | undefined {
    return this.call
  }
}

/** Whether this is a Cloudflare Worker: there timers and ports belong to the request that makes them. */
function isWorker(): boolean {
  return (globalThis as { navigator?: { userAgent?: unknown } }).navigator?.userAgent === 'Cloudflare-Workers'
}

/** Runs something after what runs, before timers where the runtime can. */
function pickSoon(isPerRequest: boolean): Platform['soon'] {
  // What a request leaves behind is handed over before it ends.
  if (isPerRequest) return run => queueMicrotask(run)
  if (typeof setImmediate === 'function') return run => void setImmediate(run)
  if (typeof MessageChannel !== 'function') return run => void setTimeout(run, 0)
  const waiting: (() => void)[] = []
  const { port1, port2 } = new MessageChannel()
  Object.assign(port1, { onmessage: () => waiting.shift()?.() })
  return run => {
    waiting.push(run)
    port2.postMessage(undefined)
  }
}

/** Lets recorders hand over what they have when a page goes away: a page that is hidden may never come back. */
function watchPage(): void {
  if (typeof document === 'undefined' || typeof addEventListener === 'undefined') return
  const { recorders } = state()
  addEventListener('pagehide', ({ persisted }) => {
    for (const recorder of recorders) {
      if (persisted) recorder.leave()
      else recorder.exit()
    }
  })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState !== 'hidden') return
    for (const recorder of recorders) recorder.leave()
  })
}
