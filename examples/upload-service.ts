// A service: POST a video, and JSON tells where to look in it. It stops working for a client that leaves.
// In a program of yours, import from 'diffsal'. Run it with: PORT=8080 npx tsx examples/upload-service.ts
// Then: curl --data-binary @clip.mp4 http://localhost:8080/?stride=10
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { DiffSal, DiffSalError, maps } from '../lib/index.ts'

const model = await DiffSal.load()

const server = createServer(async (request, response) => {
  const leaving = new AbortController()
  response.on('close', () => leaving.abort())
  const answer = (status: number, body: object) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  const folder = await mkdtemp(join(tmpdir(), 'upload-'))
  try {
    const file = join(folder, 'video')
    await pipeline(request, createWriteStream(file), { signal: leaving.signal })
    const stride = Number(new URL(request.url ?? '/', 'http://here').searchParams.get('stride') ?? 10)
    const frames: object[] = []
    for await (const { frame, time, tensor } of model.predictVideo(file, { stride, steps: 1, signal: leaving.signal })) {
      frames.push({ frame, time, focus: maps.focalPoint(tensor), confidence: maps.confidence(tensor) })
    }
    answer(200, { frames })
  } catch (error) {
    if (leaving.signal.aborted) console.log('the client left')
    else if (error instanceof DiffSalError) answer(error.code === 'ERR_DIFFSAL_INVALID_ARGUMENT' || error.code === 'ERR_DIFFSAL_MEDIA' ? 400 : 500, { code: error.code, message: error.message })
    else answer(500, { message: String(error) })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
server.listen(Number(process.env.PORT ?? 8080), () => console.log(`listening on ${JSON.stringify(server.address())}`))
