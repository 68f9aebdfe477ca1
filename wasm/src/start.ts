import load, * as binding from '../build/full/llmspan_wasm.js'
import { fullEngine } from './full.js'
import { Guard } from './guard.js'
import { start, type Runtime } from './platform.js'
import type { Bytes, Module, Source } from './source.js'

/** Instantiates the module at once. */
export function startSync(module: Module | Bytes, runtime: Runtime = {}): void {
  binding.initSync({ module: module as never })
  begin(runtime)
}

/** Instantiates the module as soon as it is there. */
export async function startAsync(source: Source | PromiseLike<Source>): Promise<void> {
  await load({ module_or_path: source as never })
  begin({})
}

function begin(runtime: Runtime): void {
  start(fullEngine(binding, new Guard()), runtime)
}
