// Who can use it: with a screen reader, with the keyboard alone, in the dark, on a narrow screen.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'

import { capture, open, seek, source, start } from './browser.mjs'

let site
let axe
before(async () => {
  site = await start()
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
})
after(() => site.stop())

const SOURCES = ['Captures', 'Your data', 'Live']

for (const [colorScheme, width] of [['light', 1280], ['dark', 1280], ['light', 360]]) {
  test(`axe finds nothing, ${colorScheme}, ${width} pixels wide`, () =>
    open(site, { colorScheme, viewport: { width, height: 800 } }, async page => {
      await page.evaluate(axe)
      const check = async where => {
        const { violations, passes } = await page.evaluate(() => globalThis.axe.run())
        assert.deepEqual(violations.map(({ id, nodes }) => [where, id, nodes.map(({ html, failureSummary }) => [html, failureSummary])]), [])
        assert.ok(passes.length > 20, `${passes.length} rules applied`)
      }
      for (const name of SOURCES) {
        await source(page, name)
        await check(name)
      }
      await page.getByText('What other tools would report').click()
      await check('other tools')
      await source(page, 'Captures')
      for (const [name, ms] of [['stalled', 4500], ['cut-stream', 1e9], ['rate-limited', 1000]]) {
        await capture(page, name)
        await seek(page, ms)
        await check(`${name} at ${ms} ms`)
      }
    }))
}

test('it fits 360 pixels', () =>
  open(site, { viewport: { width: 360, height: 740 } }, async page => {
    const fits = async where => {
      const wide = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement
        const out = [...document.querySelectorAll('main *')].filter(element => {
          if (element.closest('.scroll, .unseen, .bars, svg')) return false
          const { right, left, width } = element.getBoundingClientRect()
          // What is wider than its own place stands in that of another.
          const isCut = element.matches('dd, dt, li, p') && element.scrollWidth > element.clientWidth
          return width > 0 && (right > clientWidth + 0.5 || left < -0.5 || isCut)
        })
        return { scrollWidth, clientWidth, out: out.map(element => element.outerHTML.slice(0, 120)) }
      })
      assert.deepEqual(wide, { scrollWidth: 360, clientWidth: 360, out: [] }, where)
    }
    for (const name of SOURCES) {
      await source(page, name)
      await fits(name)
    }
    await source(page, 'Captures')
    for (const name of ['rate-limited', 'stalled', 'reasoning-tool', 'cut-stream']) {
      await capture(page, name)
      await fits(name)
      await seek(page, 1500)
      await fits(`${name} while it runs`)
      // The bars have the width of the screen, less its margins: they stand below their names.
      const lane = await page.locator('.axis').evaluate(axis => axis.clientWidth)
      assert.ok(lane >= 320, `${lane} pixels`)
    }
  }))

test('every stop of the tab key is seen', () =>
  open(site, {}, async page => {
    const stops = []
    for (let stop = 0; stop < 40; stop += 1) {
      await page.keyboard.press('Tab')
      const found = await page.evaluate(() => {
        const element = document.activeElement
        if (!element || element === document.body) return undefined
        const shown = element.matches('.switch input') ? element.nextElementSibling : element
        const { outlineStyle, outlineWidth } = getComputedStyle(shown)
        return { name: element.id || element.dataset.capture || element.value || element.className || element.tagName, outline: `${outlineStyle} ${outlineWidth}` }
      })
      if (!found || stops.some(({ name }) => name === found.name)) break
      stops.push(found)
    }
    const names = stops.map(({ name }) => name)
    assert.equal(names[0], 'skip')
    for (const name of ['captures', 'rate-limited', 'play', 'position', 'speed', 'profile', 'copy-otlp', 'copy-record']) assert.ok(names.includes(name), names.join())
    assert.deepEqual(stops.filter(({ outline }) => outline !== 'solid 2px'), [])
    // What is not shown is no stop.
    assert.ok(!names.includes('data') && !names.includes('prompt'), names.join())
  }))

test('it has landmarks and names', () =>
  open(site, {}, async page => {
    for (const role of ['banner', 'main']) assert.equal(await page.getByRole(role).count(), 1, role)
    for (const name of ['What to show', 'Playback', 'Values', 'Why', 'Attributes']) {
      assert.equal(await page.getByRole('region', { name, exact: true }).count() > 0, true, name)
    }
    assert.equal(await page.getByRole('table', { name: 'Waterfall' }).count(), 1)
    assert.equal(await page.getByRole('slider', { name: 'Time in the call' }).count(), 1)
    // Nothing but these is read out by itself: no clock, no values.
    const read = await page.locator('[role=status], [role=alert], [role=log], [role=timer], [aria-live], output').evaluateAll(all => all.map(({ id }) => id))
    assert.deepEqual(read.sort(), ['copied', 'milestone', 'problem'])
    const wait = page.getByRole('row', { name: /wait rate_limit/ }).getByRole('img')
    assert.equal(await wait.getAttribute('aria-label'), 'pause: 2 s from 108 ms')
  }))
