// What an application sees of a stream: with llmspan it has to be the same as without.

/** Chunks, and how it ended. */
export class Sight {
  chunks = []
  error = undefined

  take(chunk) {
    this.chunks.push(stable(JSON.stringify(chunk, timeless) ?? String(chunk)))
  }

  fail(error) {
    this.error = chainOf(error)
  }
}

/** Reads a stream to its end, or so many of its chunks. */
export async function read(client, base, options, _bench, { limit, watch = stream => stream } = {}) {
  const sight = new Sight()
  try {
    let count = 0
    for await (const chunk of watch(await client.stream(base, options))) {
      sight.take(chunk)
      count += 1
      if (count === limit) break
    }
  } catch (error) {
    sight.fail(error)
  }
  return sight
}

/** Asks for a whole answer. */
export async function ask(client, base, options) {
  const sight = new Sight()
  try {
    sight.take(await client.whole(base, options))
  } catch (error) {
    sight.fail(error)
  }
  return sight
}

/** Class, message and status of an exception, and of what caused it. */
function chainOf(error) {
  const chain = []
  for (let link = error; link !== undefined && link !== null && chain.length < 8; link = link.cause) {
    const { name, message, status, statusCode, code, type } = link
    const shown = { kind: link.constructor?.name, name, message: stable(String(message ?? link)), status, statusCode, code, type }
    chain.push(JSON.stringify(shown))
  }
  return chain
}

/** Without what the AI SDK measures, and the ports of connections. */
function timeless(name, value) {
  return name === 'performance' || name === 'socket' ? undefined : value
}

/** Without what differs from run to run: ids, runs in URLs, ports, dates and times. */
function stable(text) {
  return text.replaceAll(UNSTABLE, '*')
}

const UNSTABLE =
  /run=[^/&"\\]*|127\.0\.0\.1:\d+|[0-9a-f-]{12,}|"[A-Za-z0-9]{16}"|"[0-9a-f]{9}"|\w{3}, \d+ \w{3} \d{4} [\d:]+ GMT|\d{4}-\d\d-\d\dT[\d:.]+Z|"(created|created_at|createdAt|timestamp)\\?":\d+/g
