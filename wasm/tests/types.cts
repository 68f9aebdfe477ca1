// What users write has the types that they expect. As for CommonJS.
import { Call, configure, fetch, instrument, type Record } from 'llmspan-wasm'
import * as slim from 'llmspan-wasm/slim'
import { initSync } from 'llmspan-wasm/init'
import OpenAI from 'openai'

export const client = new OpenAI({ apiKey: 'k', fetch })
configure({ onRecord: record => console.log(record.explain()) })
instrument()

export function use(record: Record, bytes: ArrayBuffer): string {
  initSync(bytes)
  new slim.Call('chat').end()
  new Call('chat', { stream: true }).run(call => call.attempt().chunk('text'))
  // @ts-expect-error there is no such content
  new Call('chat').chunk('letters')
  return record.outcome
}
