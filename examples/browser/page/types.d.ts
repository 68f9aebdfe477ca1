/** The JSON of a waterfall, as far as the page reads it. Times are nanoseconds; those above 2^53 are text. */
export interface Waterfall {
  head: { what: string; outcome: string; ending: string; duration: string }
  duration_ns: number | string
  axis: Axis
  rows: Row[]
  brief: { timing: Fact[]; result: Fact[] }
  explanations: { topic: string; text: string }[]
}

export interface Axis {
  step_ns: number | string
  ticks: { at_ns: number | string; label: string }[]
}

export interface Row {
  kind: string
  label: string
  depth: number
  attempt?: number
  start_ns: number | string
  duration_ns: number | string
  note?: string
  failed: boolean
  segments: Segment[]
}

export interface Segment {
  kind: string
  start_ns: number | string
  duration_ns: number | string
  failed: boolean
}

export interface Fact {
  key: string
  label: string
  value: string
}

/** What another tool would report. */
export interface Definition {
  tool: string
  metric: string
  value?: { time_ns?: number | string; per_second?: number; [unit: string]: unknown }
  between_ns?: [number | string, number | string]
  rule: string
  why_absent?: string
}
