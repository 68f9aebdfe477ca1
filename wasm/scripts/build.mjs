// Compiles the package twice: as ES modules and as CommonJS, each with its types. `cargo xtask wasm` has made its modules.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

import { transformSync } from 'esbuild'

const home = fileURLToPath(new URL('..', import.meta.url))
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const compile = project => execFileSync(process.execPath, [tsc, '-p', `${home}/${project}`], { cwd: home, stdio: 'inherit' })

rmSync(`${home}/dist`, { recursive: true, force: true })
compile('tsconfig.json')
compile('tsconfig.cjs.json')
for (const name of ['llmspan.wasm', 'llmspan-slim.wasm']) copyFileSync(`${home}/build/${name}`, `${home}/dist/${name}`)
copyFileSync(`${home}/module.d.ts`, `${home}/dist/module.d.ts`)
writeFileSync(`${home}/dist/cjs/package.json`, '{ "type": "commonjs" }\n')
for (const form of ['esm', 'cjs']) {
  const out = `${home}/dist/${form}/wasm`
  for (const name of ['read.cjs', 'read.d.cts']) copyFileSync(`${home}/${name}`, `${out}/${name}`)
  for (const build of ['full', 'slim']) {
    const glue = 'llmspan_wasm.js'
    mkdirSync(`${out}/build/${build}`, { recursive: true })
    // What is left for garbage collection is freed by the package, which knows whether the module is in order.
    const source = `const FinalizationRegistry = undefined\n${readFileSync(`${home}/build/${build}/${glue}`, 'utf8')}`
    writeFileSync(`${out}/build/${build}/${glue}`, transformSync(source, { format: form, target: 'es2022', minify: true }).code)
  }
}
