/** Reads a file of the package. */
export function read(name: string): Uint8Array<ArrayBuffer>
