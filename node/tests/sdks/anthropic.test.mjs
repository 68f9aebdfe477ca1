import Anthropic from '@anthropic-ai/sdk'
import { run } from './run.mjs'
import { asked, MESSAGES, of, stainless } from './stainless.mjs'

const messages = (base, options) => of(Anthropic, base, options).messages
const body = ({ model }) => ({ model, max_tokens: 64, messages: MESSAGES })
const shared = { ...stainless, provider: 'anthropic', finish: 'end_turn', toolFinish: 'tool_use' }

run({
  anthropic: {
    ...shared,
    stream: (base, options) => messages(base, options).create({ ...body(options), stream: true }, asked(options)),
    whole: (base, options) => messages(base, options).create(body(options), asked(options)),
  },
  'anthropic.stream': {
    ...shared,
    // It reads on by itself, and is left by an abort of its own, as far as the wire can tell.
    readsAhead: true,
    breaksByAbort: true,
    stream: (base, options) => messages(base, options).stream(body(options), asked(options)),
  },
})
