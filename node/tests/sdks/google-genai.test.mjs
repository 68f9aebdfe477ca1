import { GoogleGenAI } from '@google/genai'
import { run } from './run.mjs'
import { PROMPT } from './stainless.mjs'

const models = (base, { retries, timeoutMs }) =>
  new GoogleGenAI({
    apiKey: 'k',
    httpOptions: { baseUrl: base, timeout: timeoutMs, retryOptions: { attempts: retries + 1, initialDelay: 0.06, jitter: 0 } },
  }).models
const content = ({ model, signal }) => ({ model, contents: PROMPT, config: { abortSignal: signal } })

run({
  'google-genai': {
    provider: 'gcp.gemini',
    finish: 'STOP',
    toolFinish: 'STOP',
    retryAfter: 'retry-after-ms=60',
    retryAfterMs: 60,
    hasDeadline: true,
    stream: (base, options) => models(base, options).generateContentStream(content(options)),
    async whole(base, options) {
      const { text, usageMetadata } = await models(base, options).generateContent(content(options))
      return { text, usageMetadata }
    },
  },
})
