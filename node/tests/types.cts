// What users write has the types that they expect. As for CommonJS.
import { Call, configure, fetch, JsonLines, observe, Otlp, type Outcome, type Record } from 'llmspan'
import OpenAI from 'openai'

export const client = new OpenAI({ apiKey: 'k', fetch })
const recorder = configure({
  sinks: [new JsonLines('calls.jsonl'), new Otlp({ url: 'http://localhost:4318/v1/traces' }), record => record.outcome],
  onRecord: record => console.log(record.explain()),
})
const stats: number = recorder.stats.dropped

async function* chunks() {
  yield { text: 'a' }
}

export async function use(record: Record): Promise<string> {
  const call = new Call('chat', { provider: 'openai', request: { maxTokens: 5 }, atMs: performance.now() })
  const result: number = await call.run(async inside => inside.attempt().number)
  // The chunks of a stream keep their type.
  for await (const chunk of observe(chunks())) chunk.text satisfies string
  const response: Response = await fetch('https://api.openai.com/v1/chat/completions')
  const outcome: Outcome = record.outcome
  const first: number | string | undefined = record.ttft_ns
  // @ts-expect-error there is no such content
  call.chunk('letters')
  // @ts-expect-error a record is not to be changed
  record.outcome = 'success'
  return `${result} ${outcome} ${first} ${stats} ${response.status} ${record.attempts?.[0]?.usage?.output_tokens}`
}
