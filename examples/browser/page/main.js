/** The page: what to show, where in time, and the parts that show it. */
import { protocols, waterfallOf } from './engine.js'
import { Details } from './details.js'
import { find, list, make, say } from './dom.js'
import { read } from './input.js'
import { below, LiveCall } from './live.js'
import { Milestones } from './milestones.js'
import { Pace, Player } from './player.js'
import { Chart } from './waterfall.js'

/** @import { Recording } from './recording.js' */

class Page {
  /** @type {Recording[]} */
  #recordings = []
  /** @type {Recording | undefined} */
  #shown
  /** @type {LiveCall | undefined} */
  #live
  #chart = new Chart(find('chart', HTMLElement), find('legend', HTMLElement))
  #details = new Details()
  #milestones = new Milestones()
  #player = new Player(
    () => this.#show(),
    event => say(find('milestone', HTMLElement), (event !== undefined && this.#shown?.eventsAt(event)) || ''),
  )
  #place = find('chart', HTMLElement)
  /** When the slow parts were written last, in milliseconds. */
  #written = 0
  /** Counts what is asked for, so that the answer to an earlier wish is not shown. */
  #wish = 0

  constructor() {
    for (const name of protocols()) find('protocol', HTMLSelectElement).append(new Option(name, name))
    this.#sources()
    this.#own()
    this.#liveForm()
    find('which', HTMLSelectElement).addEventListener('change', event => {
      const recording = this.#recordings[/** @type {HTMLSelectElement} */ (event.target).selectedIndex]
      if (recording) this.#open(recording)
    })
    new ResizeObserver(() => this.#player.isPlaying || this.#show()).observe(this.#place)
    void this.#capture('rate-limited')
  }

  #sources() {
    for (const radio of document.querySelectorAll('input[name=source]')) {
      radio.addEventListener('change', () => {
        const chosen = /** @type {HTMLInputElement} */ (radio).value
        for (const name of ['captures', 'own', 'live']) find(`from-${name}`, HTMLElement).hidden = name !== chosen
        say(find('problem', HTMLElement), '')
      })
    }
    for (const button of captures()) {
      button.addEventListener('click', () => void this.#capture(button.dataset['capture'] ?? ''))
    }
  }

  /** @param {string} name */
  async #capture(name) {
    const wish = (this.#wish += 1)
    await this.#guarded(async () => {
      const [log, config] = await Promise.all([file(`captures/${name}.jsonl`), file('captures/config.json')])
      if (wish !== this.#wish) return
      this.#load(read(log, { config: new TextDecoder().decode(config) }))
      for (const button of captures()) button.ariaPressed = String(button.dataset['capture'] === name)
    })
  }

  #own() {
    const data = find('data', HTMLTextAreaElement)
    const chosen = find('file', HTMLInputElement)
    const drop = find('drop', HTMLElement)
    find('from-own', HTMLFormElement).addEventListener('submit', event => {
      event.preventDefault()
      void this.#read(new Blob([data.value]))
    })
    // What is pasted is whole, so it is shown at once.
    data.addEventListener('paste', () => setTimeout(() => void this.#read(new Blob([data.value]))))
    find('open-file', HTMLButtonElement).addEventListener('click', () => chosen.click())
    chosen.addEventListener('change', () => {
      if (chosen.files?.[0]) void this.#read(chosen.files[0])
      chosen.value = ''
    })
    document.addEventListener('dragover', event => {
      event.preventDefault()
      drop.hidden = false
    })
    document.addEventListener('dragleave', event => {
      if (!event.relatedTarget) drop.hidden = true
    })
    document.addEventListener('drop', event => {
      event.preventDefault()
      drop.hidden = true
      const dropped = event.dataTransfer?.files[0] ?? new Blob([event.dataTransfer?.getData('text/plain') ?? ''])
      choose('own')
      void this.#read(dropped)
    })
  }

  /** @param {Blob} data */
  async #read(data) {
    const wish = (this.#wish += 1)
    await this.#guarded(async () => {
      const bytes = new Uint8Array(await data.arrayBuffer())
      if (wish !== this.#wish) return
      const protocol = find('protocol', HTMLSelectElement).value
      this.#load(read(bytes, { protocol, name: data instanceof File ? data.name : '' }))
    })
  }

  #liveForm() {
    find('from-live', HTMLFormElement).addEventListener('submit', event => {
      event.preventDefault()
      void this.#guarded(() => this.#send())
    })
    find('stop', HTMLButtonElement).addEventListener('click', () => this.#live?.stop())
    find('list-models', HTMLButtonElement).addEventListener('click', () => void this.#guarded(() => this.#listModels()))
  }

  async #send() {
    const text = (/** @type {string} */ id) => find(id, HTMLInputElement).value
    const call = new LiveCall({
      url: below(text('base'), 'chat/completions'),
      model: text('model'),
      prompt: text('prompt'),
      key: text('key'),
      retries: Number(find('retries', HTMLSelectElement).value),
    })
    this.#wish += 1
    this.#live?.stop()
    this.#live = call
    this.#setLive(true)
    const ended = call.run()
    this.#load([call.recording])
    const pace = new Pace()
    const follow = () => {
      if (this.#shown !== call.recording || !call.recording.isGrowing) return
      requestAnimationFrame(follow)
      pace.step(() => {
        this.#player.follow(call.recording, call.now)
        this.#show()
      })
    }
    follow()
    await ended
    if (this.#live === call) this.#setLive(false)
    if (this.#shown !== call.recording) return
    this.#player.load(call.recording)
    this.#setPlayable(call.recording)
    this.#show()
  }

  async #listModels() {
    const key = find('key', HTMLInputElement).value
    const headers = key ? { authorization: `Bearer ${key}` } : undefined
    const response = await fetch(below(find('base', HTMLInputElement).value, 'models'), headers ? { headers } : {})
    if (!response.ok) throw new Error(`the endpoint has no list of models: it answers ${String(response.status)}`)
    /** @type {{ data?: { id: string }[] }} */
    const { data = [] } = await response.json()
    const model = find('model', HTMLInputElement)
    list(find('models', HTMLElement), data, () => make('option'), (option, { id }) => (option.value = id))
    if (data[0] && !data.some(({ id }) => id === model.value)) model.value = data[0].id
    model.focus()
  }

  /** @param {boolean} isLive */
  #setLive(isLive) {
    find('stop', HTMLButtonElement).disabled = !isLive
  }

  /** @param {Recording[]} recordings */
  #load(recordings) {
    this.#recordings = recordings
    for (const button of captures()) button.ariaPressed = 'false'
    find('many', HTMLElement).hidden = recordings.length < 2
    const which = find('which', HTMLSelectElement)
    const shown = recordings.slice(0, MOST_CALLS)
    which.replaceChildren(...shown.map((recording, at) => new Option(`${String(at + 1)}: ${recording.title}`)))
    const { length } = recordings
    say(find('count', HTMLElement), length > MOST_CALLS ? `the first ${String(MOST_CALLS)} of ${String(length)}` : `of ${String(length)}`)
    if (recordings[0]) this.#open(recordings[0])
  }

  /** @param {Recording} recording */
  #open(recording) {
    if (this.#live && this.#live.recording !== recording) this.#live.stop()
    this.#shown = recording
    this.#place.style.minHeight = ''
    this.#chart.labels = 0
    this.#player.load(recording)
    this.#setPlayable(recording)
    this.#written = 0
    this.#isMoving = false
    say(find('milestone', HTMLElement), '')
    this.#show()
  }

  /** @param {Recording} recording */
  #setPlayable(recording) {
    const canPlay = !recording.isGrowing && recording.duration > 0
    for (const part of find('transport', HTMLElement).querySelectorAll('button, input, select')) {
      /** @type {HTMLButtonElement} */ (part).disabled = !canPlay
    }
    find('transport', HTMLElement).hidden = !recording.hasLog && !recording.isGrowing
    const note = find('no-log', HTMLElement)
    note.hidden = recording.note === ''
    say(note, recording.note)
  }

