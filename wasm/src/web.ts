/** Entry point for browsers and bundlers: fetches the module from where it lies next to the code. */
import { startAsync } from './start.js'

await startAsync(new URL('../../../llmspan.wasm', import.meta.url))

export * from '../../js/index.js'
