// Data that somebody brings along: dropped, pasted, opened; and what is taken away.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { log, open, row, rows, seek, source, start, value } from './browser.mjs'

let site
let folder
before(async () => {
  site = await start()
  folder = await mkdtemp(join(tmpdir(), 'llmspan-page-'))
})
after(async () => {
  await site.stop()
  await rm(folder, { recursive: true })
})

async function show(page, text) {
  await page.locator('#data').fill(text)
  await page.locator('#from-own button[type=submit]').click()
}

test('a file is dropped on the page', () =>
  open(site, {}, async page => {
    const path = join(folder, 'two calls.jsonl')
    await writeFile(path, (await log('stalled')) + (await log('cut-stream')))
    // What the browser does for a file that comes from outside.
    const session = await page.context().newCDPSession(page)
    const data = { items: [], files: [path], dragOperationsMask: 1 }
    for (const type of ['dragEnter', 'dragOver']) await session.send('Input.dispatchDragEvent', { type, x: 600, y: 500, data })
    await page.locator('#drop').waitFor({ state: 'visible' })
    await session.send('Input.dispatchDragEvent', { type: 'drop', x: 600, y: 500, data })
    await page.locator('#drop').waitFor({ state: 'hidden' })
    await page.locator('#many').waitFor()
    assert.deepEqual(await page.locator('#which option').allTextContents(), ['1: stalled', '2: cut-stream'])
    assert.equal((await row(page, 'stall')).time, '1.87 s')
    await page.getByLabel('Call', { exact: true }).selectOption('2: cut-stream')
    await page.locator('#ending.failure').waitFor()
    // The prices of the captures are not those of other people's calls.
    assert.match((await page.locator('#why li').allTextContents()).join('\n'), /no token counts|no price/)
    await seek(page, 1000)
    assert.equal((await row(page, 'attempt 1')).note, 'running')
  }))

test('an event log is pasted, and played', () =>
  open(site, {}, async page => {
    await source(page, 'Your data')
    await page.evaluate(text => navigator.clipboard.writeText(text), await log('stalled'))
    await page.locator('#data').focus()
    await page.keyboard.press('ControlOrMeta+v')
    await page.getByText('1 in 1.87 s').waitFor()
    await page.locator('#speed').selectOption('20')
    await page.locator('#play').click()
    await page.locator('#ending.running').waitFor()
    await page.locator('#ending.success').waitFor()
    assert.equal(await page.locator('#no-log').isHidden(), true)
  }))

test('records are shown without being played', () =>
  open(site, {}, async page => {
    const records = [
      { call: 'a', outcome: 'success', duration_ns: 3_000_000_000, operation: 'chat', model: '<img src=x onerror=alert(1)>', provider: 'acme' },
      { call: 'b', outcome: 'timed_out', duration_ns: 5_500_000_000, operation: 'chat', model: 'm', provider: 'acme' },
    ]
    await source(page, 'Your data')
    for (const text of [JSON.stringify(records), records.map(record => JSON.stringify(record)).join('\n')]) {
      await show(page, text)
      await page.getByText('A record has no events').waitFor()
      assert.equal(await page.locator('#what').textContent(), 'chat <img src=x onerror=alert(1)> @ acme')
      assert.equal(await page.locator('#total').textContent(), '3 s')
      assert.equal(await page.locator('#play').isDisabled(), true)
      assert.equal(await page.locator('img').count(), 0)
    }
    await page.locator('#which').selectOption({ index: 1 })
    assert.equal(await page.locator('#ending').textContent(), '✗ timed_out')
    assert.equal(await page.locator('#total').textContent(), '5.5 s')
  }))

test('a body is read without times', () =>
  open(site, {}, async page => {
    await source(page, 'Your data')
    await show(page, BODY)
    await page.getByText('Read as openai.chat').waitFor()
    assert.equal(await value(page, 'input_tokens'), '12')
    assert.equal(await value(page, 'output_tokens'), '3')
    assert.equal(await value(page, 'finish_reasons'), 'stop')
    // Nothing that a clock would have measured: neither drawn nor said nor written.
    assert.equal(await page.locator('#chart').isHidden(), true)
    assert.equal(await page.locator('#timing .fact').count(), 0)
    assert.equal(await page.locator('#total').textContent(), '')
    for (const profile of await page.locator('#profile option').allTextContents()) {
      await page.locator('#profile').selectOption(profile)
      const attributes = await page.locator('#attributes tbody tr').allTextContents()
      assert.ok(attributes.length > 3, profile)
      assert.deepEqual(attributes.filter(text => /duration|latency|ttft|time_to|_ms\b|throughput/i.test(text)), [], profile)
    }
    // Read as something else, when its reader says so.
    await page.locator('#protocol').selectOption('mistral.chat')
    await show(page, BODY)
    await page.getByText('Read as mistral.chat').waitFor()
  }))

