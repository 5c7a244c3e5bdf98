// The package from CommonJS.
const { DiffSal, DiffSalError, devices } = require(process.env.DIFFSAL_PACKAGE)

DiffSal.create({ size: [1, 1] }).catch((error) => {
  console.log(JSON.stringify({ device: devices()[0].id, ours: error instanceof DiffSalError, code: error.code }))
})
