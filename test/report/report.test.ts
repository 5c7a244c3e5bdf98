import sharp from 'sharp'
import { expect, test } from 'vitest'
import { pictureRow } from '../../lib/report/picture-row.ts'
import { reportHtml, type ReportContent } from '../../lib/report/report.ts'
import { scoresText } from '../../lib/report/scores.ts'
import type { Scores } from '../../lib/index.ts'

const mean = { cc: 0.5, sim: 0.25, nss: 2, aucJudd: 0.875, kl: Number.NaN }
const none = { cc: 0, sim: 0, nss: 0, aucJudd: 0, kl: 4 }
const scores = (videos: readonly string[]): Scores => ({
  mean,
  videos: Object.fromEntries(videos.map((video) => [video, mean])),
  frames: 4,
  undefinedCount: none,
})
const evil = `V1"><script>alert('x')</script>`
const content: ReportContent = {
  ...{ title: evil, state: 'Done.', facts: [['Device', evil]], scoresNote: evil, picturesNote: evil, config: { train: evil } },
  scores: [{ title: evil, scores: scores([evil]) }],
  pictures: [
    { video: evil, frame: 3, size: [32, 64], picture: 'data:image/jpeg;base64,AA', truth: 'data:image/jpeg;base64,BB', map: 'data:image/jpeg;base64,CC' },
  ],
}

test('no name gets into the page unescaped', () => {
  const page = reportHtml(content)
  expect(page).not.toContain('<script')
  expect(page).not.toMatch(/V1"/)
  expect(page.match(/V1&quot;&gt;&lt;script&gt;/g)!.length).toBeGreaterThan(8)
})

test('the style sheet is not escaped', () => {
  const sheet = /<style>([\s\S]*)<\/style>/.exec(reportHtml(content))![1]!
  expect(sheet).toContain('.strip > b')
  expect(sheet).not.toMatch(/&|</)
})

test('tags are balanced', () => {
  const open: string[] = []
  for (const [, close, tag, self] of reportHtml(content).matchAll(/<(\/?)([a-z][a-z0-9]*)[^<>]*?(\/?)>/g)) {
    if (self || ['meta', 'img', 'br'].includes(tag!)) continue
    if (close) expect(open.pop()).toBe(tag)
    else open.push(tag!)
  }
  expect(open).toEqual([])
})

test('the table has the scores in the order of the paper, and says which are undefined', () => {
  const page = reportHtml({ ...content, scores: [{ title: 'DIEM, test', scores: scores(['DIEM/a', 'DIEM/b']) }] })
  expect(page).toMatch(/CC\u00a0↑.*SIM\u00a0↑.*NSS\u00a0↑.*AUC-J\u00a0↑.*KL\u00a0↓/)
  const cells = /<th scope="row"><bdi>DIEM\/a<\/bdi><\/th>(.*?)<\/tr>/.exec(page)![1]!.match(/[\d.–]+(?=<\/td>)/g)
  expect(cells).toEqual(['0.500', '0.250', '2.000', '0.875', '–'])
  expect(page).toContain('Undefined, and left out of the means: KL for 4 of 4 frames.')
  expect(page).toContain('<details open>')
})

test('many videos are folded away', () => {
  const page = reportHtml({ ...content, scores: [{ title: 'Hollywood2', scores: scores(Array.from({ length: 100 }, (_, i) => `H/${i}`)) }] })
  expect(page).not.toContain('<details open>')
  expect(page).toContain('<th scope="row"><bdi>H/99</bdi></th>')
})

test('without validations, pictures and scores these sections are not there', () => {
  const step = { type: 'step', step: 1, epoch: 0, loss: 3, gradNorm: 1, lr: 1, samples: 1, seconds: 1, waited: 0, rate: 1, remaining: 1 } as const
  const page = reportHtml({ ...content, scores: [], pictures: [], curves: { events: [step], lossUnit: 'x', by: 'cc' } })
  expect(page.match(/<h2>(.*?)<\/h2>/g)).toEqual(['<h2>Training</h2>', '<h2>Configuration</h2>'])
})

test('the same table for a terminal', () => {
  expect(scoresText([{ title: 'DIEM, test', scores: scores(['DIEM/a']) }])).toBe(
    [
      'DIEM, test                            CC     SIM     NSS   AUC-J      KL',
      '  DIEM/a                           0.500   0.250   2.000   0.875       –',
      'mean of 1 video, 4 frames          0.500   0.250   2.000   0.875       –',
      'Undefined, and left out of the means: KL for 4 of 4 frames.',
    ].join('\n'),
  )
})

test('pictures are the middle frame, and the maps from black to white', async () => {
  const [height, width, length] = [8, 16, 4]
  const frames = { dtype: 'uint8', shape: [length, height, width, 3], data: new Uint8Array(length * height * width * 3) } as const
  frames.data.fill(200, 2 * height * width * 3, 3 * height * width * 3)
  const target = {
    dtype: 'float32',
    shape: [1, height, width],
    data: Float32Array.from({ length: height * width }, (_, i) => (i % width < 8 ? 0.25 : 0.5)),
  } as const
  const map = { dtype: 'float32', shape: [1, 1, height, width], data: new Float32Array(height * width).fill(0.3) } as const
  const row = await pictureRow({ video: 'V', frame: 2, frames, target }, map)
  expect([row.video, row.frame, row.size]).toEqual(['V', 2, [8, 16]])
  const decode = async (address: string) => {
    const { data, info } = await sharp(Buffer.from(address.replace('data:image/jpeg;base64,', ''), 'base64'))
      .raw()
      .toBuffer({ resolveWithObject: true })
    return { size: [info.height, info.width], first: data[0]!, last: data.at(-1)! }
  }
  expect(await decode(row.picture)).toEqual({ size: [8, 16], first: 200, last: 200 })
  const truth = await decode(row.truth)
  expect(truth.first).toBeLessThan(8)
  expect(truth.last).toBeGreaterThan(247)
  // A flat map shows nothing.
  expect(await decode(row.map)).toMatchObject({ first: 0, last: 0 })
})
