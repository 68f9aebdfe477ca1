// Node, Deno and Bun: prints what the checks gave.
import * as llmspan from 'llmspan-wasm'

import { run } from './checks.mjs'

console.log(`RESULT ${JSON.stringify(await run(llmspan, process.env.ORIGIN))}`)
