/** Runs the same checks in every runtime, on the installed package, and compares what comes out. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { build as bundle } from 'esbuild'
import { Miniflare } from 'miniflare'
import { chromium } from 'playwright-core'
import { build as vite } from 'vite'

import { startHost } from './host.mjs'

const HERE = dirname(fileURLToPath(import.meta.url))
const PROGRAMS = join(HERE, 'programs')
const OUT = join(HERE, 'out')

let host
let browser
let profile

before(async () => {
  await rm(OUT, { recursive: true, force: true })
  const captures = process.env.LLMSPAN_CAPTURES
  const names = (await readdir(captures)).filter(name => name.endsWith('.jsonl')).sort()
  const logs = await Promise.all(names.map(name => readFile(join(captures, name), 'utf8')))
  assert.ok(logs.length > 0)
  host = await startHost(process.env.LLMSPAN_FAULTS, logs, {
    vite: join(OUT, 'vite'),
    esbuild: join(OUT, 'esbuild'),
    files: HERE,
  })
  profile = await mkdtemp(join(tmpdir(), 'llmspan-chromium-'))
  browser = await chromium.launchPersistentContext(profile, { executablePath: '/usr/bin/chromium', args: CHROMIUM })
})

after(async () => {
  await browser?.close()
  host?.close()
  if (profile) await rm(profile, { recursive: true, force: true })
})

test('node', () => inProcess(process.execPath, []))

// Its package `deno` would look for the binaries of all platforms.
test('deno', () => inProcess(join(HERE, 'node_modules/@deno/linux-x64-glibc/deno'), ['run', '--no-lock', '--allow-env', '--allow-net', '--allow-read']))

test('bun', () => inProcess(tool('bun'), ['run']))

test('workerd', async () => {
  const conditions = ['workerd', 'worker', 'browser']
  for (const flags of [[], ['nodejs_compat']]) {
    const answer = await inWorker('worker', conditions, flags)
    expectAll(answer, 'stands still')
  }
  expectSlim(await inWorker('slim-worker', conditions, []))
})

test('a proxy in workerd', async () => {
  const bindings = { UPSTREAM: `${host.origin}/s/chunks=4`, OTLP_URL: `${host.origin}/v1/traces` }
  const worker = await startWorker(process.env.LLMSPAN_WORKER, ['workerd', 'worker', 'browser'], ['nodejs_compat'], bindings)
  try {
    const body = JSON.stringify({ model: 'gpt-4.1-mini', stream: true, messages: [{ role: 'user', content: 'Hi' }] })
    const headers = { 'content-type': 'application/json', authorization: 'Bearer none' }
    const answer = await worker.dispatchFetch('http://worker/v1/chat/completions', { method: 'POST', headers, body })
    assert.equal(answer.status, 200)
    assert.match(await answer.text(), /data: \[DONE\]\n\n$/)
    const spans = await eventually(() => host.posted.at(0)?.resourceSpans[0].scopeSpans[0].spans)
    const call = spans.find(span => span.name === 'chat gpt-4.1-mini')
    assert.ok(call, JSON.stringify(spans))
    const attributes = Object.fromEntries(call.attributes.map(({ key, value }) => [key, value]))
    assert.equal(attributes['gen_ai.response.model'].stringValue, 'gpt-4.1-mini')
    assert.equal(attributes['server.address'].stringValue, '127.0.0.1')
  } finally {
    await worker.dispose()
  }
})

test('chromium, without a bundler', async () => {
  const imports = {
    'llmspan-wasm': '/files/node_modules/llmspan-wasm/dist/esm/wasm/src/web.js',
    'llmspan-wasm/slim': '/files/node_modules/llmspan-wasm/dist/esm/wasm/src/slim-web.js',
  }
  for (const program of ['page', 'slim-page']) {
    await write('esbuild', `${program}-plain.html`, page(`/files/programs/${program}.mjs`, imports))
  }
  expectAll(await inPage('/esbuild/page-plain.html'), 'runs')
  expectSlim(await inPage('/esbuild/slim-page-plain.html'))
})

test('chromium, bundled by vite', async () => {
  await write('src', 'index.html', page('/page.mjs'))
  for (const name of ['page.mjs', 'checks.mjs']) await write('src', name, await readFile(join(PROGRAMS, name), 'utf8'))
  await vite({
    root: join(OUT, 'src'),
    base: '/vite/',
    logLevel: 'warn',
    build: { outDir: join(OUT, 'vite'), emptyOutDir: true, target: 'es2022' },
  })
  expectAll(await inPage('/vite/'), 'runs')
})

test('chromium, bundled by esbuild', async () => {
  const outdir = join(OUT, 'esbuild')
  await bundle({
    entryPoints: [join(PROGRAMS, 'init-page.mjs')],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    loader: { '.wasm': 'file' },
    logLevel: 'warning',
  })
  await write('esbuild', 'init.html', page('/esbuild/init-page.mjs'))
  expectAll(await inPage('/esbuild/init.html'), 'runs')
})

/** What a runtime answered against what has to come out. */
function expectAll(answer, clock) {
  const { by_hand, fetch_stream, retry, retry_of_call, cancel, abort, replay, views, no_pause, wall_clock } = answer
  const text = { waits: 0, reason: null, error: null }
  // Three bytes of UTF-8, a quarter and half a second after the start.
  assert.deepEqual(by_hand, [
    { outcome: 'success', attempts: 1, ttft_ns: 250_000_000, duration_ns: 500_000_000, usage: null, bytes: 3, ...text },
  ])

  assert.equal(fetch_stream.same, true)
  assert.equal(fetch_stream.length, true)
  const [streamed] = fetch_stream.records
  // The first piece comes 20 ms behind the head; clocks are coarse.
  assert.equal(fetch_stream.records.length, 1)
  assert.equal(streamed.outcome, 'success')
  assert.deepEqual(streamed.usage, { input: 21, output: 9 })
  assert.ok(streamed.ttft_ns >= 15e6 && streamed.ttft_ns <= streamed.duration_ns, JSON.stringify(streamed))

  for (const records of [retry, retry_of_call]) {
    const calls = records.map(({ outcome, attempts, waits, reason }) => ({ outcome, attempts, waits, reason }))
    assert.deepEqual(calls, [{ outcome: 'success', attempts: 2, waits: 1, reason: 'rate_limit' }])
  }

  assert.deepEqual(cancel.map(({ outcome }) => outcome), ['interrupted'])
  assert.equal(abort.error, 'AbortError')
  assert.deepEqual(abort.records.map(({ outcome }) => outcome), ['cancelled'])

  // Byte for byte what the first runtime made of them; that one is compared with Rust by the vectors.
  replayed ??= replay
  assert.ok(replay.length > 0 && replay.every(records => records.length === 1))
  assert.deepEqual(replay, replayed)

  assert.deepEqual(views, { explain: true, waterfall: true, html: true, attributes: true, chrome: true })

  // A time of zero is never sold as truth; in workers there are such.
  for (const { stood, frozen, said } of no_pause) {
    assert.ok(frozen || !stood)
    assert.equal(said, frozen)
  }
  if (clock === 'stands still') assert.ok(no_pause.some(({ stood }) => stood))
  assert.ok(Math.abs(wall_clock.off_by_ms) < 60_000, `${wall_clock.off_by_ms}`)
}

