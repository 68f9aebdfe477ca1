/** The position in a call: played, paused, stepped and dragged. */
import { find, say, set } from './dom.js'

/**
 * What is played.
 * @typedef {object} Track
 * @property {readonly number[]} times Times of its events, in order, in nanoseconds from the first.
 * @property {number} duration Nanoseconds.
 */

export class Player {
  /** Nanoseconds. */
  at = 0
  isPlaying = false
  /** @type {Track} */
  #track = { times: [], duration: 0 }
  #play = find('play', HTMLButtonElement)
  #position = find('position', HTMLInputElement)
  #clock = find('clock', HTMLElement)
  #speed = find('speed', HTMLSelectElement)
  #pace = new Pace()

  /**
   * @param {() => void} show Shows the call at {@link at}.
   * @param {(event: number | undefined) => void} jumped Is told that somebody went to another time: to that of an event, or
   * anywhere.
   */
  constructor(show, jumped) {
    this.show = show
    this.jumped = jumped
    this.#play.addEventListener('click', () => this.toggle())
    find('to-start', HTMLButtonElement).addEventListener('click', () => this.seek(0))
    find('to-end', HTMLButtonElement).addEventListener('click', () => this.seek(Infinity))
    find('back', HTMLButtonElement).addEventListener('click', () => this.step(-1))
    find('forward', HTMLButtonElement).addEventListener('click', () => this.step(1))
    this.#position.addEventListener('input', () => this.seek(Number(this.#position.value) * MS))
    document.addEventListener('keydown', event => this.#key(event))
  }

  /**
   * Takes another call, and goes to its end.
   * @param {Track} track
   */
  load(track) {
    this.#track = track
    this.#setPlaying(false)
    this.at = track.duration
    this.#update()
  }

  /** Takes note that a call has grown, and follows it. @param {Track} track @param {number} at */
  follow(track, at) {
    this.#track = { times: track.times, duration: Math.max(at, track.duration) }
    this.at = at
    this.#update()
  }

  toggle() {
    if (this.isPlaying) {
      this.#setPlaying(false)
      this.show()
      return
    }
    if (this.#track.duration === 0) return
    if (this.at >= this.#track.duration) this.at = 0
    this.#setPlaying(true)
    this.#update()
    this.show()
    this.#pace = new Pace()
    requestAnimationFrame(() => this.#frame())
  }

  /** @param {number} at */
  seek(at) {
    this.#setPlaying(false)
    this.at = Math.min(Math.max(at, 0), this.#track.duration)
    this.#update()
    this.show()
    this.jumped(undefined)
  }

  /** Goes to the next event, or to the one before. @param {1 | -1} direction */
  step(direction) {
    const { times } = this.#track
    const next = direction === 1 ? times.find(time => time > this.at) : times.findLast(time => time < this.at)
    this.seek(next ?? (direction === 1 ? this.#track.duration : 0))
    this.jumped(this.at)
  }

  #frame() {
    if (!this.isPlaying) return
    requestAnimationFrame(() => this.#frame())
    this.#pace.step(passed => {
      this.at = Math.min(this.at + passed * MS * Number(this.#speed.value), this.#track.duration)
      if (this.at >= this.#track.duration) this.#setPlaying(false)
      this.#update()
      this.show()
    })
  }

  #update() {
    const { duration } = this.#track
    const text = `${seconds(this.at)} of ${seconds(duration)} s`
    set(this.#position, 'max', String(Math.max(duration / MS, 1)))
    this.#position.value = String(this.at / MS)
    this.#position.style.setProperty('--done', duration > 0 ? `${String((this.at / duration) * 100)}%` : '0%')
    set(this.#position, 'aria-valuetext', text)
    say(this.#clock, `${seconds(this.at)} / ${seconds(duration)} s`)
  }

  /** @param {boolean} isPlaying */
  #setPlaying(isPlaying) {
    this.isPlaying = isPlaying
    this.#play.classList.toggle('is-playing', isPlaying)
    const label = this.#play.lastElementChild
    if (label) say(label, isPlaying ? 'Pause' : 'Play')
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { target, key } = event
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return
    if (this.#play.disabled || !(target instanceof HTMLElement)) return
    const isHere = target === document.body || target.id === 'call' || target.closest('.transport')
    const isSelect = target instanceof HTMLSelectElement
    if (!isHere || isSelect) return
    if (key === ' ' && target instanceof HTMLButtonElement) return
    const act = this.#keys[key]
    if (!act) return
    event.preventDefault()
    act()
  }

  /** @type {{ [key: string]: (() => void) | undefined }} */
  #keys = {
    ' ': () => this.toggle(),
    ArrowLeft: () => this.step(-1),
    ArrowRight: () => this.step(1),
    Home: () => this.seek(0),
    End: () => this.seek(Infinity),
  }
}

/** How often something is drawn that changes all the time. */
export class Pace {
  #last = performance.now()
  #cost = 0

  /**
   * Draws, if it is time: drawing takes a third of the time at most, and whoever wants less motion gets it in steps.
   * @param {(passed: number) => void} draw Is given the milliseconds since the last time.
   */
  step(draw) {
    const now = performance.now()
    const passed = now - this.#last
    if (passed < Math.max(this.#cost * 3, wantsLessMotion() ? 250 : 0)) return
    this.#last = now
    draw(passed)
    this.#cost = performance.now() - now
  }
}

/** @param {number} ns */
function seconds(ns) {
  return (ns / 1e9).toFixed(2)
}

function wantsLessMotion() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches
}

/** Nanoseconds of a millisecond. */
const MS = 1e6
