// Lists what a package offers: the declarations that its index exports, sorted by name, without comments and private members.
// Use: node scripts/api.mjs INDEX.d.ts
import { createRequire } from 'node:module'

const ts = createRequire(import.meta.url)('typescript')
const [index] = process.argv.slice(2)
const program = ts.createProgram([index], { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext })
const checker = program.getTypeChecker()
const source = program.getSourceFile(index)
const printer = ts.createPrinter({ removeComments: true })

const isHidden = (member) =>
  ts.isPrivateIdentifier(member.name ?? member) ||
  (ts.getCombinedModifierFlags(member) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0

function withoutHidden(context) {
  return (node) =>
    ts.isClassDeclaration(node)
      ? context.factory.updateClassDeclaration(node, node.modifiers, node.name, node.typeParameters, node.heritageClauses, node.members.filter((member) => !isHidden(member)))
      : node
}

function text(declaration) {
  // A variable is declared in a statement, which also says whether it is constant.
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
  const { transformed } = ts.transform(node, [withoutHidden])
  return printer.printNode(ts.EmitHint.Unspecified, transformed[0], node.getSourceFile())
}

function resolved(symbol) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
}

// What a declaration extends brings members of its own, exported or not.
function bases(declaration) {
  const clauses = declaration.heritageClauses ?? []
  const symbols = clauses.flatMap((clause) => clause.types.map((type) => checker.getSymbolAtLocation(type.expression)))
  const isOurs = (symbol) => symbol.declarations?.every((one) => !program.isSourceFileFromExternalLibrary(one.getSourceFile()) && !program.isSourceFileDefaultLibrary(one.getSourceFile()))
  return symbols.filter(Boolean).map(resolved).filter(isOurs)
}

const listed = new Map(checker.getExportsOfModule(checker.getSymbolAtLocation(source)).map((symbol) => [symbol.name, resolved(symbol)]))
// A map goes on with what is added while it is walked.
for (const symbol of listed.values()) {
  for (const base of (symbol.declarations ?? []).flatMap(bases)) {
    if (![...listed.values()].includes(base)) listed.set(`${base.name}, not exported`, base)
  }
}

const isByName = ([a], [b]) => (a < b ? -1 : 1)
for (const [name, symbol] of [...listed].sort(isByName)) {
  const texts = (symbol.declarations ?? []).map(text)
  if (texts.length === 0) throw new Error(`${name} has no declaration`)
  console.log([`// ${name}`, ...texts, ''].join('\n'))
}
