import { Mistral } from '@mistralai/mistralai'
import { run } from './run.mjs'
import { MESSAGES } from './stainless.mjs'

const chat = (base, { retries, timeoutMs }) =>
  new Mistral({
    apiKey: 'k',
    serverURL: base,
    ...(timeoutMs && { timeoutMs }),
    ...(retries && {
      retryConfig: {
        strategy: 'backoff',
        // It counts no retries: it stops when the time is up.
        backoff: { initialInterval: 10, maxInterval: 1000, exponent: 1, maxElapsedTime: retries > 1 ? 9000 : 900 },
        retryConnectionErrors: false,
      },
    }),
  }).chat
const asked = ({ signal }) => (signal ? { fetchOptions: { signal } } : {})

run({
  mistralai: {
    provider: 'mistral_ai',
    finish: 'stop',
    toolFinish: 'tool_calls',
    retryAfter: 'retry-after=1',
    retryAfterMs: 1000,
    hasDeadline: true,
    // It sends a copy of its request. Node 20 tells a copy of an abort only as long as nothing has collected the original.
    losesAborts: true,
    stream: (base, options) => chat(base, options).stream({ model: options.model, messages: MESSAGES }, asked(options)),
    whole: (base, options) => chat(base, options).complete({ model: options.model, messages: MESSAGES }, asked(options)),
  },
})
