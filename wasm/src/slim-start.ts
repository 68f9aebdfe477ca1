import load, * as binding from '../build/slim/llmspan_wasm.js'
import { sharedBy, slimEngine } from './engine.js'
import { starting } from './starting.js'

export const { startSync, startAsync } = starting({ ...binding, load }, (bound, memory, guard) => slimEngine(bound, sharedBy(bound, memory, guard)))
