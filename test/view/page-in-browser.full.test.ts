import { readFileSync } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { writeViewPage, type ViewMap } from '../../lib/index.ts'
import { serveView } from '../../lib/view/serve.ts'
import { findChromium } from '../support/chromium.ts'
import { ffmpeg, tone, twoShots } from '../support/media.ts'
import { temporaryPath } from '../support/temporary.ts'

// What runs in the page is typed by this much of a browser: the rest of the package has no use for one.
interface Part {
  readonly textContent: string
  readonly currentTime: number
  readonly paused: boolean
  readonly seeking: boolean
  readonly readyState: number
  readonly width: number
  readonly height: number
  getContext(kind: string): { getImageData(...of: number[]): { readonly data: Uint8ClampedArray } }
}
declare const document: { getElementById(id: string): Part; readonly activeElement: { readonly id: string } }
declare const getComputedStyle: (of: unknown) => { readonly outlineStyle: string }

const executablePath = findChromium()
if (executablePath === undefined)
  console.warn('No chromium is on PATH: the tests of the page in a browser are SKIPPED. `apt-get install chromium`, or name one by DIFFSAL_TEST_CHROMIUM.')

/** A page of a clip of two shots, a second each, whose maps are one spot: on the left in the first shot, on the right in the second. */
async function* spots(): AsyncGenerator<ViewMap> {
  for (let frame = 0; frame < 50; frame += 5) {
    const data = new Float32Array(18 * 32)
    const column = frame < 25 ? 8 : 24
    for (let y = 8; y < 11; y++) for (let x = column - 1; x < column + 2; x++) data[32 * y + x] = 0.9
    yield { frame, tensor: { dtype: 'float32', shape: [18, 32], data } }
  }
}

const name = '<script>alert(1)<\u2215script>&".mp4'
let [clip, page] = ['', '']
let browser: Browser
let shown: Page
let complaints: string[] = []

async function show(address: string): Promise<void> {
  shown = await browser.newPage({ viewport: { width: 1000, height: 1400 } })
  complaints = []
  shown.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  shown.on('pageerror', (error) => complaints.push(String(error)))
  shown.on(
    'request',
    (request) => /^(blob|data|file):/.test(request.url()) || request.url().startsWith('http://127.0.0.1:') || complaints.push(`asks for ${request.url()}`),
  )
  shown.on('dialog', (dialog) => (complaints.push('a dialog'), void dialog.dismiss()))
  await shown.goto(address)
  await shown.waitForFunction(() => document.getElementById('film').readyState >= 2)
}

/** The opacity, 0 to 255, and the colour of the map's highest place, and where that is. */
async function seen(): Promise<{ x: number; alpha: number; colour: string }> {
  return shown.evaluate(() => {
    const canvas = document.getElementById('map')
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    let best = 0
    for (let i = 0; i < data.length / 4; i++) if (data[4 * i + 3]! > data[4 * best + 3]!) best = i
    return { x: (best % canvas.width) / canvas.width, alpha: data[4 * best + 3]!, colour: [...data.subarray(4 * best, 4 * best + 3)].join() }
  })
}

const time = (): Promise<number> => shown.evaluate(() => document.getElementById('film').currentTime)
const said = (): Promise<string | null> => shown.textContent('#said')