  /** Shows the call where the player is. */
  #show() {
    const recording = this.#shown
    if (!recording) return
    const { at, isPlaying } = this.#player
    const moment = recording.at(recording.hasLog ? at : 0)
    if (!moment) return
    const waterfall = waterfallOf(moment.record)
    const wanted = recording.isGrowing ? undefined : recording.finalWaterfall
    const end = Number(waterfall.duration_ns)
    const length = recording.isGrowing ? room(end) : Number(wanted?.duration_ns ?? end)
    // What is below stays where it is while rows appear.
    if (moment.isOpen && !recording.isGrowing && !this.#place.style.minHeight) {
      this.#place.style.minHeight = `${String(this.#place.offsetHeight)}px`
      this.#chart.labels = this.#chart.labels
    }
    this.#head(waterfall, moment.isOpen, recording.hasTimes)
    this.#place.hidden = !recording.hasTimes
    find('legend', HTMLElement).hidden = !recording.hasTimes
    const arrivals = recording.hasLog ? recording.arrivals : []
    if (recording.hasTimes) this.#chart.draw(waterfall, { length, at: Math.min(end, length), isOpen: moment.isOpen, arrivals })
    this.#details.showValues(waterfall, { wanted, isOpen: moment.isOpen, hasTimes: recording.hasTimes })
    const isMoving = isPlaying || recording.isGrowing
    const now = performance.now()
    if (!isMoving || now - this.#written > SLOW) {
      this.#written = now
      this.#details.showRecord(moment.record, recording.hasTimes)
    }
    if (isMoving && !this.#isMoving) this.#milestones.reset(at === 0 || recording.isGrowing ? undefined : waterfall)
    if (isMoving || this.#isMoving) this.#tell(waterfall, moment.isOpen)
    this.#isMoving = isMoving
  }

  /** Whether the moment that was shown last was one of many. */
  #isMoving = false

  /**
   * @param {import('./types.js').Waterfall} waterfall
   * @param {boolean} isOpen
   */
  #tell(waterfall, isOpen) {
    const news = this.#milestones.news(waterfall, isOpen)
    if (news) say(find('milestone', HTMLElement), news)
  }

