import type { Engine, EngineCall, EngineConfig, EngineRecord, EngineRequest } from '../../js/engine.js'
import type { BoundCall, BoundConfig, BoundRecord, BoundScratch, SlimBinding } from './binding.js'
import { unavailable, type Guard } from './guard.js'
import { Scratch, type Memory } from './scratch.js'

/** Makes a record of its JSON, and of the record of the module, which it frees or keeps for a while. */
export type RecordOf = (json: string, bound: BoundRecord) => EngineRecord

/** What the calls of an engine share. */
export interface Shared {
  readonly guard: Guard
  readonly scratch: Scratch
  readonly record: RecordOf
}

/** What the calls of an engine share, over its module. */
export function sharedBy(binding: SlimBinding, memory: Memory, guard: Guard, record: RecordOf = textRecord(guard)): Shared {
  return { guard, scratch: new Scratch(binding, memory), record }
}

function textRecord(guard: Guard): RecordOf {
  return (json, bound) => {
    guard.free(bound)
    return new TextRecord(json)
  }
}

/** The engine over what both modules have. */
export function slimEngine(binding: SlimBinding, shared: Shared): Engine {
  const { guard } = shared
  return {
    get isOff() {
      return guard.isOff
    },
    version: binding.version(),
    protocols: binding.protocols(),
    bareEvents: binding.bareEvents(),
    profiles: [],
    metricProfiles: [],
    modelCallAttributes: [],
    recordFields: binding.recordFields(),
    config: json =>
      guard.run(
        () => new Config(new binding.Config(json), guard),
        () => new Config(undefined, guard),
      ),
    call: (config, id, json) => callOf(Call, shared, config, bound => new binding.Call(bound, id, json)),
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
    requestBodyLimit: unavailableInSlim,
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
export function callOf<Bound extends BoundCall>(
  Made: new (bound: Bound | undefined, shared: Shared) => EngineCall,
  shared: Shared,
  config: EngineConfig,
  make: (config: BoundConfig) => Bound | undefined,
): EngineCall {
  const { bound } = config as Config
  const call = shared.guard.run(
    () => bound && make(bound),
    () => undefined,
  )
  return new Made(call, shared)
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

export class Call<Bound extends BoundCall = BoundCall> implements EngineCall {
  constructor(
    /** Absent after the end. */
    private bound: Bound | undefined,
    private readonly shared: Shared,
  ) {}

  event(json: string): EngineRecord | null {
    return this.ending(bound => bound.event(json))
  }

  bare(atMs: number, attempt: number, place: number): EngineRecord | null {
    return this.ending(bound => bound.bare(atMs, attempt, place))
  }

  attemptOf(_atMs: number, _request: EngineRequest): number {
    return unavailableInSlim()
  }

  head(atMs: number, attempt: number, statusCode: number, unixMs: number | null, headers: string): number | null {
    return this.ask(bound => bound.head(atMs, attempt, statusCode, unixMs, headers) ?? null, null)
  }

  headers(json: string): number | null {
    return this.ask(bound => bound.headers(json) ?? null, null)
  }

  pieces(marks: Float64Array, attempt: number, protocol: number, data: Uint8Array): void {
    this.put(data, (bound, room, length) => bound.pieces(marks, attempt, protocol, room, length))
  }

  payloads(timesMs: Float64Array, attempt: number, protocol: number, lines: Uint8Array): void {
    this.put(lines, (bound, room, length) => bound.payloads(timesMs, attempt, protocol, room, length))
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

  /** Asks something of the call, if there is one. */
  ask<Result>(ask: (bound: Bound) => Result, otherwise: Result): Result {
    const { bound } = this
    if (!bound) return otherwise
    return this.shared.guard.run(
      () => ask(bound),
      () => otherwise,
    )
  }

  /** Has bytes applied by way of the scratch memory. */
  private put(data: Uint8Array, apply: (bound: Bound, room: BoundScratch, length: number) => void): void {
    this.ask(bound => {
      const { scratch } = this.shared
      const room = scratch.put(data)
      apply(bound, room, scratch.length)
      scratch.done(room)
    }, undefined)
  }

  /** Nothing of a call stays in the memory of the module after its end, but for what {@link RecordOf} keeps for a while. */
  private ending(tell: (bound: Bound) => BoundRecord | undefined): EngineRecord | null {
    const { guard, record } = this.shared
    const ended = this.ask(tell, undefined)
    if (!ended) return null
    const json = guard.run(
      () => ended.json(),
      () => undefined,
    )
    if (this.bound) guard.free(this.bound)
    this.bound = undefined
    return json === undefined ? null : record(json, ended)
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
