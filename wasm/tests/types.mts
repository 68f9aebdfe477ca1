// What users write has the types that they expect. It is compiled, never run.
import { Call, configure, fetch, observe, Otlp, type Outcome, type Record } from 'llmspan-wasm'
import { init, initSync, type Source } from 'llmspan-wasm/init'
import * as slim from 'llmspan-wasm/slim'
import { init as initSlim } from 'llmspan-wasm/slim/init'
import source from 'llmspan-wasm/wasm'
import OpenAI from 'openai'

export const client = new OpenAI({ apiKey: 'k', fetch })
const recorder = configure({
  sinks: [new Otlp({ url: 'http://localhost:4318/v1/traces' }), record => record.outcome],
  onRecord: record => console.log(record.explain()),
})
const stats: number = recorder.stats.dropped

async function* chunks() {
  yield { text: 'a' }
}

export async function use(record: Record, bytes: Uint8Array<ArrayBuffer>, from: Source): Promise<string> {
  await init(source)
  await initSlim(new URL('https://example.com/llmspan-slim.wasm'))
  await init(globalThis.fetch('https://example.com/llmspan.wasm'))
  await init(from)
  initSync(bytes)
  // @ts-expect-error a string is an address, which takes a while
  initSync('llmspan.wasm')
  const call = new Call('chat', { provider: 'openai', request: { maxTokens: 5 }, atMs: performance.now() })
  const result: number = await call.run(async inside => inside.attempt().number)
  // The chunks of a stream keep their type.
  for await (const chunk of observe(chunks())) chunk.text satisfies string
  new slim.Call('chat').end()
  // @ts-expect-error it is no part of the small package
  slim.instrument()
  const outcome: Outcome = record.outcome
  // @ts-expect-error a record is not to be changed
  record.outcome = 'success'
  return `${result} ${outcome} ${stats}`
}
