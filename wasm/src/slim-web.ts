/** Entry point for browsers and bundlers: fetches the module from where it lies next to the code. */
import { startAsync } from './slim-start.js'

await startAsync(new URL('../../../llmspan-slim.wasm', import.meta.url))

export * from './slim.js'
