// Compares the outcomes of this crate for forms of key sets with those of `jose` and Nimbus.
// Each difference must be in the list, and each entry of the list must be a difference.
import { readFileSync } from 'node:fs'
import { createLocalJWKSet, errors, jwtVerify } from 'jose'

const [formsFile, nimbusFile, differencesFile] = process.argv.slice(2)
const lines = (file) => readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line))

async function jose({ jwks, token }) {
  // Decodes as `fetch` does.
  const text = new TextDecoder().decode(Buffer.from(jwks, 'base64url'))
  try {
    const keys = createLocalJWKSet(JSON.parse(text))
    await jwtVerify(token, keys).catch((error) => anyOf(error, token))
    return 'accepted'
  } catch (error) {
    return `${error.code ?? error.name}: ${error.message}`
  }
}

// Tries all keys that fit, as the documentation of `createLocalJWKSet` proposes.
async function anyOf(error, token) {
  if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
  for await (const key of error) {
    if (await jwtVerify(token, key).then(() => true, () => false)) return
  }
  throw new errors.JWSSignatureVerificationFailed()
}

const forms = lines(formsFile)
const nimbus = lines(nimbusFile)
const unused = new Set()
for (const { forms, accepted_by, rejected_by } of JSON.parse(readFileSync(differencesFile, 'utf8'))) {
  for (const form of forms) {
    for (const library of accepted_by ?? []) unused.add(`${form}: accepted by ${library}`)
    for (const library of rejected_by ?? []) unused.add(`${form}: rejected by ${library}`)
  }
}
const problems = []
const agreed = { jose: 0, Nimbus: 0 }
for (const [position, form] of forms.entries()) {
  if (nimbus[position]?.name !== form.name) throw new Error(`no outcome of Nimbus for: ${form.name}`)
  const ours = form.outcome === 'accepted'
  const outcomes = { jose: await jose(form), Nimbus: nimbus[position].outcome }
  for (const [library, outcome] of Object.entries(outcomes)) {
    const theirs = outcome === 'accepted'
    if (ours === theirs) {
      agreed[library] += 1
      continue
    }
    const difference = `${form.name}: ${theirs ? 'accepted' : 'rejected'} by ${library}`
    if (!unused.delete(difference)) {
      problems.push(`not listed: ${difference} (here: ${form.outcome}, there: ${outcome})`)
    }
  }
}
for (const difference of unused) problems.push(`no longer a difference: ${difference}`)
if (problems.length > 0) throw new Error(problems.join('\n'))
console.log(
  `${forms.length} forms: jose agrees on ${agreed.jose}, Nimbus on ${agreed.Nimbus}, the others are explained`,
)
