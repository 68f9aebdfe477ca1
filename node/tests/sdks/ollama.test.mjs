import { Ollama } from 'ollama'
import { run } from './run.mjs'
import { MESSAGES } from './stainless.mjs'

/** This SDK takes no signal: its client aborts, and the streams with it that have begun. */
function client(base, { signal }) {
  const made = new Ollama({ host: base })
  signal?.addEventListener('abort', () => made.abort())
  return made
}

run({
  ollama: {
    provider: 'ollama',
    finish: 'stop',
    toolFinish: 'stop',
    abortsStreams: true,
    tellsResponse: false,
    stream: (base, options) => client(base, options).chat({ model: options.model, messages: MESSAGES, stream: true }),
    whole: (base, options) => client(base, options).chat({ model: options.model, messages: MESSAGES }),
  },
})
