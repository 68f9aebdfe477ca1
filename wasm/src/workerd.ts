/** Entry point for Cloudflare Workers, which import WebAssembly as a compiled module. */
import module from '../../../llmspan.wasm'
import { startSync } from './start.js'

startSync(module, { isPerRequest: true })

export * from '../../js/index.js'
