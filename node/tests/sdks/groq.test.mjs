import Groq from 'groq-sdk'
import { run } from './run.mjs'
import { completions } from './stainless.mjs'

run({ groq: { provider: 'groq', served: 'protocol=groq', ...completions(Groq, '', {}) } })
