import './setup.js'

export * from '../../js/index.js'
export { ChromeTrace, JsonLines, type FileStats } from './files.js'
