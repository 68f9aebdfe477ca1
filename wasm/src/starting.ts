import type { Engine } from '../../js/engine.js'
import { Guard } from './guard.js'
import { start, type Runtime } from './platform.js'
import type { Memory } from './scratch.js'
import type { Bytes, Module, Source } from './source.js'

/** How the bindings of a module come to it. */
interface Loading {
  initSync(from: { module: never }): { readonly memory: Memory }
  load(from: { module_or_path: never }): Promise<{ readonly memory: Memory }>
}

/** How a package starts with a module. */
export interface Starting {
  /** Instantiates the module at once. */
  startSync(module: Module | Bytes, runtime?: Runtime): void
  /** Instantiates the module as soon as it is there. */
  startAsync(source: Source | PromiseLike<Source>): Promise<void>
}

/** How a package starts over the bindings of a module. */
export function starting<Binding extends Loading>(binding: Binding, engine: (binding: Binding, memory: Memory, guard: Guard) => Engine): Starting {
  const begin = (memory: Memory, runtime: Runtime): void => start(engine(binding, memory, new Guard()), runtime)
  return {
    startSync: (module, runtime = {}) => begin(binding.initSync({ module: module as never }).memory, runtime),
    startAsync: async source => begin((await binding.load({ module_or_path: source as never })).memory, {}),
  }
}
