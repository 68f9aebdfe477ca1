// A short form of the load: ten thousand calls at once lose no record and no chunk. No times.
import assert from 'node:assert/strict'
import test from 'node:test'
import { load, lost } from './load.mjs'

test('nothing is lost', async () => {
  const counts = await load({ calls: 10_000, chunks: 60_000 })
  assert.deepEqual(lost(counts), [])
  assert.equal(counts.offered, 60_000)
  assert.ok(counts.opened > 10_000, 'calls end and others begin')
  // What would be lost is told.
  assert.equal(lost({ ...counts, records: counts.records - 1 }).length, 1)
  assert.equal(lost({ ...counts, counted: 0 }).length, 1)
})
