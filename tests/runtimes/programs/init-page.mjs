// A bundler that knows nothing of WebAssembly gives the file a name of its own, and the program hands it over.
import * as llmspan from 'llmspan-wasm/init'
import url from 'llmspan-wasm/wasm'

import { run } from './checks.mjs'

await llmspan.init(new URL(url, import.meta.url))
globalThis.result = await run(llmspan, location.origin)
