// A proxy that writes down what clients send, every header of it, and changes nothing.
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { pipeline } from 'node:stream'

/** Requests by their run; what differs from run to run is left out. */
export async function record(address) {
  const sent = new Map()
  const { port } = new URL(address)
  const server = createServer(async (incoming, outgoing) => {
    const parts = []
    for await (const part of incoming) parts.push(part)
    const body = Buffer.concat(parts)
    const { method, url, rawHeaders, headers } = incoming
    const run = /run=([^&/]*)/.exec(url)?.[1]
    const shown = rawHeaders.map(text => text.replaceAll(run, '*'))
    sent.set(run, [...(sent.get(run) ?? []), { method, url: url.replaceAll(run, '*'), headers: shown, body: body.toString() }])
    const onward = request({ host: '127.0.0.1', port, method, path: url, headers })
    onward.on('response', answer => {
      outgoing.writeHead(answer.statusCode, answer.rawHeaders)
      outgoing.flushHeaders()
      pipeline(answer, outgoing, () => undefined)
    })
    onward.on('error', () => outgoing.destroy())
    onward.end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.unref()
  const url = `http://127.0.0.1:${server.address().port}`
  return { address: url, of: run => sent.get(run), stop: () => (server.closeAllConnections(), server.close()) }
}
