/**
 * A proxy at the edge, in front of an API of models: it forwards requests, streams the answers back as they come, and exports what
 * happened once the answer is over.
 *
 * For Cloudflare Workers. `UPSTREAM` and `OTLP_URL` are variables of the worker; see README.md.
 */
import { Otlp, Recorder, wrapFetch } from 'llmspan-wasm'

export default {
  async fetch(request, env, ctx) {
    // Connections belong to the request that opens them, so each request has a recorder and a sink of its own.
    const recorder = new Recorder({
      sinks: [new Otlp({ url: env.OTLP_URL, resource: { 'service.name': 'edge-proxy' } })],
      // Keeps the worker until the record of the call is sent; the answer does not wait for it.
      waitUntil: work => ctx.waitUntil(work),
    })
    const { pathname, search } = new URL(request.url)
    // What comes back is the body of the provider, unchanged: the client's back-pressure and its cancellation reach upstream.
    return wrapFetch(fetch, { recorder })(env.UPSTREAM + pathname + search, request)
  },
}
