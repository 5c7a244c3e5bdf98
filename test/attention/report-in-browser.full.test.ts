import { pathToFileURL } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { report } from '../../lib/attention-report.ts'
import { spotClip } from '../support/blob-clips.ts'
import { findChromium } from '../support/chromium.ts'
import { FakeModel } from '../support/fake-model.ts'
import { temporaryPath } from '../support/temporary.ts'

// What runs in the page is typed by this much of a browser: the rest of the package has no use for one.
interface Part {
  readonly tagName: string
  readonly complete: boolean
  readonly scrollWidth: number
  readonly clientWidth: number
  getBoundingClientRect(): { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
}
declare const document: { querySelectorAll(selector: string): Iterable<Part>; readonly documentElement: Part }

const executablePath = findChromium()
if (executablePath === undefined)
  console.warn('No chromium is on PATH: the tests of the report in a browser are SKIPPED. `apt-get install chromium`, or name one by DIFFSAL_TEST_CHROMIUM.')

const name = '<img src=x onerror=alert(1)>"\''
let browser: Browser
let page: Page
const complaints: string[] = []

describe.skipIf(executablePath === undefined)('in a browser', () => {
  beforeAll(async () => {
    const output = temporaryPath('report.html')
    const clip = await spotClip('clip.mkv', 'if(lt(t\\,1)\\,0.2\\,0.8)', 50)
    const areas = [
      { name, x: 20, y: 33, width: 24, height: 24 },
      { name: 'late', x: 116, y: 33, width: 24, height: 24, from: 1 },
    ]
    await report(new FakeModel({ size: [45, 80] }), clip, { videoOnly: true, seed: 1, areas, output })
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] })
    // It needs no script.
    const context = await browser.newContext({ viewport: { width: 1000, height: 1400 } })
    page = await context.newPage()
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('request', (request) => /^(data|file):/.test(request.url()) || complaints.push(`asks for ${request.url()}`))
    page.on('dialog', (dialog) => (complaints.push('a dialog'), void dialog.dismiss()))
    await page.goto(pathToFileURL(output).href)
  })
  afterAll(() => browser?.close())

  test('headings, tables with headers, and pictures with words', async () => {
    expect(await page.getByRole('heading', { level: 1 }).allTextContents()).toEqual(['clip.mkv'])
    expect(await page.getByRole('heading', { level: 2 }).allTextContents()).toEqual([
      'Attention over time',
      'Areas',
      'Regions that held attention longest',
      'Shots',
      'What the figures mean',
      'Configuration',
    ])
    expect(await page.getByRole('heading', { level: 4 }).allTextContents()).toEqual([name, 'late'])
    for (const row of [name, 'late']) expect(await page.getByRole('rowheader', { name: row, exact: true }).count(), row).toBe(1)
    for (const column of ['Dwell', 'Share of time', 'First look'])
      expect(await page.getByRole('columnheader', { name: column, exact: true }).count()).toBeGreaterThan(0)
    // What an image shows is said, and a region's figures are in its row.
    for (const words of [
      /^Concentration over \d+ points, from/,
      /^Share of attention over \d+ points/,
      /^late, at 1\.\d\d\ss, where it holds \d+\s% of the map$/,
      /^Region 1, at/,
    ])
      expect(await page.getByRole('img', { name: words }).count(), `${words}`).toBeGreaterThan(0)
    expect(await page.getByRole('row', { name: /^1 Region 1/ }).innerText()).toMatch(/\d+\s%/)
  })

  test('a box is drawn where the area is', async () => {
    const [picture, box] = await Promise.all(['svg.shown', 'svg.shown rect.box'].map((selector) => page.locator(selector).first().boundingBox()))
    // Of 160 pixels, 20 to 44; of 90, 33 to 57.
    expect((box!.x - picture!.x) / picture!.width).toBeCloseTo(20 / 160, 1)
    expect(box!.width / picture!.width).toBeCloseTo(24 / 160, 1)
    expect((box!.y - picture!.y) / picture!.height).toBeCloseTo(33 / 90, 1)
  })

  test('nothing is asked for, run or left out at the side', async () => {
    expect(complaints).toEqual([])
    for (const width of [1000, 360]) {
      await page.setViewportSize({ width, height: 800 })
      const { wide, page: own } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, page: document.documentElement.clientWidth }))
      expect(wide, `${width}`).toBeLessThanOrEqual(own)
    }
  })
})
