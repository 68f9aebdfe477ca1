/** The stable names of what goes wrong when the API is misused, the same in every language. */
export type ErrorCode =
  | 'invalid_config'
  | 'invalid_event'
  | 'invalid_record'
  | 'invalid_snapshot'
  | 'too_large'
  | 'unavailable'
  | 'unknown_call'
  | 'unknown_profile'
  | 'unknown_protocol'
  | 'unsupported_version'

/** What goes wrong when the API is misused. Whatever a server sends never throws: it is counted in the record. */
export class LlmspanError extends Error {
  override readonly name = 'LlmspanError'

  constructor(
    message: string,
    /** The stable name of the kind of error. */
    readonly code: ErrorCode,
  ) {
    super(message)
  }
}

/** Runs something of the engine; what it throws becomes an error of the package. */
export function raising<Result>(run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    const { message, code } = error as { message?: unknown; code?: unknown }
    if (typeof code === 'string' && /^[a-z_]+$/.test(code)) throw new LlmspanError(String(message), code as ErrorCode)
    throw error
  }
}
