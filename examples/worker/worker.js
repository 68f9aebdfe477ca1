/**
 * A proxy at the edge, in front of an API of models: it forwards requests, streams the answers back as they come, and exports what
 * happened once the answer is over.
 *
 * Cloudflare Workers, with the flag `nodejs_compat`. `UPSTREAM` and `OTLP_URL` are variables of the worker; see README.md.
 */
import { env, waitUntil } from 'cloudflare:workers'
import { Otlp, Recorder, wrapFetch } from 'llmspan-wasm'

const recorder = new Recorder({
  sinks: [new Otlp({ url: env.OTLP_URL, resource: { 'service.name': 'edge-proxy' } })],
  // Keeps the worker until the record of a call is sent; the answer does not wait for it.
  waitUntil,
})
const seen = wrapFetch(fetch, { recorder })

export default {
  async fetch(request) {
    const { pathname, search } = new URL(request.url)
    // What comes back is the body of the provider, unchanged: the client's back-pressure and its cancellation reach upstream.
    return seen(env.UPSTREAM + pathname + search, request)
  },
}
