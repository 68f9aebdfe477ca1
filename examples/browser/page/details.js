/** What stands below the waterfall: values, explanations, names, other tools; and copies of the record. */
import { chromeTrace, inWords, otlpTraces, profiles } from './engine.js'
import { find, list, make, say, set } from './dom.js'
import { timelessAttributes } from './input.js'

/** @import { Record } from './llmspan/index.js' */
/** @import { Definition, Fact, Waterfall } from './types.js' */

export class Details {
  /** @type {Record | undefined} */
  #record
  #hasTimes = true
  #profile = find('profile', HTMLSelectElement)
  #attributes = find('attributes', HTMLTableElement)
  #others = find('others', HTMLDetailsElement)
  #copied = find('copied', HTMLElement)
  /** @type {HTMLButtonElement[]} */
  #copyButtons = []

  constructor() {
    for (const profile of profiles()) this.#profile.append(new Option(profile, profile))
    this.#profile.addEventListener('change', () => this.#showAttributes())
    this.#others.addEventListener('toggle', () => this.#showDefinitions())
    this.#copies('copy-otlp', 'the span as OTLP JSON', record => {
      if (record.data.start_unix_ns === undefined) throw new Error('the record has no wall-clock time, which a span needs')
      return new TextDecoder().decode(otlpTraces([record], { profiles: [this.#profile.value] }))
    })
    this.#copies('copy-chrome', 'a trace for Perfetto and chrome://tracing', record => chromeTrace([record]))
    this.#copies('copy-record', 'the record', record => record.stringify())
  }

  /**
   * What changes with every chunk.
   * @param {Waterfall} waterfall
   * @param {{ wanted: Waterfall | undefined, isOpen: boolean, hasTimes: boolean }} more `wanted` has the values that are to
   * come: there is a place for each.
   */
  showValues(waterfall, { wanted, isOpen, hasTimes }) {
    const { timing, result } = waterfall.brief
    facts('timing', hasTimes ? merged(timing, wanted?.brief.timing ?? []) : [])
    facts('result', merged(result, wanted?.brief.result ?? []))
    say(find('why-title', HTMLElement), isOpen ? 'If it ended here' : 'Why')
    const lines = waterfall.explanations.filter(({ topic }) => hasTimes || !topic.endsWith('_ns'))
    find('why', HTMLElement).classList.toggle('has-summary', hasTimes)
    list(find('why', HTMLElement), lines, () => make('li'), (line, { text }) => say(line, text))
  }

  /**
   * What takes longer to write than a frame should.
   * @param {Record} record
   * @param {boolean} hasTimes
   */
  showRecord(record, hasTimes) {
    if (this.#record !== record) say(this.#copied, '')
    this.#record = record
    this.#hasTimes = hasTimes
    // What other tools read has times in it.
    for (const button of this.#copyButtons) button.disabled = !hasTimes
    this.#showAttributes()
    this.#showDefinitions()
  }

  #showAttributes() {
    if (!this.#record) return
    const profile = this.#profile.value
    const attributes = this.#hasTimes ? Object.entries(this.#record.attributes(profile)) : timelessAttributes(this.#record, profile)
    say(find('attribute-count', HTMLElement), String(attributes.length))
    const body = this.#attributes.tBodies[0]
    if (!body) return
    list(body, attributes, emptyPair, (row, [name, value]) => {
      const [key, cell] = row.cells
      if (key) say(key, name)
      if (cell) say(cell, typeof value === 'string' ? value : JSON.stringify(value))
    })
  }

  #showDefinitions() {
    this.#others.hidden = !this.#hasTimes
    const body = find('definitions', HTMLTableElement).tBodies[0]
    if (!this.#record || !this.#others.open || !body) return
    const definitions = /** @type {Definition[]} */ (this.#record.definitions())
    list(body, definitions, emptyDefinition, (row, definition) => {
      const { tool, metric, rule, why_absent } = definition
      const [name, what, value] = row.cells
      const [title, note] = what?.children ?? []
      if (name) say(name, tool)
      if (title) say(title, metric.replaceAll('_', ' '))
      if (note) say(note, why_absent ? `${rule} (${why_absent})` : rule)
      if (value) say(value, amount(definition))
    })
  }

  /**
   * @param {string} id
   * @param {string} what
   * @param {(record: Record) => string} write
   */
  #copies(id, what, write) {
    const button = find(id, HTMLButtonElement)
    this.#copyButtons.push(button)
    button.addEventListener('click', () => {
      if (this.#record) void this.#copy(what, () => write(/** @type {Record} */ (this.#record)))
    })
  }

  /**
   * @param {string} what
   * @param {() => string} write
   */
  async #copy(what, write) {
    say(this.#copied, '')
    try {
      await navigator.clipboard.writeText(write())
      say(this.#copied, `copied ${what}`)
    } catch (error) {
      say(this.#copied, `not copied: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

/**
 * Values, with a place for those that are to come.
 * @param {Fact[]} present
 * @param {Fact[]} wanted
 * @returns {Fact[]}
 */
function merged(present, wanted) {
  const values = new Map(present.map(fact => [fact.key, fact]))
  const known = wanted.map(fact => values.get(fact.key) ?? { ...fact, value: '' })
  const keys = new Set(known.map(fact => fact.key))
  return [...known, ...present.filter(fact => !keys.has(fact.key))]
}

/** @param {string} id @param {Fact[]} values */
function facts(id, values) {
  list(find(id, HTMLElement), values, emptyFact, (fact, { key, label, value }) => {
    const [name, amount] = fact.children
    set(fact, 'data-key', key)
    if (name) say(name, label)
    if (amount) {
      say(amount, value || '–')
      set(amount, 'class', value ? '' : 'absent')
    }
  })
}

/** @param {Definition} definition */
function amount({ value, between_ns }) {
  if (between_ns) return `${inWords(Number(between_ns[0]))} to ${inWords(Number(between_ns[1]))}`
  if (value?.time_ns !== undefined) return inWords(Number(value.time_ns))
  if (value?.per_second !== undefined) return `${String(value.per_second)}/s`
  return value ? Object.values(value).join(', ') : '–'
}

function emptyFact() {
  const fact = make('div', 'fact')
  fact.append(make('dt'), make('dd'))
  return fact
}

function emptyPair() {
  const row = make('tr')
  const name = make('th')
  name.scope = 'row'
  row.append(name, make('td'))
  return row
}

function emptyDefinition() {
  const row = make('tr')
  const what = make('td')
  what.append(make('div'), make('div', 'rule'))
  row.append(make('td'), what, make('td', 'number'))
  return row
}
