import * as slim from 'llmspan-wasm/slim'

import { runSlim } from './checks.mjs'

globalThis.result = await runSlim(slim)
