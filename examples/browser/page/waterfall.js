/** Draws the rows of a waterfall as a table with bars. What the rows are, and every word in them, comes from the engine. */
import { axisOf, inWords } from './engine.js'
import { list, make, say, set } from './dom.js'

/** @import { Row, Segment, Waterfall } from './types.js' */

/**
 * What to draw beside the waterfall itself. Times are nanoseconds from the start of the call.
 * @typedef {object} Frame
 * @property {number} length Length of the axis.
 * @property {number} at Where the call is.
 * @property {boolean} isOpen Whether the call goes on there.
 * @property {readonly { at: number, size: number }[]} arrivals What came of the response, in order.
 */

export class Chart {
  #table = make('table', 'rows')
  #ticks = make('div', 'lane axis')
  #arrivals = make('tr', 'row arrivals')
  #silence = make('div', 'note')
  #marks = document.createElementNS(SVG, 'path')
  #body = make('tbody')
  #legend

  /**
   * @param {HTMLElement} place
   * @param {HTMLElement} legend
   */
  constructor(place, legend) {
    this.#legend = legend
    const head = make('tr', 'row')
    const axis = columnHead('track', '')
    axis.append(this.#ticks)
    head.append(columnHead('label', 'step'), axis, columnHead('number', 'start'), columnHead('number', 'time'))
    const drawn = document.createElementNS(SVG, 'svg')
    set(drawn, 'viewBox', `0 0 ${String(WIDTH)} ${String(HEIGHT)}`)
    set(drawn, 'preserveAspectRatio', 'none')
    set(drawn, 'aria-hidden', 'true')
    drawn.append(this.#marks)
    const lane = make('div', 'lane')
    const track = make('td', 'cell track')
    lane.append(drawn, this.#silence)
    track.append(lane)
    this.#arrivals.append(rowHead('chunks'), track, make('td', 'cell number'), make('td', 'cell number'))
    const top = make('thead')
    top.append(head, this.#arrivals)
    // Styles take the roles of a table from its elements in some browsers.
    for (const [element, role] of /** @type {const} */ ([[this.#table, 'table'], [top, 'rowgroup'], [this.#body, 'rowgroup']])) {
      set(element, 'role', role)
    }
    for (const row of [head, this.#arrivals]) withRoles(row)
    set(this.#table, 'aria-label', 'Waterfall')
    this.#table.append(top, this.#body)
    place.replaceChildren(this.#table)
  }

  /** Pixels of the names of the rows. */
  get labels() {
    return this.#table.rows[0]?.cells[0]?.offsetWidth ?? 0
  }

  /** Gives the names that many pixels at least, so that the bars stay where they are while rows appear. @param {number} width */
  set labels(width) {
    this.#table.style.setProperty('--labels', `${String(width)}px`)
  }

  /**
   * @param {Waterfall} waterfall
   * @param {Frame} frame
   */
  draw(waterfall, frame) {
    const length = Math.max(frame.length, 1)
    const axis = axisOf(length)
    this.#table.style.setProperty('--step', percent(Number(axis.step_ns), length))
    this.#table.style.setProperty('--at', percent(frame.at, length))
    this.#table.classList.toggle('is-open', frame.isOpen)
    list(this.#ticks, axis.ticks, () => make('span', 'tick'), (tick, { at_ns, label }, at) => {
      const from = Number(at_ns)
      const isLate = from > 0 && from > length * 0.9
      tick.style.left = isLate ? 'auto' : percent(from, length)
      tick.style.right = isLate ? percent(length - from, length) : 'auto'
      // A narrow axis has room for four.
      tick.className = at % 2 === 1 && axis.ticks.length > 4 ? 'tick odd' : 'tick'
      say(tick, label)
    })
    this.#drawArrivals(frame, length, waterfall)
    const width = this.#ticks.clientWidth
    const end = Number(waterfall.duration_ns)
    list(this.#body, waterfall.rows, emptyRow, (element, row) => fillRow(element, row, { ...frame, length, end, width }))
    this.#drawLegend(waterfall)
  }

  /**
   * @param {Frame} frame
   * @param {number} length
   * @param {Waterfall} waterfall
   */
  #drawArrivals(frame, length, { rows, duration_ns }) {
    this.#arrivals.hidden = frame.arrivals.length === 0
    const seen = frame.arrivals.filter(arrival => arrival.at <= frame.at)
    const path = seen.map(({ at, size }) => {
      const x = ((at / length) * WIDTH).toFixed(2)
      // A mark is as high as its line of the log is long, by the logarithm: a quarter at 64 characters, all at 8 Ki.
      const high = Math.min(Math.max((Math.log2(Math.max(size, 1)) - 3.6) / 9.4, 0.25), 1) * (HEIGHT - 6)
      return `M${x} ${String(HEIGHT - 3)}v${(-high).toFixed(1)}`
    })
    set(this.#marks, 'd', path.join(''))
    const count = this.#arrivals.cells[3]
    if (count) say(count, String(seen.length))
    // A silence that goes on is no stall yet: that it is one is known when it ends.
    const last = seen.at(-1)?.at ?? frame.at
    const silence = frame.at - last
    const isAnswering = rows.some(row => row.kind === 'attempt' && endOf(row) >= Number(duration_ns) && Number(row.start_ns) <= last)
    const isSilent = frame.isOpen && isAnswering && silence >= SILENCE
    say(this.#silence, isSilent ? `${inWords(Math.round(silence / 1e7) * 1e7)} since the last` : '')
    const width = this.#ticks.clientWidth
    if (isSilent) place(this.#silence, { text: this.#silence.textContent, from: frame.at / length, to: frame.at / length, width })
  }

  /** @param {Waterfall} waterfall */
  #drawLegend(waterfall) {
    const segments = waterfall.rows.flatMap(row => row.segments)
    /** @type {{ classes: string, words: string }[]} */
    const entries = []
    for (const [kind, words] of Object.entries(WORDS)) {
      if (segments.some(segment => segment.kind === kind && !segment.failed)) entries.push({ classes: kind, words })
    }
    const lost = segments.find(segment => segment.failed)
    if (lost) entries.push({ classes: `${lost.kind} lost`, words: 'of an attempt that failed' })
    list(this.#legend, entries, emptyEntry, (entry, { classes, words }) => {
      const [bar, text] = entry.children
      if (bar) set(bar, 'class', `bar ${classes}`)
      if (text) say(text, words)
    })
  }
}

function emptyRow() {
  const row = make('tr', 'row')
  const lane = make('div', 'lane')
  const bars = make('div', 'bars')
  const track = make('td', 'cell track')
  set(bars, 'role', 'img')
  lane.append(bars, make('div', 'note'))
  track.append(lane)
  row.append(rowHead(''), track, make('td', 'cell number dim'), make('td', 'cell number'))
  withRoles(row)
  return row
}

/**
 * @param {HTMLTableRowElement} element
 * @param {Row} row
 * @param {{ length: number, end: number, width: number, isOpen: boolean }} frame
 */
function fillRow(element, row, { length, end, width, isOpen }) {
  const [name, track, start, time] = element.cells
  const [bars, note] = track?.firstElementChild?.children ?? []
  if (!name || !start || !time || !(bars instanceof HTMLElement) || !(note instanceof HTMLElement)) return
  const from = Number(row.start_ns)
  const to = endOf(row)
  const goesOn = isOpen && to >= end && row.kind !== 'stall'
  const kinds = [row.kind === 'attempt' && 'attempt', row.depth > 0 && 'inner', row.kind === 'folded' && 'inner']
  set(element, 'class', ['row', ...kinds, row.failed && 'failed', goesOn && 'goes-on'].filter(Boolean).join(' '))
  const label = name.firstElementChild
  if (label instanceof HTMLElement) {
    label.style.paddingLeft = `${String(row.depth * 14)}px`
    set(label, 'title', row.label)
    say(label, row.failed ? `✗ ${row.label}` : row.label)
  }
  list(bars, row.segments, () => make('span'), (bar, segment) => {
    const begin = Number(segment.start_ns)
    set(bar, 'class', `bar ${segment.kind}${segment.failed ? ' lost' : ''}`)
    bar.style.left = `min(${percent(begin, length)}, 100% - 2px)`
    bar.style.width = percent(Number(segment.duration_ns), length)
    set(bar, 'title', inSentence(segment))
  })
  set(bars, 'aria-label', row.segments.map(inSentence).join('; '))
  const text = goesOn ? running(row) : row.note
  say(note, text ?? '')
  place(note, { text: text ?? '', from: from / length, to: to / length, width })
  say(start, from === 0 ? '0' : inWords(from))
  say(time, inWords(Number(row.duration_ns)))
}

/**
 * Puts a note behind its bar, or before it, or below it.
 * @param {HTMLElement} note
 * @param {{ text: string, from: number, to: number, width: number }} where Parts of the width, which is in pixels.
 */
function place(note, { text, from, to, width }) {
  const needed = text.length * LETTER + 14
  const [before, behind] = [from * width, (1 - to) * width]
  const isBelow = text !== '' && needed > behind && needed > before
  note.classList.toggle('below', isBelow)
  note.style.left = !isBelow && needed <= behind ? `${String(to * 100)}%` : 'auto'
  note.style.right = !isBelow && needed > behind ? `${String((1 - from) * 100)}%` : 'auto'
}

/**
 * The note of what goes on: the engine was told that it ends here, which is so of the copy alone that it drew.
 * @param {Row} row
 */
function running({ note = '', depth }) {
  const said = note.split(', ').filter(part => part !== '' && !CUT.has(part))
  return [...said, ...(depth === 0 ? ['running'] : [])].join(', ')
}

/** @param {Row} row */
function endOf({ start_ns, duration_ns }) {
  return Number(start_ns) + Number(duration_ns)
}

/** @param {Segment} segment */
function inSentence({ kind, start_ns, duration_ns }) {
  const from = Number(start_ns)
  return `${WORDS[kind] ?? kind}: ${inWords(Number(duration_ns))} from ${from === 0 ? '0' : inWords(from)}`
}

/** @param {string} text */
function rowHead(text) {
  const cell = make('th', 'cell label')
  cell.scope = 'row'
  cell.append(make('div', 'name', text))
  return cell
}

/** @param {string} kind @param {string} text */
function columnHead(kind, text) {
  const cell = make('th', `cell ${kind} dim`, text)
  cell.scope = 'col'
  set(cell, 'role', 'columnheader')
  return cell
}

/** @param {HTMLTableRowElement} row */
function withRoles(row) {
  set(row, 'role', 'row')
  for (const cell of row.cells) {
    if (!cell.hasAttribute('role')) set(cell, 'role', cell.tagName === 'TH' ? 'rowheader' : 'cell')
  }
}

function emptyEntry() {
  const entry = make('li')
  entry.append(make('span', 'bar'), make('span'))
  return entry
}

/** @param {number} part @param {number} whole */
function percent(part, whole) {
  return `${(Math.min(Math.max(part / whole, 0), 1) * 100).toFixed(3)}%`
}

/** What each kind of segment means, in the order of the legend. @type {{ [kind: string]: string }} */
const WORDS = {
  local: 'local work',
  pause: 'pause',
  waiting: 'waiting for the server',
  pending: 'nothing visible yet',
  content: 'content',
  stalled: 'stalled',
  folded: 'not drawn',
}
/** What the engine notes of what is cut by the end of a call. */
const CUT = new Set(['abandoned', 'left open', 'cut short'])
/** Nanoseconds without a chunk that are worth a word. */
const SILENCE = 500e6
/** Pixels of a letter of a note, on average. */
const LETTER = 6.4
const SVG = 'http://www.w3.org/2000/svg'
const WIDTH = 1000
const HEIGHT = 24
