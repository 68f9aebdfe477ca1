// A page that goes away takes nothing along.
import assert from 'node:assert/strict'
import test from 'node:test'

const page = new EventTarget()
const document = Object.assign(new EventTarget(), { visibilityState: 'visible' })
Object.assign(globalThis, { document, addEventListener: page.addEventListener.bind(page) })
const { Call, Recorder } = await import('llmspan-wasm')

/** Notes what happens to it. */
function sink() {
  const seen = []
  return { seen, record: record => seen.push(record.outcome), hide: () => seen.push('hide'), exit: () => seen.push('exit') }
}

test('records are handed over when the page is hidden, and calls go on', async () => {
  const kept = sink()
  const recorder = new Recorder({ sinks: [kept] })
  const call = new Call('chat', { recorder })
  new Call('chat', { recorder }).end()
  document.dispatchEvent(new Event('visibilitychange'))
  assert.deepEqual(kept.seen, [])
  document.visibilityState = 'hidden'
  document.dispatchEvent(new Event('visibilitychange'))
  assert.deepEqual(kept.seen, ['success', 'hide'])
  page.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: true }))
  call.end()
  await recorder.flush()
  assert.deepEqual(kept.seen, ['success', 'hide', 'hide', 'success'])
  await recorder.close()
})

test('a page that is left ends its calls', () => {
  const kept = sink()
  const recorder = new Recorder({ sinks: [kept] })
  new Call('chat', { recorder })
  page.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: false }))
  assert.deepEqual(kept.seen, ['abandoned', 'exit'])
  assert.equal(recorder.stats.openCalls, 0)
})
