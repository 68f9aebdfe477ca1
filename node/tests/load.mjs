// Offers chunks to thousands of calls that are open at once, and counts what comes out:
// node node/tests/load.mjs [--seconds N] [--rate N] [--calls N]
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Call, Recorder } from 'llmspan'

const encoder = new TextEncoder()
const head = '"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4.1-mini"'
const CHUNK = encoder.encode(`data: {${head},"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}\n\n`)
const END = encoder.encode(`data: {${head},"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`)
const CHUNKS_PER_CALL = 200
/** Chunks between two turns of the event loop. */
const BETWEEN_TURNS = 256

/**
 * Offers `chunks` chunks to `calls` calls in turn, at a `rate` per second or as fast as it goes. A call that has had its chunks
 * ends, and another one takes its place.
 */
export async function load({ calls, chunks, rate }) {
  const counts = { opened: 0, offered: 0, records: 0, complete: 0, counted: 0, costs: [] }
  const onRecord = record => {
    counts.records += 1
    counts.complete += record.outcome === 'success' && record.finish_reasons[0] === 'stop' ? 1 : 0
    counts.counted += record.content.visible_chunks
  }
  const recorder = new Recorder({ onRecord, queueSize: calls + chunks })
  const open = left => {
    counts.opened += 1
    const call = new Call('chat', { provider: 'openai', model: 'gpt-4.1-mini', stream: true, recorder })
    return { call, attempt: call.attempt(), left }
  }
  const end = ({ call, attempt }) => {
    attempt.bytes('openai.chat', END)
    attempt.streamEnded()
    call.end()
  }
  const before = process.memoryUsage().rss
  // Calls begin at different points of their lives, so that they do not all end together.
  const streaming = Array.from({ length: calls }, (_, number) => open(1 + (number % CHUNKS_PER_CALL)))
  const began = performance.now()
  while (counts.offered < chunks) {
    for (let turn = Math.min(BETWEEN_TURNS, chunks - counts.offered); turn > 0; turn -= 1) {
      const at = counts.offered % calls
      const one = streaming[at]
      const start = performance.now()
      one.attempt.bytes('openai.chat', CHUNK)
      if (counts.offered % 64 === 0) counts.costs.push(performance.now() - start)
      counts.offered += 1
      one.left -= 1
      if (one.left === 0) {
        streaming[at] = open(CHUNKS_PER_CALL)
        end(one)
      }
    }
    const early = rate ? (counts.offered / rate) * 1000 - (performance.now() - began) : 0
    await new Promise(resolve => (early > 1 ? setTimeout(resolve, early) : setImmediate(resolve)))
  }
  counts.seconds = (performance.now() - began) / 1000
  counts.bytesPerCall = Math.round((process.memoryUsage().rss - before) / calls)
  streaming.forEach(end)
  await recorder.close()
  counts.stats = recorder.stats
  counts.costs.sort((one, other) => one - other)
  return counts
}

/** What was lost, in words; nothing when nothing was. */
export function lost({ opened, offered, records, complete, counted, stats }) {
  const wanted = { records: opened, complete: opened, counted: offered, openCalls: 0, dropped: 0 }
  const got = { records, complete, counted, openCalls: stats.openCalls, dropped: stats.dropped }
  return Object.keys(wanted).filter(key => got[key] !== wanted[key]).map(key => `${key}: ${got[key]} instead of ${wanted[key]}`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const number = fallback => ({ type: 'string', default: String(fallback) })
  const { values } = parseArgs({ options: { seconds: number(3), rate: number(1_000_000), calls: number(10_000) } })
  const [seconds, rate, calls] = [values.seconds, values.rate, values.calls].map(Number)
  const counts = await load({ calls, rate, chunks: seconds * rate })
  const nanos = part => Math.round(counts.costs[Math.floor(counts.costs.length * part)] * 1e6)
  console.log(`${calls} calls open at once, ${counts.offered} chunks in ${counts.seconds.toFixed(1)} s, ${Math.round(counts.offered / counts.seconds)} per second`)
  console.log(`${counts.opened} calls opened, ${counts.records} records, ${counts.counted} chunks in the records`)
  console.log(`${counts.bytesPerCall} bytes of memory by open call, with those of the runtime`)
  console.log(`a chunk costs ${nanos(0.5)} ns (p50), ${nanos(0.99)} ns (p99)`)
  const broken = lost(counts)
  if (broken.length > 0) {
    console.error(broken.join('\n'))
    process.exitCode = 1
  }
}
