/** What a bundler makes of the file: its address, its bytes, or the compiled module. `init` takes all of them. */
declare const source: string | object
export default source
