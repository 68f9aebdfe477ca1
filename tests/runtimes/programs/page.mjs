// A page: leaves what the checks gave where the test finds it.
import * as llmspan from 'llmspan-wasm'

import { run } from './checks.mjs'

globalThis.result = await run(llmspan, location.origin)
