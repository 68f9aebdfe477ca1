import * as slim from 'llmspan-wasm/slim'

import { runSlim } from './checks.mjs'

console.log(`RESULT ${JSON.stringify(await runSlim(slim))}`)
