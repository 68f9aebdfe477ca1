/** A compiled `WebAssembly.Module`, whose type is not known everywhere. */
export type Module = object

/** The bytes of a module. */
export type Bytes = ArrayBuffer | ArrayBufferView<ArrayBuffer>

/** Where a module comes from: the module itself, its bytes, its address, or the answer to a request for it. */
export type Source = Module | Bytes | URL | string | Response
