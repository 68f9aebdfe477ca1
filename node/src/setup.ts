import { AsyncLocalStorage } from 'node:async_hooks'

import * as binding from '../binding.cjs'

import type { Call } from '../../js/call.js'
import type { Engine, EngineChromeTraceLog, EngineCorrelator, EngineSpans } from '../../js/engine.js'
import { install, watchProcess } from '../../js/platform.js'

/** The addon behind the interface of the engine. What one of its objects makes is only ever handed back to it. */
const engine: Engine = {
  version: binding.version(),
  protocols: binding.protocols(),
  bareEvents: binding.bareEvents(),
  profiles: binding.profiles(),
  metricProfiles: binding.metricProfiles(),
  recordFields: binding.recordFields(),
  config: json => new binding.Config(json),
  call: (config, id, json) => new binding.Call(config as binding.Config, id, json),
  callOfRequest: (config, id, atMs, unixMs, request, traceId, parentSpanId) =>
    binding.Call.ofRequest(config as binding.Config, id, atMs, unixMs, request as binding.ModelRequest, traceId, parentSpanId),
  replay: (log, config) => binding.replay(log, config as binding.Config),
  recordFromJson: json => binding.Record.fromJson(json),
  detect: binding.detect,
  detectEvent: binding.detectEvent,
  isEvent: binding.isEvent,
  requestBodyLimit: binding.requestBodyLimit,
  readRequest: binding.readRequest,
  correlator: () => new binding.Correlator() as EngineCorrelator,
  spans: (profiles, resource, perAttempt) => new binding.Spans(profiles, resource, perAttempt) as EngineSpans,
  chromeTraceLog: origin => new binding.ChromeTraceLog(origin) as EngineChromeTraceLog,
  openingSpan: binding.openingSpan,
  instruments: binding.instruments,
  modelCallAttributes: binding.modelCallAttributes(),
  isModelCall: binding.isModelCall,
}

install('llmspan', {
  engine,
  storage: new AsyncLocalStorage<Call>(),
  soon: run => void setImmediate(run),
})

watchProcess('llmspan')
