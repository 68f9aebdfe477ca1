// Makes the package of each platform in `npm/` from the addons that were built for them, and names the packages as optional
// dependencies. Use, in the folder of the package: node scripts/platforms.mjs FOLDER-WITH-ADDONS
import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const [addons] = process.argv.slice(2)
if (addons === undefined) throw new Error('which folder has the addons?')
const cli = join(dirname(createRequire(import.meta.url).resolve('@napi-rs/cli/package.json')), 'dist/cli.js')
const napi = (...options) => execFileSync(process.execPath, [cli, ...options], { stdio: ['ignore', 'ignore', 'pipe'] })

rmSync('npm', { recursive: true, force: true })
napi('create-npm-dirs')
napi('artifacts', '--output-dir', addons)
napi('pre-publish', '--skip-optional-publish', '--no-gh-release', '--tag-style', 'npm')
// The addons are copied next to the package too, which would publish all of them to everyone.
for (const name of readdirSync('.').filter((name) => name.endsWith('.node'))) rmSync(name)

const { version, napi: { targets }, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
const platforms = readdirSync('npm')
if (platforms.length !== targets.length) throw new Error(`${platforms.length} packages for ${targets.length} targets`)
for (const platform of platforms) {
  const home = join('npm', platform)
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  for (const license of ['LICENSE-APACHE', 'LICENSE-MIT']) {
    copyFileSync(license, join(home, license))
    manifest.files.push(license)
  }
  for (const file of manifest.files) if (!readdirSync(home).includes(file)) throw new Error(`${manifest.name} has no ${file}`)
  if (optionalDependencies?.[manifest.name] !== version) throw new Error(`${manifest.name} ${version} is no optional dependency`)
  writeFileSync(join(home, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}
console.log(`${platforms.length} packages of platforms, version ${version}`)
