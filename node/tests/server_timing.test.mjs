// Where the time of a call went, for the browser that waits for a response.
import assert from 'node:assert/strict'
import { createServer, get } from 'node:http'
import test from 'node:test'
import { Call, Recorder } from 'llmspan'

/** Reads a header as W3C Server Timing says to: its grammar, not its writer's. */
function read(header) {
  const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
  const parameter = `\\s*;\\s*(${token})\\s*=\\s*(?:(${token})|"((?:[^"\\\\]|\\\\.)*)")`
  const metric = new RegExp(`^\\s*(${token})((?:${parameter})*)\\s*(?:,|$)`)
  const metrics = []
  for (let rest = header; rest.trim() !== ''; ) {
    const found = metric.exec(rest)
    assert.ok(found, `cannot be read: ${rest}`)
    const parameters = [...found[2].matchAll(new RegExp(parameter, 'g'))].map(([, name, plain, quoted]) => [name, plain ?? quoted])
    metrics.push({ name: found[1], ...Object.fromEntries(parameters) })
    rest = rest.slice(found[0].length)
  }
  return metrics
}

function told() {
  const recorder = new Recorder()
  const call = new Call('chat', { provider: 'openai', model: 'm"; dur=1', stream: true, recorder, atMs: 0 })
  call.attempt({ atMs: 10 }).fail(undefined, { statusCode: 429, message: 'secret', atMs: 60 })
  call.retry({ delayMs: 500, reason: 'rate_limit', atMs: 60 })
  call.attempt({ atMs: 560 })
  call.chunk('text', { bytes: 5, atMs: 760.125 })
  call.chunk('none', { finishReasons: ['stop'], terminal: true, atMs: 1060 })
  call.end({ atMs: 1100 })
  return call
}

test('a call that has ended tells where its time went', () => {
  const open = new Call('chat', { recorder: new Recorder() })
  assert.equal(open.record, undefined)
  open.end()
  const header = told().record.serverTiming()
  assert.deepEqual(read(header), [
    { name: 'total', dur: '1100', desc: 'success' },
    { name: 'setup', dur: '560' },
    { name: 'retry', dur: '500', desc: '1 retry' },
    { name: 'ttft', dur: '200.125', desc: 'time to first token' },
    { name: 'sampling', dur: '299.875' },
    { name: 'tail', dur: '40' },
  ])
})

test('it goes as a header, and as a trailer of a response that was streamed', async t => {
  const value = told().record.serverTiming()
  const server = createServer((_, response) => {
    response.writeHead(200, { trailer: 'Server-Timing', 'server-timing': value })
    response.write('a')
    response.addTrailers({ 'Server-Timing': value })
    response.end('b')
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const got = await new Promise((resolve, reject) => {
    get({ port: server.address().port, host: '127.0.0.1', agent: false }, response => {
      response.resume().on('end', () => resolve({ header: response.headers['server-timing'], trailer: response.trailers['server-timing'] }))
    }).on('error', reject)
  })
  assert.deepEqual(got, { header: value, trailer: value })
})
