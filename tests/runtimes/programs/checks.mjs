/** What has to hold in every runtime. Runs there, and gives plain data; `runtimes.test.mjs` says what has to come out. */
export async function run(llmspan, origin) {
  const answers = {}
  for (const [name, check] of Object.entries(CHECKS)) {
    try {
      answers[name] = await check(llmspan, origin)
    } catch (error) {
      answers[name] = { threw: String(error?.stack ?? error) }
    }
  }
  return answers
}

/** The same for the module that has events and `openai.chat`, and nothing else. */
export async function runSlim(llmspan) {
  return { by_hand: await CHECKS.by_hand(llmspan), version: llmspan.version() }
}

const CHECKS = {
  version: llmspan => llmspan.version(),

  /** Times are given, so that the numbers are known. */
  by_hand(llmspan) {
    const records = []
    const recorder = new llmspan.Recorder({ onRecord: record => records.push(record) })
    const call = new llmspan.Call('chat', { provider: 'openai', model: 'gpt-4.1-mini', stream: true, recorder, atMs: 1000 })
    const attempt = call.attempt({ atMs: 1000 })
    attempt.bytes('openai.chat', new TextEncoder().encode('data: {"choices":[{"index":0,"delta":{"content":"Hé"}}]}\n\n'), { atMs: 1250 })
    attempt.bytes('openai.chat', new TextEncoder().encode('data: [DONE]\n\n'), { atMs: 1500 })
    call.end({ atMs: 1500 })
    return recorder.flush().then(() => records.map(summary))
  },

  /** A stream through `fetch`: what the program reads is what it reads without us. */
  async fetch_stream(llmspan, origin) {
    const bare = await (await ask(globalThis.fetch, origin, 'chunks=4')).text()
    const { records, recorder } = kept(llmspan)
    const seen = await (await ask(llmspan.wrapFetch(globalThis.fetch, { recorder }), origin, 'chunks=4')).text()
    await recorder.flush()
    return { length: seen.length > 0, same: shape(bare) === shape(seen), records: records.map(summary) }
  },

  /** A server that asks to come back: two requests in one call. */
  async retry(llmspan, origin) {
    const { records, recorder } = kept(llmspan)
    const fetch = llmspan.wrapFetch(globalThis.fetch, { recorder })
    const call = new llmspan.Call('chat', { provider: 'openai', model: 'gpt-4.1-mini', recorder })
    await call.run(() => retried(fetch, origin))
    call.end()
    await recorder.flush()
    return records.map(summary)
  },

  /** The same with a `fetch` of that call, which needs nothing of the runtime. */
  async retry_of_call(llmspan, origin) {
    const { records, recorder } = kept(llmspan)
    const call = new llmspan.Call('chat', { provider: 'openai', model: 'gpt-4.1-mini', recorder })
    const fetch = llmspan.wrapFetch(globalThis.fetch, { call })
    await retried(fetch, origin)
    call.end()
    await recorder.flush()
    return records.map(summary)
  },

  /** A reader that stops. */
  async cancel(llmspan, origin) {
    const { records, recorder } = kept(llmspan)
    const response = await ask(llmspan.wrapFetch(globalThis.fetch, { recorder }), origin, 'chunks=50&interval=20')
    const reader = response.body.getReader()
    await reader.read()
    await reader.cancel()
    await recorder.flush()
    return records.map(summary)
  },

  /** An application that gives up. */
  async abort(llmspan, origin) {
    const { records, recorder } = kept(llmspan)
    const abort = new AbortController()
    const response = await ask(llmspan.wrapFetch(globalThis.fetch, { recorder }), origin, 'chunks=50&interval=20', abort.signal)
    const reader = response.body.getReader()
    await reader.read()
    abort.abort()
    let error = ''
    try {
      for (;;) if ((await reader.read()).done) break
    } catch (thrown) {
      error = thrown.name
    }
    await recorder.flush()
    return { error, records: records.map(summary) }
  },

  /** Recorded calls, whose records have to be the same everywhere. */
  async replay(llmspan, origin) {
    const logs = await (await fetch(`${origin}/logs.json`)).json()
    return logs.map(log => llmspan.replay(log).map(record => JSON.stringify(record)))
  },

  /** Views of a record. */
  async views(llmspan, origin) {
    const [log] = await (await fetch(`${origin}/logs.json`)).json()
    const [record] = llmspan.replay(log)
    return {
      explain: record.explain().length > 0,
      waterfall: record.waterfallText().includes('attempt'),
      html: record.waterfallHtml().startsWith('<'),
      attributes: Object.keys(record.attributes('otel-1.41', 'qwen-code')).length > 10,
      chrome: JSON.parse(llmspan.chromeTrace([record])) !== null,
    }
  },

  /** Code that runs without a pause, many times: where the clock stands still meanwhile, the record has to say so. */
  async no_pause(llmspan) {
    const { records, recorder } = kept(llmspan)
    for (let turn = 0; turn < 50; turn += 1) {
      const call = new llmspan.Call('chat', { provider: 'openai', model: 'gpt-4.1-mini', stream: true, recorder })
      const attempt = call.attempt()
      for (let chunk = 0; chunk < 3; chunk += 1) attempt.chunk('text', { bytes: 5 })
      attempt.chunk('none', { terminal: true })
      call.end()
    }
    await recorder.flush()
    return records.map(record => ({
      stood: record.duration_ns === 0,
      frozen: record.diagnostics?.clock?.frozen === true,
      said: record.explain().some(line => line.includes('clock')),
    }))
  },

  /** The wall clock of a record is that of the world. */
  async wall_clock(llmspan) {
    const { records, recorder } = kept(llmspan)
    new llmspan.Call('chat', { recorder }).end()
    await recorder.flush()
    return { off_by_ms: Number(BigInt(records[0].start_unix_ns) / 1_000_000n) - Date.now() }
  },
}

function kept(llmspan) {
  const records = []
  return { records, recorder: new llmspan.Recorder({ onRecord: record => void records.push(record) }) }
}

/** A client that comes back when it is asked to. */
async function retried(fetch, origin) {
  const faults = `plan=429,ok&retry-after-ms=30&run=${crypto.randomUUID()}`
  await (await ask(fetch, origin, faults)).text()
  await new Promise(resolve => setTimeout(resolve, 30))
  await (await ask(fetch, origin, faults)).text()
}

function ask(fetch, origin, faults, signal) {
  const body = {
    model: 'gpt-4.1-mini',
    messages: [{ role: 'user', content: 'Hi' }],
    stream: true,
    stream_options: { include_usage: true },
  }
  return fetch(`${origin}/s/${faults}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  })
}

/** A body without what is new in every response: ids and times. */
function shape(body) {
  return body.replaceAll(/"(id|created|system_fingerprint)":("[^"]*"|\d+)/g, '"$1":0')
}

function summary(record) {
  return {
    outcome: record.outcome,
    attempts: record.attempt_count,
    ttft_ns: record.ttft_ns ?? null,
    duration_ns: record.duration_ns,
    waits: record.waits?.length ?? 0,
    reason: record.waits?.[0]?.reason ?? null,
    usage: record.usage ? { input: record.usage.input_tokens, output: record.usage.output_tokens } : null,
    error: record.error?.type ?? null,
    bytes: record.content?.text_bytes ?? null,
  }
}
