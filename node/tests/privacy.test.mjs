// Nothing secret comes out: of records, sinks, the console, warnings, exceptions, and of what objects show of themselves.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { inspect } from 'node:util'
import * as llmspan from 'llmspan'
import { exchanges, found, halves, Outlets, spell, value } from './secrets.mjs'

const {
  Call, chromeTrace, hookErrors, instrument, LlmspanError, Memory, observe, Otlp, otlpTraces, profiles, Record, Recorder, replay, uninstrument,
} = llmspan
// The package that runs everywhere has no sinks for files.
const { ChromeTrace, JsonLines } = llmspan

const folder = mkdtempSync(join(tmpdir(), 'llmspan-privacy-'))
const answers = []
const exported = []
let server
let address

before(async () => {
  server = createServer((request, response) => {
    if (request.url.startsWith('/v1/traces')) {
      const parts = []
      request.on('data', part => parts.push(part))
      request.on('end', () => {
        exported.push(Buffer.concat(parts))
        response.writeHead(request.url.includes('refuse') ? 500 : 200).end()
      })
      return
    }
    const { status = 200, headers, chunks } = answers.shift()
    request.resume()
    request.on('end', () => {
      response.writeHead(status, headers)
      for (const chunk of chunks) response.write(chunk)
      response.end()
    })
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  address = `127.0.0.1:${server.address().port}`
})

after(() => {
  assert.equal(hookErrors(), 0)
  server.close()
  server.closeAllConnections()
  rmSync(folder, { recursive: true })
})

/** What the server answers in each play of an exchange. */
function plays({ frames, responseHeaders, whole, error, errorFrame, errorPage }) {
  const json = { ...responseHeaders, 'content-type': 'application/json' }
  const headers = responseHeaders
  const stream = Buffer.concat(frames)
  const pieces = Array.from({ length: Math.ceil(stream.length / 7) }, (_, at) => stream.subarray(at * 7, at * 7 + 7))
  return {
    streamed: [{ headers, chunks: frames }],
    split: [{ headers, chunks: pieces }],
    whole: [{ headers: json, chunks: [whole] }],
    refused: [{ status: 429, headers: json, chunks: [error] }, { headers, chunks: frames }],
    failed: [{ headers, chunks: [...frames.slice(0, 2), errorFrame] }],
    cut: [{ headers, chunks: [stream.subarray(0, stream.length / 2)] }],
    // The last one, as what is asked next would be its retry.
    page: [{ status: 502, headers: { ...headers, 'content-type': 'text/html' }, chunks: [errorPage] }],
  }
}

function shown(object) {
  return inspect(object, { depth: Infinity, showHidden: true, maxArrayLength: null, maxStringLength: null })
}

/** Everything that is written of a record. */
function writtenOf(record, outlets) {
  const names = profiles()
  outlets.add('record', JSON.stringify(record))
  outlets.add('record', record.stringify())
  outlets.add('record', String(record))
  outlets.add('inspect', shown(record))
  outlets.add('explain', record.explain().join('\n'))
  outlets.add('definitions', JSON.stringify(record.definitions()))
  outlets.add('waterfall', record.waterfallText())
  outlets.add('waterfall', record.waterfallHtml())
  outlets.add('waterfall', JSON.stringify(record.waterfall()))
  outlets.add('attributes', JSON.stringify([record.attributes(...names), record.attemptAttributes(...names)]))
  outlets.add('OTLP', otlpTraces([record], { profiles: names }))
  outlets.add('OTLP', otlpTraces([record], { profiles: names, shape: 'attempt' }))
  outlets.add('Chrome trace', chromeTrace([record]))
}

/** Runs something, and gives what it wrote to the console and to standard error, and the warnings of the process. */
async function listening(run) {
  const said = []
  const methods = ['debug', 'error', 'info', 'log', 'trace', 'warn']
  const plain = methods.map(method => [method, console[method]])
  const warned = warning => said.push(inspect(warning))
  process.on('warning', warned)
  for (const method of methods) console[method] = (...values) => said.push(...values.map(one => inspect(one)))
  try {
    await run()
    await new Promise(resolve => setImmediate(resolve))
  } finally {
    for (const [method, before] of plain) console[method] = before
    process.off('warning', warned)
  }
  return said.join('\n')
}

for (const withMessages of [false, true]) {
  test(`fetch, instrumented${withMessages ? ', with error messages' : ''}`, async () => {
    const outlets = new Outlets(withMessages)
    // Out of sight of the recorder, which is shown whole.
    const records = []
    const files = { lines: join(folder, `${withMessages}.jsonl`), trace: join(folder, `${withMessages}.trace.json`) }
    const sinks = [
      ...(JsonLines ? [new JsonLines(files.lines), new ChromeTrace(files.trace)] : []),
      new Otlp({ url: `http://${address}/v1/traces`, profiles: profiles(), headers: { authorization: value('authorization') } }),
      // The error of a sink that fails is shown.
      new Otlp({ url: `http://${address}/v1/traces?refuse&key=${value('url_query')}` }),
    ]
    const recorder = new Recorder({ sinks, onRecord: record => records.push(record), config: { error_messages: withMessages } })
    let asked = 0
    const said = await listening(async () => {
      instrument({ recorder })
      try {
        for (const exchange of exchanges()) {
          const key = { 'idempotency-key': `${value('idempotency_key')}-${asked}` }
          for (const [play, said] of Object.entries(plays(exchange))) {
            answers.push(...said)
            asked += 1
            while (answers.length > 0) {
              const init = { method: 'POST', headers: { ...exchange.requestHeaders, ...key }, body: exchange.request }
              const response = await fetch(exchange.url(address, play === 'whole'), init)
              outlets.add('inspect', shown(recorder))
              for await (const _ of response.body);
            }
          }
        }
        const refused = await fetch(`http://127.0.0.1:1/v1/chat/completions?key=${value('url_query')}`, {
          method: 'POST',
          headers: { authorization: value('authorization') },
          body: '{}',
        }).catch(error => error)
        asked += 1
        assert.equal(refused.message, 'fetch failed')
      } finally {
        uninstrument()
      }
      outlets.add('inspect', shown(recorder))
      await recorder.close()
    })
    assert.equal(records.length, asked)
    for (const record of records) writtenOf(record, outlets)
    outlets.add('console', said)
    for (const path of JsonLines ? Object.values(files) : []) outlets.add('files', readFileSync(path))
    assert.ok(exported.length > 0)
    outlets.add('sent to a collector', Buffer.concat(exported.splice(0)))
    for (const sink of sinks) outlets.add('inspect', shown(sink))
    assert.match(said, /answered 500/)
    assert.deepEqual(outlets.leaks, {})
    const streamed = records.filter(({ outcome, stream }) => outcome === 'success' && stream)
    assert.ok(streamed.length > exchanges().length * 2)
    for (const kind of ['text_bytes', 'reasoning_bytes', 'refusal_bytes']) assert.ok(streamed.some(one => one.content?.[kind] > 10), kind)
  })
}

test('by hand, observed, and told in the wrong way', async () => {
  const outlets = new Outlets()
  const memory = new Memory()
  const recorder = new Recorder({ sinks: [memory] })
  let refused = 0
  const said = await listening(async () => {
    for (const exchange of exchanges()) {
      const call = new Call('chat', { recorder })
      const attempt = call.attempt()
      for (const bytes of exchange.frames) {
        attempt.bytes(exchange.protocol, bytes.subarray(0, bytes.length / 2))
        outlets.add('inspect', shown(call) + shown(attempt))
        attempt.bytes(exchange.protocol, bytes.subarray(bytes.length / 2))
      }
      call.end()
      outlets.add('inspect', shown(call))
      const stream = (async function* () {
        yield* exchange.frames
      })()
      for await (const chunk of observe(stream, { protocol: exchange.protocol, recorder })) assert.ok(chunk.length)
      // An application that takes the text of a chunk for its kind, and its prompt for other things.
      const text = exchange.whole
      const mistakes = [
        call => call.chunk(text),
        call => call.chunk('text', { bytes: text }),
        call => call.usage({ inputTokens: text }),
        call => call.timedOut(text),
        call => call.attributes({ a: { b: text } }),
        call => call.payload(exchange.protocol, text + text),
        call => call.bytes(exchange.protocol, text),
        call => call.bytes(text, exchange.frames[0]),
      ]
      for (const mistake of mistakes) {
        // The first mistake that a recorder hears of is told.
        const one = new Recorder()
        const wrong = new Call('chat', { recorder: one })
        mistake(wrong)
        wrong.end()
        refused += one.stats.invalidEvents
        await one.close()
      }
    }
    await recorder.close()
  })
  assert.ok(refused > 0 && said.includes('leaves out an event'))
  outlets.add('console', said)
  for (const record of memory.records) writtenOf(record, outlets)
  assert.deepEqual(outlets.leaks, {})
})

test('what cannot be read is not quoted', () => {
  const outlets = new Outlets()
  let thrown = 0
  const reading = read => {
    try {
      read()
    } catch (error) {
      assert.ok(error instanceof LlmspanError || error instanceof SyntaxError, inspect(error))
      // What `JSON.parse` says is the platform's.
      if (error instanceof LlmspanError) {
        thrown += 1
        outlets.add('exceptions', `${inspect(error)} ${shown(error)}`)
      }
    }
  }
  for (const { protocol, frames, whole, error, errorPage } of exchanges()) {
    const line = JSON.stringify({ at_ns: 0, event: 'bytes', protocol, utf8: whole })
    const texts = [line.slice(0, -9), line.replace('at_ns', 'at'), line.replace('utf8', 'base64'), line.replace('utf8', 'data')]
    for (const text of [...texts, whole, error, errorPage, frames[0].toString('latin1')]) {
      reading(() => replay(text))
      reading(() => replay('', text))
      reading(() => Record.fromJSON(text))
    }
  }
  assert.ok(thrown > 100)
  assert.deepEqual(outlets.leaks, {})
})

test('the search finds what it is for', async () => {
  const text = value('prompt')
  const [first, second] = halves(text)
  const bytes = Buffer.from(text)
  for (const spelled of [
    text, text.toUpperCase(), `x${first}x`, `x${second}x`, spell('{{prompt|base64}}'), Buffer.from(`ab${text}c`).toString('base64'),
    spell('{{prompt|percent}}'), JSON.stringify([...bytes]), bytes.toString('hex'), inspect(bytes), inspect([...bytes], { breakLength: Infinity }),
  ]) {
    assert.deepEqual([...found(spelled)], ['prompt'], spelled)
  }
  // The same way as in the tests above, with a record that a leaking application has made.
  const memory = new Memory()
  const recorder = new Recorder({ sinks: [memory] })
  new Call('chat', { model: text, attributes: { prompt: text }, recorder }).end()
  await recorder.close()
  const outlets = new Outlets()
  writtenOf(memory.records[0], outlets)
  for (const outlet of ['record', 'inspect', 'waterfall', 'attributes', 'OTLP', 'Chrome trace']) {
    assert.deepEqual(outlets.leaks[outlet], new Set(['prompt']), outlet)
  }
})
