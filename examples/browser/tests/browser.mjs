// A browser with an empty profile, the page in it, and what tests share. LLMSPAN_PAGE is the folder of the page, LLMSPAN_FAULTS
// the fault server, CHROMIUM the browser where it is not Debian's.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'

import { chromium } from 'playwright-core'

import { serve } from '../serve.mjs'

/** Starts a browser and the server of the page. */
export async function start() {
  const server = await serve(process.env.LLMSPAN_PAGE, { faults: process.env.LLMSPAN_FAULTS })
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGUMENTS })
  const stop = async () => {
    await browser.close()
    server.stop()
  }
  return { ...server, browser, stop }
}

/**
 * Opens the page in a profile of its own, runs a test with it, and holds against it what is so in every test: nothing was
 * asked of another origin, and nothing was wrong on the console but for what the test `mayComplain` about.
 */
export async function open({ browser, address }, { mayComplain, ...options }, test) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  context.setDefaultTimeout(20_000)
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: address })
  const requests = []
  const wrong = []
  context.on('request', request => requests.push(request.url()))
  const page = await context.newPage()
  page.on('pageerror', error => wrong.push(String(error.stack)))
  // The browser itself reports each answer that is an error; those of the endpoint are what is shown.
  const isOfEndpoint = message => message.location().url.startsWith(`${address}/v1/`) && message.text().startsWith('Failed to load')
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type()) && !isOfEndpoint(message)) wrong.push(message.text())
  })
  try {
    await page.goto(address)
    await page.locator('#ending.success').waitFor()
    await test(page)
    assert.deepEqual(wrong.filter(text => !mayComplain?.test(text)), [])
    assert.deepEqual(requests.filter(url => new URL(url).origin !== address), [])
    assert.ok(requests.length > 5, `the log of requests has ${requests.length}`)
  } finally {
    await context.close()
  }
}

/** Shows one of the recorded calls. */
export async function capture(page, name) {
  await page.locator(`[data-capture=${name}]`).click()
  await page.locator(`[data-capture=${name}][aria-pressed=true]`).waitFor()
}

/** Opens one of the ways in. */
export async function source(page, name) {
  await page.getByRole('radio', { name }).check()
}

/** The rows of the waterfall: name, note, start and length. */
export function rows(page) {
  return page.locator('#chart tbody tr').evaluateAll(all =>
    all.map(row => {
      const [name, track, start, time] = [...row.cells]
      return { name: name.textContent, note: track.querySelector('.note').textContent, start: start.textContent, time: time.textContent }
    }),
  )
}

/** One row of the waterfall by its name. */
export async function row(page, name) {
  const found = (await rows(page)).find(row => row.name === name)
  assert.ok(found, `there is no row ${name}`)
  return found
}

/** A value by its key. */
export function value(page, key) {
  return page.locator(`.fact[data-key="${key}"] dd`).textContent()
}

/** Puts the player to a time of the call, in milliseconds. */
export async function seek(page, ms) {
  await page.locator('#position').fill(String(ms))
}

/** An event log of examples/captures. */
export function log(name) {
  return readFile(new URL(`../../captures/${name}.jsonl`, import.meta.url), 'utf8')
}

/** Notes every text that an element has from here on. */
export async function listen(page, id) {
  await page.evaluate(id => {
    const element = document.getElementById(id)
    globalThis.heard = []
    new MutationObserver(() => globalThis.heard.push(element.textContent)).observe(element, { childList: true, characterData: true, subtree: true })
  }, id)
  return () => page.evaluate(() => globalThis.heard)
}

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
]
