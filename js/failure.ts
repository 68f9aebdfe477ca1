/** What an exception says of a failure. */
export interface Failure {
  errorType?: string | undefined
  statusCode?: number | undefined
  message?: string | undefined
  abortLike?: boolean | undefined
}

/** Describes an exception: its HTTP status code, if it has one, else its class. Never throws. */
export function describe(error: unknown): Failure {
  const message = text(error)
  if (isAbort(error)) return { errorType: name(error), message, abortLike: true }
  const statusCode = status(error)
  if (statusCode !== undefined) return { statusCode, message, abortLike: false }
  return { errorType: errorType(error), message, abortLike: false }
}

/** Whether an exception is how JavaScript and the SDKs show an abort. */
export function isAbort(error: unknown): boolean {
  const word = name(error)
  return word === 'AbortError' || constructorName(error) === 'APIUserAbortError'
}

function errorType(error: unknown): string {
  const code = read(read(error, 'cause'), 'code') ?? read(error, 'code')
  // Some clients abort with a word.
  if (typeof error === 'string' && /^time(d[ -]?)?out$/i.test(error)) return 'timeout'
  for (const word of [name(error), constructorName(error)]) {
    if (/Timeout(Error)?$/.test(word)) return 'timeout'
    if (/(Connection|Network|Socket|Transport)Error$/.test(word)) return 'network'
  }
  if (typeof code === 'string') {
    if (/TIMEOUT|ETIMEDOUT/.test(code)) return 'timeout'
    if (/^(UND_ERR_SOCKET|ECONN|ENOTFOUND|EAI_|EPIPE|EHOST|ENET)/.test(code)) return 'network'
  }
  // What `fetch` throws for everything that is wrong with a connection (Fetch Standard, "network error").
  if (name(error) === 'TypeError' && /fetch|network|terminated|load failed/i.test(text(error) ?? '')) return 'network'
  return constructorName(error) || name(error) || '_OTHER'
}

function status(error: unknown): number | undefined {
  const holders = [error, read(error, 'response')]
  for (const holder of holders) {
    for (const key of ['status', 'statusCode']) {
      const code = read(holder, key)
      if (typeof code === 'number' && Number.isInteger(code) && code >= 100 && code <= 999) return code
    }
  }
  return undefined
}

function name(error: unknown): string {
  const word = read(error, 'name')
  return typeof word === 'string' ? word : ''
}

function constructorName(error: unknown): string {
  const word = read(read(error, 'constructor'), 'name')
  return typeof word === 'string' ? word : ''
}

function text(error: unknown): string | undefined {
  const message = typeof error === 'string' ? error : read(error, 'message')
  return typeof message === 'string' ? message : undefined
}

/** A property, if it is there and can be read. */
export function read(holder: unknown, key: PropertyKey): unknown {
  try {
    return (holder as Record<PropertyKey, unknown> | null | undefined)?.[key]
  } catch {
    return undefined
  }
}