  /**
   * @param {import('./types.js').Waterfall} waterfall
   * @param {boolean} isOpen
   * @param {boolean} hasTimes
   */
  #head({ head }, isOpen, hasTimes) {
    say(find('what', HTMLElement), head.what)
    const ending = find('ending', HTMLElement)
    const [kind, mark] = OUTCOMES[head.outcome] ?? ['stopped', '■']
    ending.className = isOpen ? 'running' : kind
    const [symbol, words] = ending.children
    if (symbol) say(symbol, isOpen ? '●' : mark)
    if (words) say(words, isOpen ? 'running' : head.ending)
    say(find('total', HTMLElement), hasTimes ? head.duration : '')
  }

  /** Does something that somebody asked for, and says what went wrong. @param {() => Promise<void>} act */
  async #guarded(act) {
    const problem = find('problem', HTMLElement)
    say(problem, '')
    try {
      await act()
    } catch (error) {
      say(problem, error instanceof Error ? error.message : String(error))
    }
  }
}

/** @returns {NodeListOf<HTMLButtonElement>} */
function captures() {
  return document.querySelectorAll('button[data-capture]')
}

/** @param {string} source */
function choose(source) {
  const radio = document.querySelector(`input[name=source][value=${source}]`)
  if (radio instanceof HTMLInputElement && !radio.checked) radio.click()
}

/** @param {string} path */
async function file(path) {
  const response = await fetch(path)
  if (!response.ok) throw new Error(`${path}: the server answers ${String(response.status)}`)
  return new Uint8Array(await response.arrayBuffer())
}

/** The length of an axis on which a call that goes on has room to grow. @param {number} ns */
function room(ns) {
  const seconds = (ns / 1e9) * 1.1
  const step = ROOM.find(step => step >= seconds) ?? Math.ceil(seconds / 300) * 300
  return step * 1e9
}

const ROOM = [2, 3, 5, 8, 12, 20, 30, 45, 60, 90, 120, 180, 300]
/** @type {{ [outcome: string]: [string, string] | undefined }} */
const OUTCOMES = { success: ['success', '✓'], error: ['failure', '✗'], timed_out: ['failure', '✗'] }
/** Milliseconds between two writings of what is slow. */
const SLOW = 250
const MOST_CALLS = 1000

new Page()
