/** What is used of runtimes beside Node, where they have it. */

declare const document: { readonly visibilityState: string; addEventListener(event: string, run: () => void): void } | undefined

declare const addEventListener: ((event: 'pagehide', run: (event: { persisted: boolean }) => void) => void) | undefined

/** Workers import WebAssembly as a compiled module. */
declare module '*.wasm' {
  const module: object
  export default module
}
