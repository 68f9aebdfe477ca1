import load, * as binding from '../build/full/llmspan_wasm.js'
import { fullEngine } from './full.js'
import { starting } from './starting.js'

export const { startSync, startAsync } = starting({ ...binding, load }, fullEngine)