test('what cannot be read is said, and what was shown stays', () =>
  open(site, {}, async page => {
    await source(page, 'Your data')
    const problem = page.getByRole('alert')
    for (const [text, said] of [
      ['', /there is nothing in it/],
      ['hello', /choose the protocol/],
      // The line is that of the file, not of its call.
      ['{"at_ns":1,"event":"call_started","call":"a"}\n{"at_ns":1,"event":"call_started"}\n{"at_ns":2,"event":"no_such"}', /line 3.*no_such/],
      ['{"at_ns":1,"event":"tick"}', /no call starts/],
      ['[{"duration_ns":1,"outcome":"success"},{"duration_ns":"x","outcome":"success"}]', /record 2/],
    ]) {
      await show(page, text)
      await page.waitForFunction(said => new RegExp(said).test(document.getElementById('problem').textContent), said.source)
      assert.equal(await page.locator('#total').textContent(), '6.21 s')
    }
    await show(page, await log('stalled'))
    await page.getByText('1 in 1.87 s').waitFor()
    assert.equal(await problem.textContent(), '')
  }))

test('the same record has the names of every profile', () =>
  open(site, {}, async page => {
    const attribute = name => page.locator('#attributes tbody tr').filter({ has: page.getByRole('rowheader', { name, exact: true }) }).locator('td').textContent()
    await page.getByLabel('as', { exact: true }).selectOption('otel-1.41')
    assert.equal(await attribute('gen_ai.usage.input_tokens'), '1204')
    await page.locator('#profile').selectOption('openinference')
    assert.equal(await attribute('llm.token_count.prompt'), '1204')
    assert.equal(await attribute('llm.token_count.completion'), '93')
    await page.getByText('What other tools would report').click()
    const definitions = await page.locator('#definitions tbody tr').allTextContents()
    assert.ok(definitions.some(text => /^llmspantime to first tokenfirst visible chunk.*646 ms$/.test(text)), definitions.join('\n'))
  }))

test('copies are what other tools read', () =>
  open(site, {}, async page => {
    const copied = async name => {
      await page.getByRole('button', { name }).click()
      await page.locator('#copied:text-matches("^copied ")').waitFor()
      const text = await page.evaluate(() => navigator.clipboard.readText())
      return JSON.parse(text)
    }
    const { resourceSpans } = await copied('Copy OTLP JSON')
    const { spans } = resourceSpans[0].scopeSpans[0]
    const call = spans.find(span => span.name === 'chat gpt-4.1-mini')
    assert.ok(call, spans.map(span => span.name).join())
    // `unix_ns` of the event log.
    assert.equal(call.startTimeUnixNano, '1795252188456780855')
    const tokens = call.attributes.find(({ key }) => key === 'gen_ai.usage.input_tokens')
    assert.equal(Number(tokens.value.intValue), 1204)
    await page.locator('#profile').selectOption('openinference')
    const others = (await copied('Copy OTLP JSON')).resourceSpans[0].scopeSpans[0].spans.flatMap(span => span.attributes.map(({ key }) => key))
    assert.ok(others.includes('llm.token_count.prompt'))
    const trace = await copied('Copy Chrome trace')
    const slices = trace.traceEvents ?? trace
    assert.ok(slices.some(({ name, dur }) => /rate_limit/.test(name) && Math.abs(dur - 2_002_150) < 1), JSON.stringify(slices).slice(0, 2000))
    const record = await copied('Copy record')
    assert.equal(record.ttft_ns, 2_755_958_418 - 2_110_310_893)
  }))

/** A stream of OpenAI's chat with 12 tokens in and 3 out. */
const BODY = [
  '{"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}',
  '{"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"Grüße"}}]}',
  '{"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
  '{"id":"c1","object":"chat.completion.chunk","model":"m","choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15}}',
  '[DONE]',
]
  .map(data => `data: ${data}\n\n`)
  .join('')
