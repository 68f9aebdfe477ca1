import { CohereClientV2 } from 'cohere-ai'
import { run } from './run.mjs'
import { MESSAGES } from './stainless.mjs'

const client = base => new CohereClientV2({ token: 'k', environment: base })
const asked = ({ retries, timeoutMs, signal }) => ({
  maxRetries: retries,
  abortSignal: signal,
  // Its timers outlive requests that fail, and with them the process.
  timeoutInSeconds: (timeoutMs ?? 10_000) / 1000,
})

run({
  cohere: {
    provider: 'cohere',
    finish: 'COMPLETE',
    toolFinish: 'TOOL_CALL',
    retryAfter: 'retry-after=1',
    retryAfterMs: 1000,
    stream: (base, options) => client(base).chatStream({ model: options.model, messages: MESSAGES }, asked(options)),
    whole: (base, options) => client(base).chat({ model: options.model, messages: MESSAGES }, asked(options)),
  },
})
