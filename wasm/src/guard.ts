import { LlmspanError } from '../../js/error.js'
import { registry, warn } from '../../js/platform.js'
import type { Held } from './binding.js'

/**
 * Stands between the package and its module. After a trap nothing can be said of the memory of a module: it is not entered any
 * more, there is one warning, and the application goes on without telemetry.
 */
export class Guard {
  isOff = false

  /** Runs something of the module; `otherwise` once it has broken down. */
  run<Result>(run: () => Result, otherwise: () => Result): Result {
    if (this.isOff) return otherwise()
    try {
      return run()
    } catch (error) {
      this.caught(error)
      return otherwise()
    }
  }

  /** Takes what something of the module threw: its breakdown, or an error that goes further. */
  caught(error: unknown): void {
    if (!isBreakdown(error)) throw error
    this.isOff = true
    warn('the engine of llmspan broke down and is off: calls are not recorded any more', error)
  }

  /** Uses something of the module for a moment. */
  with<Value extends Held, Result>(value: Value, use: (value: Value) => Result): Result {
    let result: Result
    try {
      result = use(value)
    } catch (error) {
      if (!isBreakdown(error)) this.free(value)
      throw error
    }
    this.free(value)
    return result
  }

  /** Frees something of the module, unless the module has broken down. */
  free(value: Held): void {
    this.run(
      () => value.free(),
      () => undefined,
    )
  }

  /** Has something of the module freed when its owner is garbage, where the runtime tells. */
  freeWith(owner: object, value: Held): void {
    this.owners.register(owner, value, owner)
  }

  /** Frees it before. */
  freeOf(owner: object, value: Held): void {
    this.owners.unregister(owner)
    this.free(value)
  }

  private readonly owners = registry<Held>(value => this.free(value))
}

/** Says that the engine cannot give what is asked for. */
export function unavailable(what: string): never {
  throw new LlmspanError(what, 'unavailable')
}

/** Whether an exception left the module in the middle of something: all but errors that it returned, and arguments of a wrong type. */
function isBreakdown(error: unknown): boolean {
  if (!(error instanceof Object) || 'code' in error) return false
  return (error as { name?: unknown }).name !== 'TypeError'
}
