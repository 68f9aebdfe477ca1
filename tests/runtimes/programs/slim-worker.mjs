import * as slim from 'llmspan-wasm/slim'

import { runSlim } from './checks.mjs'

export default {
  async fetch() {
    return Response.json(await runSlim(slim))
  },
}
