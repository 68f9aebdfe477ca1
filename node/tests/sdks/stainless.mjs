// What the SDKs have in common that Stainless generates, and what all are asked.

export const PROMPT = 'Say hello.'
export const MESSAGES = [{ role: 'user', content: PROMPT }]

/** They count what they repeat, wait as the server asks, and show by what a stream is aborted. */
export const stainless = {
  retryAfter: 'retry-after-ms=60',
  retryAfterMs: 60,
  honoursDelays: true,
  countsRetries: true,
}

/** A client. `timeoutOf` says whether the timeout is of the client or of the request. */
export const of = (Sdk, base, { retries, timeoutMs, timeoutOf }) =>
  new Sdk({ apiKey: 'k', baseURL: base, maxRetries: retries, ...(timeoutMs && timeoutOf === 'client' && { timeout: timeoutMs }) })

/** Options of one request. */
export const asked = ({ signal, timeoutMs, timeoutOf }) => ({ signal, ...(timeoutMs && timeoutOf !== 'client' && { timeout: timeoutMs }) })

/** Chat completions of an SDK that has them as OpenAI's. */
export function completions(Sdk, suffix, more) {
  const create = (base, options, body) => of(Sdk, `${base}${suffix}`, options).chat.completions.create(body, asked(options))
  return {
    ...stainless,
    finish: 'stop',
    toolFinish: 'tool_calls',
    stream: (base, options) => create(base, options, { model: options.model, messages: MESSAGES, stream: true, ...more }),
    whole: (base, options) => create(base, options, { model: options.model, messages: MESSAGES }),
  }
}
