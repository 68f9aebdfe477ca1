// The ways into the package, each in a thread of its own, which shares nothing with the others.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { Worker } from 'node:worker_threads'

const here = new URL('.', import.meta.url)

/** What a module says of itself, which sends one message. */
async function said(source) {
  const head = "import { parentPort } from 'node:worker_threads'; const say = message => parentPort.postMessage(message);"
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(`${head}${source}`)}`), { workerData: here.href })
  const [message] = await Promise.race([once(worker, 'message'), once(worker, 'error').then(([error]) => Promise.reject(error))])
  await worker.terminate()
  return message
}

// Modules of `data:` find no packages by themselves.
const from = name => JSON.stringify(import.meta.resolve(name))

const CALL = `
  configure({ onRecord: record => say([record.outcome, record.model]) })
  const call = new Call('chat', { model: 'm' })
  call.end()
  flush()`

const file = name => JSON.stringify(new URL(import.meta.resolve(name)).pathname)

for (const [what, source] of [
  ['the package', `import { Call, configure, flush } from ${from('llmspan-wasm')};${CALL}`],
  ['the small package', `import { Call, configure, flush } from ${from('llmspan-wasm/slim')};${CALL}`],
  [
    'a module of the application: its bytes',
    `import { Call, configure, flush, init } from ${from('llmspan-wasm/init')}
    import { readFileSync } from 'node:fs'
    await init(readFileSync(${file('llmspan-wasm/wasm')}));${CALL}`,
  ],
  [
    'a module of the application: compiled, at once',
    `import { Call, configure, flush, initSync } from ${from('llmspan-wasm/slim/init')}
    import { readFileSync } from 'node:fs'
    initSync(new WebAssembly.Module(readFileSync(${file('llmspan-wasm/slim/wasm')})));${CALL}`,
  ],
  [
    'a module of the application: the answer to a request',
    `import { Call, configure, flush, init } from ${from('llmspan-wasm/init')}
    import { readFileSync } from 'node:fs'
    await init(Promise.resolve(new Response(readFileSync(${file('llmspan-wasm/wasm')}), { headers: { 'content-type': 'application/wasm' } })));${CALL}`,
  ],
]) {
  test(what, async () => assert.deepEqual(await said(source), ['success', 'm']))
}

for (const type of ['application/wasm', 'text/plain']) {
  test(`what browsers get, with the module served as ${type}`, async () => {
    const web = JSON.stringify(new URL('web.js', import.meta.resolve('llmspan-wasm')).href)
    const source = `
      import { readFileSync } from 'node:fs'
      console.warn = () => undefined
      const asked = []
      globalThis.fetch = async url => {
        asked.push(new URL(url).pathname.split('/').at(-1))
        const response = new Response(readFileSync(new URL(url)), { headers: { 'content-type': '${type}' } })
        return Object.defineProperty(response, 'type', { value: 'basic' })
      }
      const { version } = await import(${web})
      say([asked, version()])`
    const { version } = JSON.parse(readFileSync(new URL('../node_modules/llmspan-wasm/package.json', here), 'utf8'))
    assert.deepEqual(await said(source), [['llmspan.wasm'], version])
  })
}

test('a Worker sets no timers, and hands records over after what runs', async () => {
  const source = `
    import { readFileSync } from 'node:fs'
    Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'Cloudflare-Workers' } })
    // What Workers say outside of a request.
    const refuse = () => { throw new Error('disallowed operation called within global scope') }
    Object.assign(globalThis, { setTimeout: refuse, setInterval: refuse, setImmediate: refuse })
    const { Call, configure, initSync } = await import(${from('llmspan-wasm/init')})
    initSync(readFileSync(${file('llmspan-wasm/wasm')}))
    const outcomes = []
    configure({ config: { deadline_ns: 1000000000 }, onRecord: record => outcomes.push(record.outcome) })
    new Call('chat').end()
    await undefined
    say(outcomes)`
  assert.deepEqual(await said(source), ['success'])
})

const SLIM = `const slim = await import(${from('llmspan-wasm/slim')})`
const FULL = `const full = await import(${from('llmspan-wasm')})`

for (const [what, source, expected] of [
  ['the package and the small one: all have everything', `${FULL};${SLIM}`, [true, 'success', true, 0]],
  ['the small package and the package: all have everything', `${SLIM};${FULL}`, [true, 'success', true, 0]],
  [
    'the small package, which is used, and the package: it says that all have as much as the small one',
    `${SLIM}; slim.configure(); ${FULL}`,
    [false, 'success', false, 1],
  ],
]) {
  test(what, async () => {
    const asking = `
      const warned = []
      console.warn = text => warned.push(text)
      ${source}
      const recorder = new slim.Recorder({ onRecord: () => undefined })
      const call = new slim.Call('chat', { recorder })
      call.end()
      const explains = () => { try { return call.record.explain().length > 0 } catch { return false } }
      say([full.profiles().length > 0, call.record.outcome, explains(), warned.length])`
    assert.deepEqual(await said(asking), expected)
  })
}

test('the small package has what it does, and says what it does not', async () => {
  const slim = await import('llmspan-wasm/slim')
  const { Call, LlmspanError, observe, Recorder } = slim
  for (const name of ['instrument', 'replay', 'otlpTraces', 'chromeTrace', 'Otlp', 'profiles']) assert.equal(slim[name], undefined, name)
  const records = []
  const recorder = new Recorder({ onRecord: record => records.push(record) })
  async function* chunks() {
    yield { object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: 'hi' } }] }
    yield { object: 'chat.completion.chunk', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: { prompt_tokens: 3, completion_tokens: 20 } }
  }
  for await (const _ of observe(chunks(), { recorder }));
  new Call('chat', { recorder }).end({ errorType: 'x' })
  await recorder.flush()
  const [record, failed] = records
  assert.deepEqual([record.outcome, record.usage.output_tokens, failed.error.type], ['success', 20, 'x'])
  assert.equal(JSON.stringify(record), record.stringify())
  for (const ask of [() => record.explain(), () => record.attributes(), () => record.waterfallHtml()]) {
    assert.throws(ask, error => error instanceof LlmspanError && error.code === 'unavailable' && /llmspan-wasm\/slim/.test(error.message))
  }
  assert.throws(() => new Recorder({ profiles: ['otel-1.41'] }), { code: 'unknown_profile' })
  assert.throws(() => new Recorder({ config: { stall_after_ns: 'x' } }), { code: 'invalid_config' })
})

test('the small package knows chat completions, and no other protocol', async () => {
  const source = `
    import { detect } from ${from('llmspan-wasm/slim')}
    const bytes = text => new TextEncoder().encode(text)
    say([
      detect('https://api.openai.com/v1/chat/completions'),
      detect('', [], bytes('data: {"object":"chat.completion.chunk","choices":[]}\\n\\n')),
      detect('', [], bytes('{"choices":[{"message":{"role":"assistant"}}]}')),
      detect('https://api.anthropic.com/v1/messages') ?? null,
      detect('', [], bytes('data: {"type":"message_start"}\\n\\n')) ?? null,
    ])`
  assert.deepEqual(await said(source), ['openai.chat', 'openai.chat', 'openai.chat', null, null])
})
