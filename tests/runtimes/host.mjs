/** The origin that the programs under test know: files, recorded calls, and the fault server behind it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'
import { createInterface } from 'node:readline'

/** Starts both; `close` ends them. `serve` names the folders of files, by the first part of their path. */
export async function startHost(program, logs, serve = {}) {
  const server = spawn(program, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface(server.stdout), 'line')
  const faults = new URL(line.replace('listening on ', ''))
  const posted = []
  const host = createServer((asked, answer) => {
    const { pathname } = new URL(asked.url, 'http://host')
    if (pathname === '/logs.json') return answer.setHeader('content-type', 'application/json').end(JSON.stringify(logs))
    if (pathname === '/v1/traces') return collect(asked, answer, posted)
    const [, first, ...rest] = pathname.split('/')
    if (serve[first]) return file(serve[first], rest.join('/'), answer)
    return pass(faults, asked, answer)
  })
  host.listen(0, '127.0.0.1')
  await once(host, 'listening')
  return {
    origin: `http://127.0.0.1:${host.address().port}`,
    /** What was posted to `/v1/traces`. */
    posted,
    close() {
      server.kill()
      host.closeAllConnections()
      host.close()
    },
  }
}

/** Hands a request on, and its answer back, as they come. */
function pass(faults, asked, answer) {
  const { method, url, headers } = asked
  const onward = request({ host: faults.hostname, port: faults.port, method, path: url, headers }, answered => {
    answer.writeHead(answered.statusCode, answered.headers)
    answer.flushHeaders()
    answered.pipe(answer)
    answered.on('error', () => answer.destroy())
  })
  onward.on('error', () => answer.destroy())
  answer.on('close', () => onward.destroy())
  asked.pipe(onward)
}

async function collect(asked, answer, posted) {
  let body = ''
  for await (const part of asked) body += part
  posted.push(JSON.parse(body))
  answer.setHeader('content-type', 'application/json').end('{}')
}

async function file(folder, path, answer) {
  const name = normalize(join(folder, path || 'index.html'))
  try {
    if (!name.startsWith(normalize(folder) + sep)) throw new Error('outside of the folder')
    const body = await readFile(name)
    answer.setHeader('content-type', TYPES[extname(name)] ?? 'application/octet-stream').end(body)
  } catch {
    answer.writeHead(404).end()
  }
}

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}
