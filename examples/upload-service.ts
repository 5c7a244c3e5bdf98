// A service: POST a video, and JSON tells where to look in it. It stops working for a client that leaves.
// In a program of yours, import from 'diffsal'. Run it with: PORT=8080 npx tsx examples/upload-service.ts
// Then: curl --data-binary @clip.mp4 http://localhost:8080/?stride=10
import { createServer } from 'node:http'
import { DiffSal, DiffSalError, maps } from '../lib/index.ts'

const model = await DiffSal.load()

const server = createServer(async (request, response) => {
  const leaving = new AbortController()
  response.on('close', () => leaving.abort())
  const answer = (status: number, body: object) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  try {
    const stride = Number(new URL(request.url ?? '/', 'http://here').searchParams.get('stride') ?? 10)
    const frames: object[] = []
    // The request is the video: it is read into a temporary file, which is gone when the loop ends.
    for await (const { frame, time, tensor } of model.predictVideo(request, { stride, steps: 1, spoolLimit: 2 ** 30, signal: leaving.signal })) {
      frames.push({ frame, time, focus: maps.focalPoint(tensor), confidence: maps.confidence(tensor) })
    }
    answer(200, { frames })
  } catch (error) {
    if (leaving.signal.aborted) console.log('the client left')
    else if (error instanceof DiffSalError) answer(/INVALID_ARGUMENT|MEDIA|FILE$/.test(error.code) ? 400 : 500, { code: error.code, message: error.message })
    else answer(500, { message: String(error) })
  }
})
server.listen(Number(process.env.PORT ?? 8080), () => console.log(`listening on ${JSON.stringify(server.address())}`))
