// Workerd: answers with what the checks gave.
import * as llmspan from 'llmspan-wasm'

import { run } from './checks.mjs'

export default {
  async fetch(_request, env) {
    return Response.json(await run(llmspan, env.ORIGIN))
  },
}
