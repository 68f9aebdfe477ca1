// Recorded calls: drawn, played, stepped through. What is expected is computed by hand from the times in examples/captures.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { capture, listen, open, row, rows, seek, start, value } from './browser.mjs'

let site
before(async () => (site = await start()))
after(() => site.stop())

test('a capture is there at once, with its values', () =>
  open(site, {}, async page => {
    assert.equal(await page.locator('#what').textContent(), 'chat gpt-4.1-mini @ openai')
    // From 34448 ns on.
    assert.equal(await page.locator('#total').textContent(), '6.21 s')
    // 2110310893 - 108160657 ns, and the `Retry-After` of the 429.
    const wait = { name: 'wait rate_limit', note: 'the server asked for 2 s', start: '108 ms', time: '2 s' }
    assert.deepEqual(await row(page, 'wait rate_limit'), wait)
    // From the second attempt at 2110310893 ns: headers at 2423372340, first text at 2755958418.
    assert.equal((await row(page, 'headers')).time, '313 ms')
    assert.deepEqual(await row(page, 'first token'), { name: 'first token', note: 'TTFT', start: '2.11 s', time: '646 ms' })
    assert.equal(await value(page, 'ttft_ns'), '646 ms')
    assert.equal(await value(page, 'attempt_count'), '2 (1 retried)')
    assert.equal(await value(page, 'input_tokens'), '1,204 (1,024 cached)')
    // 180 at 0.40, 1,024 at 0.10 and 93 at 1.60 dollars per million.
    assert.equal(await value(page, 'cost'), 'USD 0.0003232')
    assert.match((await page.locator('#why li').allTextContents()).join('\n'), /behind the success: attempt 1 failed with requests \(HTTP 429\)/)
    // The log has 88 events with bytes.
    assert.equal(await page.locator('.arrivals td').last().textContent(), '88')
  }))

test('each capture says what was wrong with it', () =>
  open(site, {}, async page => {
    await capture(page, 'cut-stream')
    await page.locator('#ending.failure').waitFor()
    assert.equal(await page.locator('#ending').textContent(), '✗ error: stream_truncated')
    await capture(page, 'stalled')
    await page.locator('#ending.success').waitFor()
    // The only pause above a second: 1870677183 ns, from 2463427318 ns after the start.
    assert.deepEqual(await row(page, 'stall'), { name: 'stall', note: '', start: '2.46 s', time: '1.87 s' })
    await capture(page, 'reasoning-tool')
    await page.getByText('claude-sonnet-4-5 @ anthropic').waitFor()
    const names = (await rows(page)).map(row => row.name)
    assert.ok(names.includes('reasoning') && names.includes('answer'), names.join())
    assert.equal(await value(page, 'tool_call_count'), '1')
  }))

test('what is shown at a time is what has happened by then', () =>
  open(site, {}, async page => {
    await capture(page, 'rate-limited')
    await seek(page, 1000)
    await page.locator('#ending.running').waitFor()
    assert.equal(await page.locator('#ending').textContent(), '● running')
    assert.equal(await page.locator('#total').textContent(), '1 s')
    assert.deepEqual((await rows(page)).map(row => row.name), ['prompt.build', '✗ attempt 1', 'headers', 'first chunk', 'wait rate_limit'])
    // It began 108126209 ns after the start.
    const wait = { name: 'wait rate_limit', note: 'the server asked for 2 s, running', start: '108 ms', time: '892 ms' }
    assert.deepEqual(await row(page, 'wait rate_limit'), wait)
    assert.equal(await page.locator('#why-title').textContent(), 'If it ended here')
    // No chunk is missing while nothing was asked for.
    assert.equal(await page.locator('.arrivals .note').textContent(), '')
    // There is a place for what is to come, and nothing in it.
    assert.equal(await value(page, 'ttft_ns'), '–')
    await seek(page, 4000)
    assert.equal(await value(page, 'ttft_ns'), '646 ms')
    await capture(page, 'stalled')
    // The last chunk before it came 2463427318 ns after the start, the next one comes 1.87 s later.
    await seek(page, 4100)
    assert.equal(await page.locator('.arrivals .note').textContent(), '1.64 s since the last')
    await capture(page, 'rate-limited')
    await seek(page, 4000)
    assert.equal((await row(page, 'attempt 2')).note, 'running')
    assert.equal(await value(page, 'output_tokens'), '–')
    // The axis is that of the whole call, so that the bars stay where they are.
    assert.deepEqual(await page.locator('.tick').allTextContents(), ['0', '2 s', '4 s', '6 s'])
    const bar = await page.locator('#chart tbody tr:has-text("wait rate_limit") .bar').evaluate(bar => bar.getBoundingClientRect().width / bar.parentElement.clientWidth)
    assert.ok(Math.abs(bar - 2002150236 / 6211130000) < 0.003, `the wait takes ${bar} of the axis`)
  }))

