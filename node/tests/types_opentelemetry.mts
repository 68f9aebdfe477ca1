// What users of OpenTelemetry write has the types that they expect. It is compiled, never run.
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { Call, configure, Otlp, Recorder, type SpanData } from 'llmspan'
import { OpenTelemetry, type OpenTelemetryStats } from 'llmspan/opentelemetry'

const sink = new OpenTelemetry({
  tracerProvider: new NodeTracerProvider(),
  meterProvider: new MeterProvider(),
  profiles: ['otel-1.41', 'openinference'],
  metricsProfile: null,
})
configure({ sinks: [sink, new OpenTelemetry()] })
export const stats: OpenTelemetryStats = sink.stats

export function handle(context: { waitUntil(work: Promise<unknown>): void }): string | undefined {
  const otlp = new Otlp({ url: 'http://localhost:4318/v1/traces', compression: 'gzip' })
  const recorder = new Recorder({ sinks: [otlp], waitUntil: context.waitUntil.bind(context) })
  const call = new Call('chat', { recorder })
  call.end()
  const spans: SpanData[] | undefined = call.record?.spans({ shape: 'attempt' })
  const rejected: number = otlp.stats.rejectedSpans
  // @ts-expect-error there is no such shape
  new OpenTelemetry({ shape: 'both' })
  return spans && rejected === 0 ? call.record?.serverTiming() : undefined
}
