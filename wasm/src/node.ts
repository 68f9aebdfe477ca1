/** Entry point for Node, Deno and Bun: reads the module from its file. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate } from 'node:timers'

import { read } from '../read.cjs'
import { watchProcess } from '../../js/platform.js'
import { startSync } from './start.js'

startSync(read('llmspan.wasm'), { storage: new AsyncLocalStorage(), soon: run => void setImmediate(run) })
watchProcess('llmspan-wasm')

export * from '../../js/index.js'
