/**
 * The OpenTelemetry context in which a call begins, in programs that use OpenTelemetry.
 *
 * Nothing of OpenTelemetry is imported: what an application registers with `@opentelemetry/api` stands where all copies of
 * that package look for it, under names that are the same in all its releases of major version 1.
 */

/** What is used of a context. */
export interface AmbientContext {
  getValue(key: symbol): unknown
  setValue(key: symbol, value: unknown): AmbientContext
  deleteValue(key: symbol): AmbientContext
}

/** What surrounds a call. It holds on to the current span and to plain values of the context alone. */
export class Origin {
  /** Trace of the span that is current when the call begins, 32 hex digits; `undefined` where none is. */
  readonly traceId: string | undefined
  /** That span, 16 hex digits. */
  readonly spanId: string | undefined
  /** The context, with what sinks have added. */
  context: AmbientContext
  private inner: AmbientSpan | undefined
  private own: unknown

  constructor(
    context: AmbientContext,
    private readonly span: AmbientSpan | undefined,
  ) {
    this.context = calm(context, span)
    const ids = span?.spanContext()
    const isValid = ids !== undefined && VALID_TRACE.test(ids.traceId) && VALID_SPAN.test(ids.spanId)
    this.traceId = isValid ? ids.traceId : undefined
    this.spanId = isValid ? ids.spanId : undefined
  }

  /** Takes note of a span that began after the call: a library may have made it for the same request. */
  attemptBegins(): void {
    try {
      const span = manager()?.active().getValue(SPAN) as AmbientSpan | undefined
      if (span && span !== this.span && span !== this.own && span.isRecording()) this.inner = span
    } catch {
      // A context manager that fails tells nothing.
    }
  }

  /** Takes the context that comes back to sinks, and the span of the call that one of them has begun. */
  begun(context: AmbientContext, span: unknown): void {
    this.context = context
    this.own = span
  }

  /** The context for sinks, in which {@link INNER} is the span that the last attempt began in. */
  take(): AmbientContext {
    return this.inner ? this.context.setValue(INNER, this.inner) : this.context
  }
}

/** Takes note of the current context; `undefined` in a program without OpenTelemetry. Throws nothing. */
export function origin(): Origin | undefined {
  try {
    const context = manager()?.active()
    return context && new Origin(context, context.getValue(SPAN) as AmbientSpan | undefined)
  } catch {
    return undefined
  }
}

/** Runs something in a context, an empty one when it is not said; just runs it in a program without OpenTelemetry. */
export function within<Result>(context: AmbientContext | undefined, run: () => Result): Result {
  const contexts = manager()
  return contexts ? contexts.with(context ?? NOTHING, run) : run()
}

/** Runs something of which no spans are to be written, such as an export. */
export function unseen<Result>(run: () => Result): Result {
  return within(UNSEEN, run)
}

/** Key of the context that sinks get. */
export const INNER = Symbol.for('llmspan inner span')

/** Key of contexts in which nothing is traced, of `@opentelemetry/core`. */
export const SUPPRESSED = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

interface AmbientSpan {
  spanContext(): { traceId: string; spanId: string }
  isRecording(): boolean
}

interface ContextManager {
  active(): AmbientContext
  with<Result>(context: AmbientContext, run: () => Result): Result
}

/** A context of values that stand for themselves. */
class Calm implements AmbientContext {
  constructor(private readonly values: ReadonlyMap<symbol, unknown>) {}

  getValue(key: symbol): unknown {
    return this.values.get(key)
  }

  setValue(key: symbol, value: unknown): AmbientContext {
    return new Calm(new Map(this.values).set(key, value))
  }

  deleteValue(key: symbol): AmbientContext {
    const values = new Map(this.values)
    values.delete(key)
    return new Calm(values)
  }
}

/**
 * The context without what nobody knows what hangs on it, such as a request: an open call must not keep that, or itself, from
 * becoming garbage.
 */
function calm(context: AmbientContext, span: unknown): AmbientContext {
  const { _currentContext: all } = context as { _currentContext?: unknown }
  const isKept = (key: unknown, value: unknown): boolean => value === span || key === BAGGAGE || isPlain(value)
  if (all instanceof Map) {
    let areAll = true
    for (const [key, value] of all) areAll &&= isKept(key, value)
    return areAll ? context : new Calm(new Map([...all].filter(([key, value]) => isKept(key, value)) as [symbol, unknown][]))
  }
  // A context of somebody else does not tell what is in it.
  const known = [SPAN, BAGGAGE, SUPPRESSED].map(key => [key, context.getValue(key)] as const)
  return new Calm(new Map(known.filter(([, value]) => value !== undefined)))
}

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object') return typeof value !== 'function'
  if (value === null) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) return false
  const parts: unknown[] = Object.values(value)
  return parts.length <= MOST_PARTS && parts.every(part => part === null || (typeof part !== 'object' && typeof part !== 'function'))
}

function manager(): ContextManager | undefined {
  return (globalThis as unknown as { [key: symbol]: { context?: ContextManager } | undefined })[API]?.context
}

const API = Symbol.for('opentelemetry.js.api.1')
const SPAN = Symbol.for('OpenTelemetry Context Key SPAN')
const BAGGAGE = Symbol.for('OpenTelemetry Baggage Key')
const VALID_TRACE = /^(?!0{32})[0-9a-f]{32}$/i
const VALID_SPAN = /^(?!0{16})[0-9a-f]{16}$/i
const NOTHING: AmbientContext = new Calm(new Map())
const UNSEEN = NOTHING.setValue(SUPPRESSED, true)

/** Parts of a value that are looked at. */
const MOST_PARTS = 64
