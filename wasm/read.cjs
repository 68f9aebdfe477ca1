const { readFileSync } = require('node:fs')
const { join } = require('node:path')

exports.read = name => readFileSync(join(__dirname, '..', '..', name))
