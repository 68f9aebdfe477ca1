import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogle } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { generateText, jsonSchema, streamText, tool } from 'ai'
import { run } from './run.mjs'
import { PROMPT } from './stainless.mjs'

globalThis.AI_SDK_LOG_WARNINGS = false

/** Parts of the full stream, which the SDK makes of every provider's. */
function vercel(modelOf, more) {
  const asked = (base, { model, retries, timeoutMs, signal }) => ({
    model: modelOf(base, model),
    prompt: PROMPT,
    maxRetries: retries,
    abortSignal: timeoutMs ? AbortSignal.timeout(timeoutMs) : signal,
    tools: { get_weather: tool({ inputSchema: jsonSchema({ type: 'object' }) }) },
  })
  return {
    retryAfter: 'retry-after-ms=60',
    retryAfterMs: 60,
    honoursDelays: true,
    isVercel: true,
    hasDeadline: true,
    partsFinish: 'stop',
    stream: (base, options) => streamText({ ...asked(base, options), onError: () => undefined }).fullStream,
    async whole(base, options) {
      const { text, finishReason, usage } = await generateText(asked(base, options))
      return { text, finishReason, usage }
    },
    ...more,
  }
}

const openai = base => createOpenAI({ apiKey: 'k', baseURL: `${base}/v1` })

run({
  'ai.openai.chat': vercel((base, model) => openai(base).chat(model), {
    provider: 'openai',
    finish: 'stop',
    toolFinish: 'tool_calls',
  }),
  'ai.openai.responses': vercel((base, model) => openai(base).responses(model), {
    provider: 'openai',
    finish: 'completed',
    toolFinish: 'completed',
  }),
  'ai.anthropic': vercel((base, model) => createAnthropic({ apiKey: 'k', baseURL: `${base}/v1` })(model), {
    provider: 'anthropic',
    finish: 'end_turn',
    toolFinish: 'tool_use',
  }),
  'ai.google': vercel((base, model) => createGoogle({ apiKey: 'k', baseURL: `${base}/v1beta` })(model), {
    provider: 'gcp.gemini',
    finish: 'STOP',
    toolFinish: 'STOP',
  }),
})
