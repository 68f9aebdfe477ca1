import OpenAI from 'openai'
import { run } from './run.mjs'
import { asked, completions, of, PROMPT, stainless } from './stainless.mjs'

const create = (base, options, more) =>
  of(OpenAI, `${base}/v1`, options).responses.create({ model: options.model, input: PROMPT, ...more }, asked(options))

run({
  'openai.chat': { provider: 'openai', ...completions(OpenAI, '/v1', { stream_options: { include_usage: true } }) },
  'openai.responses': {
    ...stainless,
    provider: 'openai',
    finish: 'completed',
    toolFinish: 'completed',
    stream: (base, options) => create(base, options, { stream: true }),
    whole: (base, options) => create(base, options, {}),
  },
})
