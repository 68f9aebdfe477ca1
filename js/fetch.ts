import { watch } from './body.js'
import type { Call } from './call.js'
import { lines } from './log.js'
import { engine, state } from './platform.js'
import { defaultRecorder, type Recorder } from './recorder.js'
import { guarded, Wire, type Tap } from './wire.js'

/** Settings of {@link instrument} and {@link wrapFetch}. */
export interface HookOptions {
  /** Recorder of the calls; the one of {@link configure} when it is not said. */
  recorder?: Recorder | undefined
  /**
   * Call that requests are attempts of as long as it is open, whatever code sends them: where {@link Call.run} cannot tell flows of
   * control apart, as in browsers. Its recorder is the one that counts.
   */
  call?: Call | undefined
}

/**
 * Sees the model calls of every SDK that sends its requests with the global `fetch`.
 *
 * Each physical request is an attempt, also those that an SDK repeats by itself. The attempts of one call are those inside of
 * {@link Call.run}; outside of it, requests that the SDK marks as retries, or sends again unchanged after a failure, belong to
 * the call of the first of them. A call whose retries stop coming ends at its last failure.
 *
 * Calling it again changes nothing but the recorder.
 */
export function instrument(options: HookOptions = {}): void {
  uninstrument()
  const seen = wrapFetch(globalThis.fetch, options)
  state().fetch = seen
  globalThis.fetch = seen
}

/** Takes the hook out again. Responses that are being read are seen to their end. */
export function uninstrument(): void {
  const all = state()
  const seen = all.fetch
  all.fetch = undefined
  if (!seen) return
  const original = all.behind.get(seen)
  // Somebody may have wrapped what is here: then it stays, and passes everything on.
  if (original && globalThis.fetch === seen) globalThis.fetch = original
  else disabled.add(seen)
}

/** Whether the hook is in place. */
export function isInstrumented(): boolean {
  return state().fetch !== undefined
}

/** A `fetch` that sees the model calls of one client: `new OpenAI({ fetch: wrapFetch(fetch) })`. */
export function wrapFetch(original: typeof fetch, options: HookOptions = {}): typeof fetch {
  const { behind } = state()
  const forward = behind.get(original) ?? original
  const wire = watcher(options)
  const seen = function (this: unknown, ...request: Parameters<typeof fetch>): Promise<Response> {
    const send = (): Promise<Response> => forward.apply(this === seen ? undefined : this, request)
    if (isForwarding || disabled.has(seen)) return send()
    return see(wire, request, send)
  } as typeof fetch
  behind.set(seen, forward)
  return seen
}

/** A `fetch` that sees the model calls of the clients that it is given to: `new OpenAI({ fetch: llmspan.fetch })`. */
export const fetch: typeof globalThis.fetch = function (...request: Parameters<typeof globalThis.fetch>) {
  const { behind } = state()
  const forward = behind.get(globalThis.fetch) ?? globalThis.fetch
  return see(wireOf(undefined), request, () => forward(...request))
}

/** The attempt whose response a signal can abort, which is how SDKs tie a stream to its request. @internal */
export function isSeenBy(signal: unknown): boolean {
  return typeof signal === 'object' && signal !== null && seenSignals.has(signal)
}

/** Whether the response that a call has been told of in objects is one whose bytes a hook of its recorder sees. @internal */
export function isSeenInBytes(call: Call): boolean {
  const { recorder } = call.open
  const ofDefault = recorder === defaultRecorder() ? wireOfDefault : undefined
  return [ofDefault, wires.get(recorder)].some(wire => wire?.hasSeen(call))
}

/** One for each recorder: a program may wrap `fetch` as often as it makes clients. */
function wireOf(recorder: Recorder | undefined): Wire {
  if (!recorder) return (wireOfDefault ??= new Wire())
  const known = wires.get(recorder)
  if (known) return known
  const wire = new Wire(recorder)
  wires.set(recorder, wire)
  return wire
}

/** What the requests of a `fetch` are told to. */
function watcher({ recorder, call }: HookOptions): Watcher {
  if (!call) return wireOf(recorder)
  const wire = wireOf(call.open.recorder)
  return { now: () => wire.now(), begin: (url, headers, body, atMs) => wire.begin(url, headers, body, atMs, call) }
}

type Watcher = Pick<Wire, 'begin' | 'now'>

function see(wire: Watcher, request: Parameters<typeof globalThis.fetch>, send: () => Promise<Response>): Promise<Response> {
  const asked = guarded(() => ask(...request))
  if (!asked) return send()
  const [input, init] = request
  // Proxies send a request on to another address: `fetch(url, request)`.
  const given: unknown = init
  const whole = given instanceof Request ? given : input instanceof Request && !init?.body ? input : undefined
  return whole ? seeRequest(wire, asked, whole, init, send) : seeParts(wire, asked, input, init, send)
}