test('a capture plays to its end, and milestones are told', () =>
  open(site, {}, async page => {
    await capture(page, 'rate-limited')
    const heard = await listen(page, 'milestone')
    await page.locator('#speed').selectOption('5')
    await page.locator('#play').click()
    await page.locator('#ending.running').waitFor()
    assert.equal(await page.locator('#play').textContent(), 'Pause')
    await page.locator('#ending.success').waitFor()
    assert.equal(await page.locator('#play').textContent(), 'Play')
    const told = await heard()
    for (const milestone of ['wait rate_limit', 'attempt 2', 'headers 313 ms', 'first token 646 ms', 'sampling', 'success after 6.21 s']) {
      assert.equal(told.filter(text => text.split(', ').includes(milestone)).length, 1, `${milestone} in ${told.join(' | ')}`)
    }
    // Eight rows, six that are gone with the first attempt, and the end: however many chunks there are.
    assert.ok(told.join(', ').split(', ').length <= 15, told.join(' | '))
    assert.equal(await page.locator('#milestone').getAttribute('role'), 'status')
  }))

test('the keyboard plays, pauses, steps and changes the speed', () =>
  open(site, {}, async page => {
    const press = key => page.keyboard.press(key)
    const clock = () => page.locator('#clock').textContent()
    await page.locator('body').press('Home')
    assert.equal(await clock(), '0.00 / 6.21 s')
    for (let step = 0; step < 3; step += 1) await press('ArrowRight')
    // The fourth event is the start of the first attempt, 13597975 ns after that of the call.
    assert.deepEqual((await rows(page)).map(row => row.name), ['prompt.build', 'attempt 1'])
    assert.equal((await row(page, 'attempt 1')).start, '13.6 ms')
    assert.equal(await page.locator('#milestone').textContent(), 'attempt_started (event 4 of 99)')
    await press('ArrowLeft')
    assert.deepEqual((await rows(page)).map(row => row.name), ['prompt.build'])
    await press('End')
    assert.equal(await clock(), '6.21 / 6.21 s')
    // The slider has the same keys.
    await page.locator('#position').focus()
    await press('Home')
    await press('ArrowRight')
    assert.match(await page.locator('#position').getAttribute('aria-valuetext'), /^0\.00 of 6\.21 s$/)
    await press('Space')
    assert.equal(await page.locator('#play').textContent(), 'Pause')
    await press('Space')
    assert.equal(await page.locator('#play').textContent(), 'Play')
    await page.locator('#speed').focus()
    await press('ArrowDown')
    assert.equal(await page.locator('#speed').inputValue(), '2')
    assert.notEqual(await clock(), '6.21 / 6.21 s')
    // Keys in a field of a form are the field's.
    await page.getByRole('radio', { name: 'Live' }).check()
    const before = await clock()
    await page.locator('#prompt').press('Home')
    await page.locator('#prompt').press('Space')
    assert.equal(await clock(), before)
  }))

test('whoever wants less motion gets steps', () =>
  open(site, { reducedMotion: 'reduce' }, async page => {
    const heard = await listen(page, 'clock')
    await page.locator('#play').click()
    await page.waitForFunction(() => Number.parseFloat(document.getElementById('clock').textContent) >= 1)
    // A quarter of a second apart at least; the first is the start.
    const seen = (await heard()).filter(text => Number.parseFloat(text) <= 1)
    assert.ok(seen.length <= 6, seen.join(' | '))
    assert.equal(await page.locator('.running .mark').evaluate(mark => getComputedStyle(mark).animationName), 'none')
  }))
