// Compiles the package twice: as ES modules and as CommonJS, each with its types.
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const home = fileURLToPath(new URL('..', import.meta.url))
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const compile = (...options) => execFileSync(process.execPath, [tsc, '-p', home, ...options], { cwd: home, stdio: 'inherit' })

rmSync(`${home}/dist`, { recursive: true, force: true })
compile('--outDir', 'dist/esm')
compile('--outDir', 'dist/cjs', '--module', 'commonjs', '--moduleResolution', 'node10')
writeFileSync(`${home}/dist/cjs/package.json`, '{ "type": "commonjs" }\n')
// The addon is where the sources have it, seen from either.
for (const form of ['esm', 'cjs']) writeFileSync(`${home}/dist/${form}/node/binding.cjs`, "module.exports = require('../../../binding.cjs')\n")
