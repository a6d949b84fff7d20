// Reads a key, and tokens with their outcomes in this crate. Compares these with the outcomes of `jose`.
import { readFileSync } from 'node:fs'
import { importJWK, jwtVerify } from 'jose'

// Reasons of this crate for rejections that `jose` leaves to its caller.
const STRICTER = new Set([
  'unsupported_crit', // `b64` without `crit`
  'issued_in_future', // `iat` counts only with `maxTokenAge`
  'malformed_claim', // types of claims other than times
  'malformed_claims', // members twice, depth
  'malformed_header', // members twice, depth, key ids of any length
  'sender_constrained', // `cnf`
  'payload_typ', // `typ` of the payload
  'header_typ', // `typ` of the header
  'unknown_key', // this script gives `jose` the key
])

const [jwk, ...lines] = readFileSync(process.argv[2], 'utf8').trimEnd().split('\n')
const key = await importJWK(JSON.parse(jwk), 'EdDSA')
const options = {
  issuer: 'https://issuer.example/realms/a',
  audience: 'api',
  algorithms: ['EdDSA', 'Ed25519'],
  clockTolerance: 60,
  requiredClaims: ['exp', 'iss', 'aud'],
}
let both = 0
const stricter = {}
for (const line of lines) {
  const at = line.indexOf(' ')
  const [outcome, token] = [line.slice(0, at), line.slice(at + 1)]
  const theirs = await jwtVerify(token, key, options).then(() => true, () => false)
  if (outcome === 'accepted' && theirs) both += 1
  if (outcome === 'accepted' && !theirs) throw new Error(`accepted here only: ${token}`)
  if (outcome !== 'accepted' && theirs) {
    if (!STRICTER.has(outcome)) throw new Error(`refused here only, as ${outcome}: ${token}`)
    stricter[outcome] = (stricter[outcome] ?? 0) + 1
  }
}
if (lines.length !== 10000 || both < 500) throw new Error(`${lines.length} tokens, ${both} accepted`)
console.log(`${both} of ${lines.length} tokens accepted by both; refused here only: ${JSON.stringify(stricter)}`)