let replayed

function expectSlim({ by_hand, version }) {
  assert.match(version, /^\d+\.\d+\.\d+/)
  assert.equal(by_hand.length, 1)
  assert.deepEqual([by_hand[0].outcome, by_hand[0].ttft_ns, by_hand[0].bytes], ['success', 250_000_000, 3])
}

async function inProcess(program, args) {
  expectAll(await printed(program, [...args, 'programs/main.mjs']), 'runs')
  expectSlim(await printed(program, [...args, 'programs/slim-main.mjs']))
}

/** The result that a program prints. */
async function printed(program, args) {
  const env = { ...process.env, ORIGIN: host.origin, NO_COLOR: '1' }
  const { stdout } = await promisify(execFile)(program, args, { cwd: HERE, env, timeout: 60_000 })
  const line = stdout.split('\n').find(line => line.startsWith('RESULT '))
  assert.ok(line, stdout)
  return JSON.parse(line.slice('RESULT '.length))
}

async function inPage(path) {
  const tab = await browser.newPage()
  const errors = []
  tab.on('pageerror', error => errors.push(String(error)))
  tab.on('console', message => message.type() === 'error' && errors.push(message.text()))
  await tab.goto(host.origin + path)
  try {
    await tab.waitForFunction(() => globalThis.result !== undefined, undefined, { timeout: 30_000 })
  } catch (error) {
    assert.fail(`${error}\n${errors.join('\n')}`)
  }
  const result = await tab.evaluate(() => globalThis.result)
  await tab.close()
  return result
}

async function inWorker(name, conditions, flags) {
  const worker = await startWorker(join(PROGRAMS, `${name}.mjs`), conditions, flags, { ORIGIN: host.origin })
  try {
    const response = await worker.dispatchFetch('http://worker/')
    assert.equal(response.status, 200, await response.clone().text())
    return await response.json()
  } finally {
    await worker.dispose()
  }
}

/** Bundles a worker as wrangler does, its WebAssembly beside it, and starts it. */
async function startWorker(program, conditions, compatibilityFlags, bindings) {
  const outdir = join(OUT, `worker${(workers += 1)}`)
  await bundle({
    entryPoints: { worker: program },
    outdir,
    bundle: true,
    format: 'esm',
    conditions,
    external: ['node:*', 'cloudflare:*'],
    loader: { '.wasm': 'copy' },
    // The program may lie outside of the folder that the package is installed in.
    nodePaths: [join(HERE, 'node_modules')],
    outExtension: { '.js': '.mjs' },
    logLevel: 'warning',
  })
  return new Miniflare({
    modules: true,
    rootPath: outdir,
    scriptPath: 'worker.mjs',
    modulesRules: [{ type: 'CompiledWasm', include: ['**/*.wasm'] }],
    compatibilityDate: '2026-04-01',
    compatibilityFlags,
    bindings,
  })
}

let workers = 0

/** What is there before a deadline has passed. */
async function eventually(look) {
  const until = performance.now() + 20_000
  for (;;) {
    const found = look()
    if (found !== undefined) return found
    assert.ok(performance.now() < until, 'nothing came in time')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

async function write(folder, name, text) {
  await mkdir(join(OUT, folder), { recursive: true })
  await writeFile(join(OUT, folder, name), text)
}

function page(script, imports = {}) {
  return `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>llmspan</title>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module" src="${script}"></script>`
}

function tool(name) {
  return join(HERE, 'node_modules', '.bin', name)
}

/** As root, and where nothing outside can be reached. */
const CHROMIUM = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
