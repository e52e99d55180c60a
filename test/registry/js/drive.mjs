// SPDX-License-Identifier: Apache-2.0
// Drives a registry through @kafkajs/confluent-schema-registry; prints what came of it as JSON.
import pkg from '@kafkajs/confluent-schema-registry'

const { SchemaRegistry, SchemaType, COMPATIBILITY } = pkg
const registry = new SchemaRegistry({ host: process.argv[2] })
const schema = (fields) => JSON.stringify({ type: 'record', name: 'Reading', namespace: 'js.test', fields })
const first = schema([{ name: 'a', type: 'int' }])
const { id } = await registry.register({ type: SchemaType.AVRO, schema: first }, { subject: 'js-value', compatibility: COMPATIBILITY.BACKWARD })
const encoded = await registry.encode(id, { a: 7 })
let refused = ''
try {
  const wrong = schema([{ name: 'a', type: 'int' }, { name: 'b', type: 'string' }])
  await registry.register({ type: SchemaType.AVRO, schema: wrong }, { subject: 'js-value', compatibility: COMPATIBILITY.BACKWARD })
} catch (error) {
  refused = String(error.message)
}
const out = {
  id,
  decoded: await registry.decode(encoded),
  prefix: [...encoded.subarray(0, 5)],
  latest: await registry.getLatestSchemaId('js-value'),
  found: await registry.getRegistryIdBySchema('js-value', { type: SchemaType.AVRO, schema: first }),
  version: await registry.getRegistryId('js-value', 1),
  refused,
}
console.log(JSON.stringify(out))
