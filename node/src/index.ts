import './setup.js'

export * from '../../js/index.js'
export { ChromeTrace, JsonLines } from './files.js'
