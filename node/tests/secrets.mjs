// Marked secrets, exchanges that hold them, and the search for them: the files of tests/privacy, which say what may come out.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

function data(name) {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'tests/privacy', name)
    if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8'))
  }
  throw new Error(`there is no tests/privacy/${name}`)
}

const { secrets, allowed } = data('secrets.json')
const file = data('exchanges.json')

/** The value of a secret. */
export function value(name) {
  return secrets[name].value
}

export function halves(text) {
  return [text.slice(0, text.length / 2), text.slice(text.length / 2)]
}

/** Puts secrets in the places of a template. */
export function spell(template) {
  return template.replaceAll(/\{\{(\w+)(?:\|(\w+))?\}\}/g, (_, name, spelling) => {
    const text = value(name)
    const [first, second] = halves(text)
    const spelled = { plain: text, base64: Buffer.from(text).toString('base64'), percent: written(text, '%'), 1: first, 2: second }
    return spelling ? spelled[spelling] : `${text} ${written(text, '\\u00')} ${spelled.base64} ${spelled.percent}`
  })
}

function written(text, before) {
  return Array.from(Buffer.from(text), byte => before + byte.toString(16).padStart(2, '0')).join('')
}

/** How text of letters and digits may be written, in lower case, by kind and length. */
function spellings(half) {
  const bytes = Buffer.from(half)
  const spelled = { plain: half, hexadecimal: written(half, ''), escapes: written(half, '\\u00'), percent: written(half, '%') }
  // As Node shows a buffer.
  spelled.buffer = written(half, ' ')
  const numbers = [...bytes].join()
  spelled[`numbers ${numbers.length}`] = numbers
  // Where in a group of three bytes the text begins changes how it is written; what its neighbours take part in is cut.
  for (const [before, cut] of [[0, 0], [1, 2], [2, 3]]) {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64').toLowerCase()
    spelled[`base64 ${before}`] = encoded.slice(cut, Math.floor((before + bytes.length) / 3) * 4)
  }
  return spelled
}

const kinds = {}
for (const [name, { value: text }] of Object.entries(secrets)) {
  for (const half of halves(text)) {
    for (const [kind, spelled] of Object.entries(spellings(half))) (kinds[kind] ??= new Map()).set(spelled, name)
  }
}

/** What all begin with: a text is gone through quickly, and what follows is looked up. */
function beginning(texts) {
  const [first, ...others] = texts
  const differs = at => others.some(other => other[at] !== first[at])
  const length = [...first].findIndex((_, at) => differs(at))
  return length < 0 ? first : first.slice(0, length)
}

const searches = Object.values(kinds).map(names => [beginning(names.keys()), names.keys().next().value.length, names])

/** The names of the secrets in a text or in bytes, in any spelling, also half of one. */
export function found(text) {
  const searched = (typeof text === 'string' ? text : Buffer.from(text).toString('latin1')).toLowerCase().replaceAll(/,\s+/g, ',')
  const there = new Set()
  for (const [begin, length, names] of searches) {
    for (let at = searched.indexOf(begin); at >= 0; at = searched.indexOf(begin, at + 1)) {
      const name = names.get(searched.slice(at, at + length))
      if (name !== undefined) there.add(name)
    }
  }
  return there
}

/** What came out, by what wrote it. */
export class Outlets {
  leaks = {}
  written = 0

  constructor(withMessages = false) {
    this.withMessages = withMessages
  }

  add(outlet, text) {
    this.written += text.length
    for (const name of found(text)) {
      if (!this.mayBe(name, outlet)) (this.leaks[outlet] ??= new Set()).add(name)
    }
  }

  mayBe(name, outlet) {
    return allowed.some(
      ({ secrets: which, everywhere, with_messages: messages, outlets = [] }) =>
        (which === 'all' || which.includes(name)) &&
        (everywhere || (messages && this.withMessages) || outlets.includes(outlet)),
    )
  }
}

const CONTENT_TYPES = {
  array: 'application/json',
  aws: 'application/vnd.amazon.eventstream',
  aws_invoke: 'application/vnd.amazon.eventstream',
  lines: 'application/x-ndjson',
}

/** Requests in every protocol, and what may come back. */
export function exchanges() {
  return file.exchanges.map(raw => ({
    protocol: raw.protocol,
    shows: raw.shows,
    requestHeaders: spelled({ ...file.request_headers, ...raw.headers }),
    request: spell(JSON.stringify(raw.request)),
    responseHeaders: { ...spelled(file.response_headers), 'content-type': CONTENT_TYPES[raw.framing] ?? 'text/event-stream' },
    frames: raw.stream.map((event, index) => frame(raw.framing, event, index)),
    whole: spell(JSON.stringify(raw.whole)),
    error: spell(JSON.stringify(raw.error)),
    errorFrame: frame(raw.framing, raw.error_event, 1),
    errorPage: spell(file.error_page),
    url: (address, isWhole) => {
      const path = isWhole ? raw.whole_path : raw.path
      const url = file.url.replace('{host}', address).replace('{path}', path).replace('{separator}', path.includes('?') ? '&' : '?')
      // `fetch` takes no URL with a user in it.
      return spell(url).replace(/\/\/[^/]*@/, '//')
    },
  }))
}

function spelled(headers) {
  return Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, spell(text)]))
}

/** An event as it is on the wire. */
function frame(framing, event, index) {
  const name = event.event
  const said = name === undefined ? event : event.data
  let data = typeof said === 'string' ? said : spell(JSON.stringify(said))
  switch (framing) {
    case 'sse':
      return Buffer.from(`${name === undefined ? '' : `event: ${name}\n`}data: ${data}\n\n`)
    case 'dashscope':
      return Buffer.from(`id:${index + 1}\nevent:${name ?? 'result'}\n:HTTP_STATUS/${name ? 429 : 200}\ndata:${data}\n\n`)
    case 'lines':
      return Buffer.from(`${data}\n`)
    case 'array':
      return Buffer.from(`${index ? ',' : '['}${data}`)
    case 'aws_invoke':
      if (!event.exception) return message('chunk', JSON.stringify({ bytes: Buffer.from(data).toString('base64'), p: 'abc' }), 'event')
    // fallthrough
    default:
      return message(name, data, event.exception ? 'exception' : 'event')
  }
}

/** A message of an AWS event stream with its two checksums. */
function message(name, payload, kind) {
  const headers = Buffer.concat(
    [[`:${kind}-type`, name], [':content-type', 'application/json'], [':message-type', kind]].flatMap(([header, text]) => [
      Buffer.from([header.length]),
      Buffer.from(header),
      Buffer.from([7, text.length >> 8, text.length & 255]),
      Buffer.from(text),
    ]),
  )
  const body = Buffer.from(payload)
  const prelude = Buffer.alloc(12)
  prelude.writeUInt32BE(16 + headers.length + body.length, 0)
  prelude.writeUInt32BE(headers.length, 4)
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8)
  const checked = Buffer.concat([prelude, headers, body])
  const end = Buffer.alloc(4)
  end.writeUInt32BE(crc32(checked), 0)
  return Buffer.concat([checked, end])
}

function crc32(bytes) {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}
