// The fault server, and what tests share.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Memory, Recorder } from 'llmspan'

/** Starts the server that the variable LLMSPAN_FAULTS names; gives its address. */
export async function serve() {
  const server = spawn(process.env.LLMSPAN_FAULTS, ['--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: server.stdout })
  for await (const line of lines) {
    const address = /http:\/\/\S+/.exec(line)?.[0]
    if (address) return { address, stop: () => void server.kill() }
  }
  throw new Error('the fault server did not start')
}

/** A recorder of its own, and what it recorded. */
export class Bench {
  memory = new Memory()

  constructor(options = {}) {
    this.recorder = new Recorder({ sinks: [this.memory], ...options })
  }

  /** Waits until so many calls have ended, at most five seconds. */
  async records(count) {
    const deadline = Date.now() + 5000
    for (;;) {
      await this.recorder.flush()
      const { records } = this.memory
      if (records.length >= count || Date.now() > deadline) return records
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }

  async record() {
    const [record, ...more] = await this.records(1)
    if (!record || more.length > 0) throw new Error(`${more.length + (record ? 1 : 0)} records instead of one`)
    return record
  }
}

/** Has what is garbage collected until `isDone`, at most five seconds. */
export async function collect(isDone) {
  const deadline = Date.now() + 5000
  while (!isDone() && Date.now() < deadline) {
    globalThis.gc()
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** A request for a stream of OpenAI's chat. */
export const chat = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'gpt-4.1-mini', stream: true, messages: [{ role: 'user', content: 'hi' }] }),
}

/** Where such requests go. */
export const url = 'https://api.openai.com/v1/chat/completions'

/** A whole answer, and a `fetch` that gives it. */
export const text = 'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\ndata: [DONE]\n\n'
export const answer = async () => new Response(text, { headers: { 'content-type': 'text/event-stream' } })

/** The same answer as objects of an SDK. */
export async function* objects() {
  yield { choices: [{ index: 0, delta: { content: 'hi' } }] }
  yield { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }
}

/** All that a stream gives. */
export async function read(stream) {
  const all = []
  for await (const chunk of stream) all.push(chunk)
  return all
}