/** A request that asks a model. */
interface Asked {
  url: string
  /** Bytes that its body may have to be read. */
  limit: number
}

function ask(input: Target, init?: RequestInit): Asked | undefined {
  const request = input instanceof Request ? input : undefined
  const url = request?.url ?? String(input)
  const limit = engine().requestBodyLimit(init?.method ?? request?.method ?? 'GET', url)
  return limit === null ? undefined : { url, limit }
}

async function seeParts(
  wire: Watcher,
  { url, limit }: Asked,
  input: Target,
  init: RequestInit | undefined,
  send: () => Promise<Response>,
): Promise<Response> {
  const tap = guarded(() => {
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined))
    return wire.begin(url, flat(headers), bytesOf(init?.body, limit))
  })
  return respond(forward(send), tap, init?.signal)
}

/** Of a request whose body is a stream already, a copy is read beside it. */
async function seeRequest(
  wire: Watcher,
  { url, limit }: Asked,
  request: Request,
  init: RequestInit | undefined,
  send: () => Promise<Response>,
): Promise<Response> {
  const atMs = guarded(() => wire.now())
  const copy = guarded(() => (request.body && !request.bodyUsed ? request.clone().body?.getReader() : undefined))
  const headers = guarded(() => flat(new Headers(init?.headers ?? request.headers))) ?? ''
  const response = forward(send)
  const answered = response.then(
    () => undefined,
    () => undefined,
  )
  const body = copy && (await Promise.race([readWhole(copy, limit), answered]).catch(() => undefined))
  // What is not read any more is not kept for this copy either.
  copy?.cancel().catch(() => undefined)
  const tap = guarded(() => wire.begin(url, headers, body ?? nothing, atMs))
  return respond(response, tap, init?.signal ?? request.signal)
}

async function respond(
  response: Promise<Response>,
  tap: Tap | undefined,
  signal: AbortSignal | null | undefined,
): Promise<Response> {
  if (!tap) return response
  if (signal) {
    seenSignals.add(signal)
    tap.signal = signal
  }
  let answered: Response
  try {
    answered = await response
  } catch (error) {
    guarded(() => tap.failed(error))
    throw error
  }
  return guarded(() => watched(answered, tap)) ?? answered
}

/** The response with a body that is watched. */
function watched(response: Response, tap: Tap): Response {
  tap.head(response.status, response.headers)
  const { body } = response
  if (!body) {
    tap.ended()
    return response
  }
  if (response.bodyUsed || body.locked || typeof body.getReader !== 'function') {
    // A response of another kind than the platform's.
    tap.collected()
    return response
  }
  const { status, statusText, headers, url, redirected, type } = response
  const Same = response.constructor as typeof Response
  const seen = new Same(watch(body, tap), { status, statusText, headers })
  // What a constructor does not take.
  Object.defineProperties(seen, {
    url: { value: url, configurable: true },
    redirected: { value: redirected, configurable: true },
    type: { value: type, configurable: true },
  })
  return seen
}

/** Sends the request on, past hooks below this one. */
function forward(send: () => Promise<Response>): Promise<Response> {
  const before = isForwarding
  isForwarding = true
  try {
    return send()
  } catch (error) {
    return Promise.reject(error as Error)
  } finally {
    isForwarding = before
  }
}

/** Reads a stream to its end, unless it is longer than the limit. */
async function readWhole(stream: ReadableStreamDefaultReader<Uint8Array>, limit: number): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await stream.read()
    if (done) break
    length += value.length
    if (length > limit) return undefined
    parts.push(value)
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function flat(headers: Headers): string {
  const all: string[] = []
  headers.forEach((value, name) => all.push(name, value))
  return lines(all)
}

/** A body as bytes, where it is there already, and not larger than the limit. */
function bytesOf(body: RequestInit['body'] | undefined, limit: number): Uint8Array {
  if (typeof body === 'string') return body.length > limit ? nothing : encoder.encode(body)
  const isBytes = ArrayBuffer.isView(body) || body instanceof ArrayBuffer
  if (!isBytes || body.byteLength > limit) return nothing
  return body instanceof ArrayBuffer ? new Uint8Array(body) : new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
}

type Target = Parameters<typeof globalThis.fetch>[0]

const encoder = new TextEncoder()
const nothing = new Uint8Array(0)
const disabled = new WeakSet<object>()
const seenSignals = new WeakSet<object>()
const wires = new WeakMap<Recorder, Wire>()
let wireOfDefault: Wire | undefined

/** Whether a hook is sending a request on: the same request is not seen twice. */
let isForwarding = false
