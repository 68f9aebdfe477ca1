/** The build puts the package here. */
export * from 'llmspan-wasm'