describe.skipIf(executablePath === undefined)('in a browser', () => {
  beforeAll(async () => {
    clip = temporaryPath(name)
    await ffmpeg(...twoShots('320x180'), ...tone(2), '-filter_complex', '[0][1]concat', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', clip)
    page = temporaryPath('page.html')
    await writeViewPage(page, clip, spots())
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'] })
  })
  afterAll(() => browser?.close())
  afterEach(async () => {
    await shown.close()
    expect(complaints).toEqual([])
  })

  test('a page that holds its video seeks and plays, and the map goes with it', async () => {
    await show(pathToFileURL(page).href)
    expect((await seen()).x).toBeCloseTo(8 / 32, 1)
    await shown.fill('#seek', '1.5')
    await shown.waitForFunction(() => document.getElementById('said').textContent.startsWith('0:01.50'))
    expect((await seen()).x).toBeCloseTo(24 / 32, 1)
    expect(await said()).toMatch(/of 0:02\.\d\d\. Shot 2 of 2\. Concentration 0\.\d\d, looks at 7\d % from the left/)
    await shown.fill('#seek', '0')
    await shown.waitForFunction(() => document.getElementById('said').textContent.startsWith('0:00.00'))
    await shown.click('#play')
    expect(await shown.textContent('#play')).toBe('Pause')
    // It tells of the second shot as it begins.
    await shown.waitForFunction(() => document.getElementById('said').textContent.includes('Shot 2'))
    expect(await time()).toBeGreaterThan(0.9)
    expect((await seen()).x).toBeCloseTo(24 / 32, 1)
  })

  test('opacity, colours and scale change the picture at once; path and peaks are drawn and left out', async () => {
    await show(pathToFileURL(page).href)
    const usual = await seen()
    expect(usual.alpha).toBeGreaterThan(150)
    await shown.fill('#opacity', '20')
    expect((await seen()).alpha).toBe(Math.floor(255 * 0.2))
    await shown.fill('#opacity', '0')
    expect((await seen()).alpha).toBe(0)
    await shown.fill('#opacity', '100')
    await shown.selectOption('#colours', 'grey')
    expect((await seen()).colour).toBe('255,255,255')
    await shown.selectOption('#colours', 'viridis')
    expect((await seen()).colour).toBe('253,231,37')
    expect(await shown.locator('#marks circle').count()).toBe(2)
    await shown.uncheck('#path')
    await shown.uncheck('#peaks')
    expect(await shown.locator('#marks *').count()).toBe(0)
  })

  test('keys: space, arrows, maps and shots; the focus is seen', async () => {
    await show(pathToFileURL(page).href)
    const at = async (key: string, wanted: number): Promise<void> => {
      await shown.keyboard.press(key)
      await shown.waitForFunction((to) => Math.abs(document.getElementById('film').currentTime - to) < 0.05 && !document.getElementById('film').seeking, wanted)
    }
    await at('ArrowRight', 1)
    await at('ArrowLeft', 0)
    await at('.', 0.2)
    await at('.', 0.4)
    await at(',', 0.2)
    await at('n', 1)
    await at('p', 0)
    await shown.keyboard.press(' ')
    await shown.waitForFunction(() => !document.getElementById('film').paused)
    await shown.keyboard.press(' ')
    await shown.waitForFunction(() => document.getElementById('film').paused)
    await shown.keyboard.press('Tab')
    const focused = await shown.evaluate(() => [document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle])
    expect(focused).toEqual(['play', 'solid'])
    // Space on a button presses it, once.
    await shown.keyboard.press(' ')
    await shown.waitForFunction(() => !document.getElementById('film').paused)
  })

  test('what a screen reader has, and the name as text', async () => {
    await show(pathToFileURL(page).href)
    expect(await shown.textContent('h1')).toBe(name)
    for (const [role, called] of [
      ['slider', 'Time'],
      ['slider', 'Opacity'],
      ['combobox', 'Colours'],
      ['combobox', 'Scale'],
      ['checkbox', 'Scan path'],
      ['checkbox', 'Peaks'],
      ['button', 'Play'],
      ['button', '2: 1.00 s, cut'],
      ['img', 'The wave of the sound'],
      ['img', 'Concentration over time'],
    ] as const) {
      expect(await shown.getByRole(role, { name: called, exact: true }).count(), `${role} ${called}`).toBe(1)
    }
    expect(await shown.getByRole('slider', { name: 'Time' }).getAttribute('aria-valuetext')).toMatch(/^0:00\.00 of 0:02/)
    expect(await shown.getAttribute('#said', 'aria-live')).toBe('polite')
  })

  test('a shot, and a place of the curve, are gone to by a click', async () => {
    await show(pathToFileURL(page).href)
    await shown.click('[data-time="1"]')
    await shown.waitForFunction(() => document.getElementById('said').textContent.includes('Shot 2'))
    const { width, height } = (await shown.locator('.track').first().boundingBox())!
    await shown
      .locator('.track')
      .first()
      .click({ position: { x: width / 4, y: height / 2 } })
    await shown.waitForFunction(() => document.getElementById('said').textContent.includes('Shot 1'))
    expect(await time()).toBeCloseTo(0.5, 1)
  })

  test('the video beside the page, in a folder with a name that is no address', async () => {
    const folder = temporaryPath('a b#c?d%')
    await mkdir(folder, { recursive: true })
    const video = join(folder, 'clip:1.mp4')
    await copyFile(clip, video)
    const other = temporaryPath('beside.html')
    await writeViewPage(other, video, spots(), { beside: true })
    expect(readFileSync(other, 'utf8')).not.toContain('id="film-bytes"')
    await show(pathToFileURL(other).href)
    await shown.fill('#seek', '1.5')
    await shown.waitForFunction(() => document.getElementById('said').textContent.startsWith('0:01.50'))
  })

  test('served, the video comes in parts', async () => {
    const other = temporaryPath('served.html')
    await writeViewPage(other, clip, spots(), { beside: true })
    // As the command makes it: the video at an address of its own.
    const text = readFileSync(other, 'utf8').replace(/"film":\{"address":"[^"]*"\}/, '"film":{"address":"video"}')
    const server = await serveView(
      {
        page: async function* () {
          yield text
        },
        film: { path: clip, mime: 'video/mp4' },
      },
      0,
    )
    try {
      await show(server.url)
      await shown.fill('#seek', '1.5')
      await shown.waitForFunction(() => document.getElementById('said').textContent.startsWith('0:01.50'))
    } finally {
      await server.close()
    }
  })

  test('a video that is gone is told in the page, beside what is left', async () => {
    const video = temporaryPath('gone.mp4')
    await copyFile(clip, video)
    const other = temporaryPath('gone.html')
    await writeViewPage(other, video, spots(), { beside: true })
    await copyFile(page, video)
    shown = await browser.newPage()
    complaints = []
    await shown.goto(pathToFileURL(other).href)
    await shown.getByRole('alert').waitFor()
    expect(await shown.getByRole('alert').textContent()).toMatch(/does not play the video/)
    expect(await shown.locator('.shots li').count()).toBe(2)
  })
})
