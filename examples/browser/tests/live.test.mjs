// Calls of an endpoint on the same origin, watched while they go on. What is expected is what the fault server was asked for.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { open, row, rows, source, start, value } from './browser.mjs'

let site
before(async () => (site = await start()))
after(() => site.stop())

async function send(page, model, retries = '2') {
  await source(page, 'Live')
  await page.locator('#model').fill(model)
  await page.locator('#retries').selectOption(retries)
  await page.getByRole('button', { name: 'Send' }).click()
}

test('a hidden 429 and a stall are seen while they happen', () =>
  open(site, {}, async page => {
    await send(page, 'demo')
    await page.locator('#ending.running').waitFor()
    // In the wait, which takes 1.2 s.
    await page.waitForFunction(() => [...document.querySelectorAll('#chart tbody th')].some(name => name.textContent === 'wait rate_limit'))
    assert.equal(await page.locator('#ending').textContent(), '● running')
    assert.equal(await page.locator('#play').isDisabled(), true)
    // In the pause, which takes 1.5 s.
    await page.locator('.arrivals .note:not(:empty)').waitFor()
    assert.match(await page.locator('.arrivals .note').textContent(), /since the last$/)
    await page.locator('#ending.success').waitFor()
    assert.equal(await value(page, 'attempt_count'), '2 (1 retried)')
    assert.equal((await row(page, 'wait rate_limit')).note, 'the server asked for 1.2 s')
    assert.equal((await row(page, '✗ attempt 1')).note, 'requests 429')
    assert.equal(await value(page, 'input_tokens'), '1,204')
    assert.equal(await value(page, 'output_tokens'), '93 (24 reasoning)')
    // On a busy machine a pause is longer, and there may be another one.
    const [, stalls, seconds] = /^(\d+) in ([\d.]+) s$/.exec(await value(page, 'stalls'))
    assert.ok(Number(stalls) >= 1 && Number(seconds) >= 1.5, `${stalls} in ${seconds} s`)
    const names = (await rows(page)).map(row => row.name)
    for (const name of ['first chunk', 'first token', 'sampling', 'reasoning', 'answer', 'stall']) assert.ok(names.includes(name), names.join())
    // What the server saw: one failure, then the answer, of one client that counts its retries.
    const { requests } = await (await fetch(`${site.faults}/runs/page-1?wait=2000`)).json()
    assert.deepEqual(requests.map(({ status, headers }) => [status, headers['x-stainless-retry-count']]), [[429, '0'], [200, '1']])
    // It is played like a capture.
    await page.locator('#to-start').click()
    await page.locator('#ending.running').waitFor()
    await page.locator('#to-end').click()
    await page.locator('#ending.success').waitFor()
  }))

test('a call that is stopped is cancelled', () =>
  open(site, {}, async page => {
    await send(page, 'silent')
    await page.waitForFunction(() => [...document.querySelectorAll('#chart tbody th')].some(name => name.textContent === 'first token'))
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.locator('#ending.stopped').waitFor()
    assert.equal(await page.locator('#ending').textContent(), '■ cancelled')
    assert.equal(await page.getByRole('button', { name: 'Stop' }).isDisabled(), true)
  }))

test('failures that are not repeated, and those that are, end as errors', () =>
  open(site, {}, async page => {
    await send(page, 'overloaded', '1')
    await page.locator('#ending.failure').waitFor()
    assert.match(await page.locator('#ending').textContent(), /503/)
    assert.equal(await value(page, 'attempt_count'), '2 (1 retried)')
    await send(page, 'no-such-model')
    await page.waitForFunction(() => /404/.test(document.getElementById('ending').textContent))
    assert.equal(await value(page, 'attempt_count'), '1 (0 retried)')
    await send(page, 'cut', '2')
    await page.waitForFunction(() => /stream_truncated/.test(document.getElementById('ending').textContent))
    assert.equal(await value(page, 'attempt_count'), '1 (0 retried)')
  }))

test('the endpoint lists its models', () =>
  open(site, {}, async page => {
    await source(page, 'Live')
    await page.locator('#model').fill('gone')
    await page.getByRole('button', { name: 'List models' }).click()
    await page.waitForFunction(() => document.getElementById('model').value === 'demo')
    assert.ok((await page.locator('#models option').count()) > 3)
  }))

test('nothing goes to another origin', () =>
  open(site, { mayComplain: /violates the .*Content Security Policy/ }, async page => {
    await source(page, 'Live')
    await page.locator('#base').fill('https://api.openai.com/v1')
    await page.getByRole('button', { name: 'Send' }).click()
    assert.match(await page.getByRole('alert').textContent(), /its own origin alone/)
    // Not even for code that tries: the policy of the page forbids it, to other ports of this machine too.
    const refused = await page.evaluate(async () => {
      const told = new Promise(resolve => document.addEventListener('securitypolicyviolation', event => resolve(event.effectiveDirective)))
      await fetch('http://127.0.0.1:9/').catch(() => undefined)
      return Promise.race([told, new Promise(resolve => setTimeout(resolve, 2000, 'nothing'))])
    })
    assert.equal(refused, 'connect-src')
    const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content')
    assert.match(policy, /^default-src 'none';/)
  }))
