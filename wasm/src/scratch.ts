import type { BoundScratch, SlimBinding } from './binding.js'

/** The memory of a module; it has a new buffer whenever it grows. */
export interface Memory {
  readonly buffer: ArrayBuffer
}

/**
 * Brings bytes into the memory of a module, through room that is kept: the bindings allocate and free for each crossing.
 */
export class Scratch {
  private readonly kept: BoundScratch
  /** Shows content: unlike other members it is not shown to those who look into objects. */
  #view = new Uint8Array(0)

  constructor(
    private readonly binding: SlimBinding,
    private readonly memory: Memory,
  ) {
    this.kept = new binding.Scratch(ROOM)
  }

  /** How many bytes were put last. */
  length = 0

  /** Puts bytes into the memory. */
  put(data: Uint8Array): BoundScratch {
    this.length = data.length
    if (data.length > ROOM) return this.putMuch(data)
    this.room().set(data)
    return this.kept
  }

  /** Takes back room that is not kept. */
  done(scratch: BoundScratch): void {
    if (scratch !== this.kept) scratch.free()
  }

  private putMuch(data: Uint8Array): BoundScratch {
    const scratch = new this.binding.Scratch(data.length)
    new Uint8Array(this.memory.buffer, scratch.address, data.length).set(data)
    return scratch
  }

  private room(): Uint8Array {
    // A buffer that was replaced has no bytes any more.
    if (this.#view.length === 0) this.#view = new Uint8Array(this.memory.buffer, this.kept.address, ROOM)
    return this.#view
  }
}

/** Bytes that are kept: more than servers send at a time. */
const ROOM = 65_536
