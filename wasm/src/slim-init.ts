/** Entry point that starts with a module which the application brings along, where nothing else fits. */
import { startAsync, startSync } from './slim-start.js'
import type { Bytes, Module, Source } from './source.js'

export type { Bytes, Module, Source }

/** Starts the package. Await it before anything else. */
export function init(source: Source | PromiseLike<Source>): Promise<void> {
  return startAsync(source)
}

/** Starts the package at once, with a compiled module or its bytes. Browsers refuse this for large modules on the main thread. */
export function initSync(module: Module | Bytes): void {
  startSync(module)
}

export * from './slim.js'
