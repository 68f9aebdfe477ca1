import type { Engine, EngineCall, EngineConfig, EngineRecord } from '../../js/engine.js'
import type { BoundCall, BoundConfig, BoundRecord, SlimBinding } from './binding.js'
import { unavailable, type Guard } from './guard.js'

/** Makes a record of its JSON. */
export type RecordOf = (json: string) => EngineRecord

/** The engine over what both modules have. */
export function slimEngine(binding: SlimBinding, guard: Guard, record: RecordOf = json => new TextRecord(json)): Engine {
  return {
    get isOff() {
      return guard.isOff
    },
    version: binding.version(),
    protocols: binding.protocols(),
    profiles: [],
    metricProfiles: [],
    modelCallAttributes: [],
    recordFields: binding.recordFields(),
    config: json =>
      guard.run(
        () => new Config(new binding.Config(json), guard),
        () => new Config(undefined, guard),
      ),
    call: (config, id, json) => callOf(guard, record, config, bound => new binding.Call(bound, id, json)),
    callOfRequest: unavailableInSlim,
    replay: unavailableInSlim,
    recordFromJson: unavailableInSlim,
    detect: (url, headers, firstBytes) =>
      guard.run(
        () => binding.detect(url, headers, firstBytes) ?? null,
        () => null,
      ),
    detectEvent: json =>
      guard.run(
        () => binding.detectEvent(json) ?? null,
        () => null,
      ),
    isEvent: data =>
      guard.run(
        () => binding.isEvent(data),
        () => false,
      ),
    readRequest: unavailableInSlim,
    correlator: unavailableInSlim,
    spans: unavailableInSlim,
    chromeTraceLog: unavailableInSlim,
    openingSpan: unavailableInSlim,
    instruments: unavailableInSlim,
    isModelCall: () => false,
  }
}

/** A call of the module; one that hears nothing where there is none, because the module has broken down. */
export function callOf(
  guard: Guard,
  record: RecordOf,
  config: EngineConfig,
  make: (config: BoundConfig) => BoundCall | undefined,
): EngineCall {
  const { bound } = config as Config
  const call = guard.run(
    () => bound && make(bound),
    () => undefined,
  )
  return new Call(call, guard, record)
}

/** Settings of calls. */
export class Config implements EngineConfig {
  readonly hasDeadlines: boolean

  constructor(
    readonly bound: BoundConfig | undefined,
    guard: Guard,
  ) {
    this.hasDeadlines = bound?.hasDeadlines ?? false
    if (bound) guard.freeWith(this, bound)
  }
}

class Call implements EngineCall {
  constructor(
    /** Absent after the end. */
    private bound: BoundCall | undefined,
    private readonly guard: Guard,
    private readonly record: RecordOf,
  ) {}

  event(json: string): EngineRecord | null {
    return this.ending(bound => bound.event(json))
  }

  headers(json: string): number | null {
    return this.ask(bound => bound.headers(json) ?? null, null)
  }

  bytes(atMs: number, attempt: number, protocol: number, data: Uint8Array): void {
    this.ask(bound => bound.bytes(atMs, attempt, protocol, data), undefined)
  }

  payloads(timesMs: Float64Array, attempt: number, protocol: number, lines: string): void {
    this.ask(bound => bound.payloads(timesMs, attempt, protocol, lines), undefined)
  }

  content(atMs: number, attempt: number, kind: string, bytes: number): boolean {
    return this.ask(bound => bound.content(atMs, attempt, kind, bytes), true)
  }

  tick(atMs: number): EngineRecord | null {
    return this.ending(bound => bound.tick(atMs))
  }

  dropped(atMs: number): EngineRecord | null {
    return this.ending(bound => bound.dropped(atMs))
  }

  get attemptCount(): number {
    return this.ask(bound => bound.attemptCount, 0)
  }

  /** Nothing of a call stays in the memory of the module after its end. */
  private ending(tell: (bound: BoundCall) => BoundRecord | undefined): EngineRecord | null {
    const json = this.ask(bound => {
      const record = tell(bound)
      return record && this.guard.with(record, () => record.json())
    }, undefined)
    if (json === undefined) return null
    if (this.bound) this.guard.free(this.bound)
    this.bound = undefined
    return this.record(json)
  }

  private ask<Result>(ask: (bound: BoundCall) => Result, otherwise: Result): Result {
    const { bound } = this
    if (!bound) return otherwise
    return this.guard.run(
      () => ask(bound),
      () => otherwise,
    )
  }
}

/** A record as its JSON: it takes nothing of the module's memory, and outlives a breakdown. */
export class TextRecord implements EngineRecord {
  constructor(protected readonly text: string) {}

  json(): string {
    return this.text
  }

  attributes(_profiles: string[]): string {
    return unavailableInSlim()
  }

  attemptAttributes(_profiles: string[]): string {
    return unavailableInSlim()
  }

  explain(): string[] {
    return unavailableInSlim()
  }

  definitions(): string {
    return unavailableInSlim()
  }

  waterfallText(_width: number | null, _ansi: boolean, _ascii: boolean, _title: string | null): string {
    return unavailableInSlim()
  }

  waterfallHtml(_scheme: string | null, _title: string | null): string {
    return unavailableInSlim()
  }

  waterfallJson(): string {
    return unavailableInSlim()
  }

  spans(_profiles: string[], _perAttempt: boolean, _random: Uint8Array): string | null {
    return unavailableInSlim()
  }

  missingAttributes(_profiles: string[], _known: string[]): string {
    return unavailableInSlim()
  }

  measurements(_profile: string, _responseModel: boolean, _gaps: number): string {
    return unavailableInSlim()
  }

  serverTiming(): string {
    return unavailableInSlim()
  }
}

function unavailableInSlim(): never {
  return unavailable('this takes `llmspan-wasm`: it is no part of `llmspan-wasm/slim`')
}
