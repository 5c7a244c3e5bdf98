// Prints the map of one clip as JSON.
import { createModel, inputs, noise } from './package.mjs'

const model = await createModel()
const { data } = await model.predict(inputs, { steps: 2, noise })
console.log(JSON.stringify([...data]))
