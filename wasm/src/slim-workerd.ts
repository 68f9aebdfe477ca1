/** Entry point for Cloudflare Workers, which import WebAssembly as a compiled module. */
import module from '../../../llmspan-slim.wasm'
import { startSync } from './slim-start.js'

startSync(module, { isPerRequest: true })

export * from './slim.js'
