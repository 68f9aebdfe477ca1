import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { Call, ChromeTrace, chromeTrace, JsonLines, Memory, Otlp, otlpTraces, Recorder } from 'llmspan'

const folder = mkdtempSync(join(tmpdir(), 'llmspan-'))
after(() => rmSync(folder, { recursive: true }))

/** Ends so many calls. */
function end(recorder, count) {
  for (let made = 0; made < count; made += 1) new Call('chat', { model: 'm', recorder }).end()
}

test('lines of JSON are whole, and are added to those that are there', async () => {
  const path = join(folder, 'calls.jsonl')
  for (let turn = 0; turn < 2; turn += 1) {
    const recorder = new Recorder({ sinks: [new JsonLines(path)] })
    end(recorder, 3)
    await recorder.flush()
    end(recorder, 2)
    await recorder.close()
  }
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n').map(line => JSON.parse(line))
  assert.deepEqual(lines.map(line => line.call), ['1', '2', '3', '4', '5', '1', '2', '3', '4', '5'])
  assert.throws(() => new JsonLines(join(folder, 'none', 'calls.jsonl')), { code: 'ENOENT' })
})

test('a process that ends loses no record: by itself, with process.exit, with an exception', () => {
  for (const [at, last] of ['', 'process.exit(0)', "throw new Error('x')"].entries()) {
    const path = join(folder, `exit${at}.jsonl`)
    const script = `
      import { Call, configure, JsonLines } from 'llmspan'
      configure({ sinks: [new JsonLines(${JSON.stringify(path)})] })
      new Call('chat').end()
      globalThis.open = new Call('chat')
      ${last}`
    const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: import.meta.dirname, encoding: 'utf8' })
    const outcomes = readFileSync(path, 'utf8').trimEnd().split('\n').map(line => JSON.parse(line).outcome)
    assert.deepEqual(outcomes, ['success', 'abandoned'], `${last} ${stderr}`)
  }
})

test('a trace for Perfetto, as a file that grows and at once', async () => {
  const path = join(folder, 'trace.json')
  const memory = new Memory()
  const recorder = new Recorder({ sinks: [new ChromeTrace(path), memory] })
  end(recorder, 2)
  await recorder.close()
  for (const text of [readFileSync(path, 'utf8'), chromeTrace(memory.records)]) {
    const trace = JSON.parse(text)
    const slices = (trace.traceEvents ?? trace).filter(event => event.ph === 'X' && event.cat === 'llm,call')
    assert.equal(slices.length, 2)
  }
})

test('spans go to a collector in batches, and what it refuses is counted', async t => {
  t.mock.method(console, 'warn', () => undefined)
  const bodies = []
  let status = 200
  const collector = createServer(async (request, response) => {
    const parts = []
    for await (const part of request) parts.push(part)
    bodies.push({ type: request.headers['content-type'], key: request.headers['x-key'], json: JSON.parse(Buffer.concat(parts)) })
    response.writeHead(status).end()
  })
  await new Promise(resolve => collector.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${collector.address().port}/v1/traces`
  const otlp = new Otlp({ url, headers: { 'x-key': 'k' }, batchSize: 2, resource: { 'service.name': 's' } })
  const recorder = new Recorder({ sinks: [otlp] })
  end(recorder, 5)
  assert.ok(await recorder.flush())
  const spans = bodies.map(({ json }) => json.resourceSpans[0].scopeSpans[0].spans)
  assert.deepEqual(spans.map(list => list.length), [2, 2, 1])
  assert.deepEqual([bodies[0].type, bodies[0].key], ['application/json', 'k'])
  assert.match(spans[0][0].traceId, /^[0-9a-f]{32}$/)
  assert.equal(new Set(spans.flat().map(span => span.traceId)).size, 5)
  assert.deepEqual(bodies[0].json.resourceSpans[0].resource.attributes, [{ key: 'service.name', value: { stringValue: 's' } }])
  status = 400
  end(recorder, 1)
  await recorder.flush()
  assert.deepEqual(otlp.stats, { exported: 5, dropped: 1, withoutClock: 0, rejectedSpans: 0, retries: 0 })
  assert.equal(recorder.stats.sinkErrors, 1)
  await recorder.close()
  await new Promise(resolve => collector.close(resolve))
})

test('spans of each attempt, under the names of several profiles', async () => {
  const memory = new Memory()
  const recorder = new Recorder({ sinks: [memory] })
  const call = new Call('chat', { recorder, provider: 'openai', model: 'm' })
  call.attempt().fail(undefined, { statusCode: 503 })
  call.attempt()
  call.end()
  await recorder.flush()
  const json = JSON.parse(new TextDecoder().decode(otlpTraces(memory.records, { shape: 'attempt', profiles: ['otel-1.41', 'openinference'] })))
  const spans = json.resourceSpans[0].scopeSpans[0].spans
  assert.equal(spans.length, 3)
  assert.ok(spans.some(span => span.attributes.some(({ key }) => key === 'gen_ai.request.model')))
  assert.ok(spans.some(span => span.attributes.some(({ key }) => key === 'llm.model_name')))
})
