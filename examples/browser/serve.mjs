// A server to try the page with: `node serve.mjs DIRECTORY [--port PORT]`, on the local machine alone.
//
// It serves the files of the page, and answers below `/v1` as an OpenAI-compatible endpoint does that misbehaves as its model
// says: the fault server, which the variable LLMSPAN_FAULTS names, is behind it. Without it there is no `/v1`.
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

/** What each model does, as the fault server understands it. A failure comes before the answer of the same call. */
export const MODELS = {
  demo: 'plan=429,ok&1.retry-after-ms=1200&1.head=90&head=180&first=320&interval=45&reasoning=8&chunks=40&stall=1500&stall-at=20&input=1204&output=93&reasoning-tokens=24',
  steady: 'plan=ok&head=160&first=300&interval=40&chunks=60&output=80',
  'rate-limited': 'plan=429,429,ok&1.retry-after-ms=300&2.retry-after-ms=600&head=120&first=200&interval=40&chunks=30&output=40',
  stalled: 'plan=ok&head=160&first=300&interval=45&chunks=30&stall=1800&stall-at=12&output=40',
  cut: 'plan=cut&at=14c&head=140&first=260&interval=50&chunks=40',
  overloaded: 'plan=503&head=60',
  silent: 'plan=hang&at=3c&head=120&first=200&interval=40&chunks=20',
}

/** Starts it; gives its address, and how to stop it. */
export async function serve(directory, { port = 0, faults } = {}) {
  const behind = faults ? await startFaults(faults) : undefined
  const calls = new Calls()
  const answer = async (incoming, outgoing) => {
    const { pathname } = new URL(incoming.url, 'http://localhost')
    if (!isLocal(incoming.headers.host)) return end(outgoing, 403, 'this server answers the local machine alone')
    if (behind && pathname === '/v1/models') return end(outgoing, 200, JSON.stringify(models), 'application/json')
    if (behind && pathname.startsWith('/v1/')) return pass(incoming, outgoing, pathname, behind.address, calls)
    return file(directory, pathname, outgoing)
  }
  // A request that cannot be read, or whose client has gone, is no reason to stop.
  const server = createServer((incoming, outgoing) => answer(incoming, outgoing).catch(() => outgoing.destroy()))
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  const stop = () => {
    behind?.stop()
    server.close()
    server.closeAllConnections()
  }
  return { address: `http://127.0.0.1:${server.address().port}`, faults: behind?.address, stop }
}

const models = { object: 'list', data: Object.keys(MODELS).map(id => ({ id, object: 'model', owned_by: 'llmspan' })) }

async function startFaults(program) {
  const child = spawn(program, ['--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const stop = () => void child.kill()
  process.once('exit', stop)
  for await (const line of createInterface({ input: child.stdout })) {
    const address = /http:\/\/\S+/.exec(line)?.[0]
    if (address) return { address, stop }
  }
  throw new Error(`${program} did not start`)
}

/** Which requests are one call of the page, for the fault server, which counts them. */
class Calls {
  count = 0

  of(headers) {
    if (!Number(headers['x-stainless-retry-count'])) this.count += 1
    return `page-${this.count}`
  }
}

async function pass(incoming, outgoing, pathname, address, calls) {
  const parts = []
  for await (const part of incoming) parts.push(part)
  const body = Buffer.concat(parts)
  let model
  try {
    ;({ model } = JSON.parse(body))
  } catch {
    return end(outgoing, 400, '{"error":{"message":"the body is no JSON"}}', 'application/json')
  }
  if (!Object.hasOwn(MODELS, model)) {
    const message = `there is no model \`${model}\`, but ${Object.keys(MODELS).join(', ')}`
    return end(outgoing, 404, JSON.stringify({ error: { message, type: 'invalid_request_error', code: 'model_not_found' } }), 'application/json')
  }
  const url = `${address}/s/${MODELS[model]}&run=${calls.of(incoming.headers)}${pathname}`
  const { host: _, connection: __, ...headers } = incoming.headers
  const onward = request(url, { method: incoming.method, headers }, answer => {
    outgoing.writeHead(answer.statusCode, answer.headers)
    outgoing.flushHeaders()
    answer.on('data', part => outgoing.write(part))
    answer.on('end', () => outgoing.end())
    answer.on('error', () => outgoing.destroy())
  })
  onward.on('error', () => outgoing.destroy())
  outgoing.on('close', () => onward.destroy())
  onward.end(body)
}

async function file(directory, pathname, outgoing) {
  const path = normalize(decodeURIComponent(pathname)).replace(/^[/\\]+/, '')
  if (path.split(/[/\\]/).includes('..')) return end(outgoing, 404, 'not found')
  try {
    const name = path === '' ? 'index.html' : path
    const data = await readFile(join(directory, name))
    outgoing.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', 'cache-control': 'no-store' })
    outgoing.end(data)
  } catch {
    end(outgoing, 404, 'not found')
  }
}

function end(outgoing, status, text, type = 'text/plain; charset=utf-8') {
  outgoing.writeHead(status, { 'content-type': type })
  outgoing.end(text)
}

/** Names that a page elsewhere cannot have pointed here. */
function isLocal(host = '') {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host)
}

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.jsonl': 'application/x-ndjson',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [directory, flag, port = '0'] = process.argv.slice(2)
  if (!directory || (flag !== undefined && flag !== '--port')) {
    console.error('usage: node serve.mjs DIRECTORY [--port PORT]')
    process.exit(2)
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit())
  const { address, faults } = await serve(directory, { port: Number(port), faults: process.env.LLMSPAN_FAULTS })
  console.log(`the page is at ${address}${faults ? ', with an endpoint for "Live" at /v1' : ''}`)
}
