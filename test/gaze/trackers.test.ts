import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readGaze, type ReadGazeOptions } from '../../lib/gaze/read-gaze.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'
import { collectWarnings } from '../support/warnings.ts'

const warnings = collectWarnings()
let files = 0
const file = (content: string | Uint8Array, ending = '.csv'): string => {
  const path = temporaryPath(`p${files++}${ending}`)
  writeFileSync(path, content)
  return path
}
const read = async (content: string | Uint8Array, options?: ReadGazeOptions, ending?: string) =>
  (await readGaze(file(content, ending), options)).looks.map(({ viewer, start, duration, x, y }) => [
    viewer,
    Math.round(start),
    Math.round(duration),
    Math.round(x * 1e4) / 1e4,
    Math.round(y * 1e4) / 1e4,
  ])
const refused = (
  content: string | Uint8Array,
  options: ReadGazeOptions | undefined,
  code: 'ERR_DIFFSAL_FILE' | 'ERR_DIFFSAL_INVALID_ARGUMENT',
  ...parts: (string | RegExp)[]
) => expectDiffSalError(() => readGaze(file(content), options), code, ...parts)

const screen = { width: 1920, height: 1080, widthCm: 53, distanceCm: 60 }

describe("a table of one's own", () => {
  const rows = ['a,0,960,540', 'a,20,480,270']
  test.each<[string, string | Uint8Array, ReadGazeOptions?, string?]>([
    ['pixels by its names', `viewer,time_ms,x_px,y_px\n${rows.join('\n')}\n`, { screen }],
    ['pixels of the video', `viewer,time_ms,x,y\n${rows.join('\n')}\n`, { places: 'video-pixels', picture: { width: 1920, height: 1080 } }],
    ['semicolons and decimal commas', 'viewer;time_s;x;y\na;0;0,5;0,5\na;0,02;0,25;0,25\n', { decimal: ',' }],
    ['tabs and times in brackets', 'subject\tTime [µs]\tX (px)\tY (px)\na\t0\t960\t540\na\t20000\t480\t270\n', { screen }, '.tsv'],
    ['old line ends', `viewer,time_ms,x_px,y_px\r${rows.join('\r')}`, { screen }],
    ['mixed line ends', `viewer,time_ms,x_px,y_px\r\n${rows.join('\n')}`, { screen }],
    ['UTF-16 as said', Buffer.from(`viewer,time_ms,x_px,y_px\n${rows.join('\n')}`, 'utf16le'), { screen, encoding: 'utf-16le' }],
    ['columns as said', 't,gx,gy\n0,960,540\n20,480,270\n', { columns: { x: 'gx', y: 'GY' }, times: 'ms', viewer: 'a', places: 'pixels', screen }],
    ['a clock that began before', `viewer,time_ms,x_px,y_px\na,5000,960,540\na,5020,480,270\n`, { screen, start: 5000 }],
    [
      'a list of objects',
      JSON.stringify(rows.map((row) => row.split(',')).map(([viewer, time, x, y]) => ({ viewer, time_ms: Number(time), x_px: Number(x), y_px: Number(y) }))),
      { screen },
      '.json',
    ],
    ['an object of lists', JSON.stringify({ viewer: ['a', 'a'], time_ms: [0, 20], x_px: [960, 480], y_px: [540, 270] }), { screen }, '.json'],
    ['several videos', 'video,viewer,time_ms,x_px,y_px\nb.avi,a,0,9,9\nclip.avi,a,0,960,540\nclip.avi,a,20,480,270\n', { screen, video: 'clip.mp4' }],
  ])('with %s', async (_, content, options, ending) => {
    expect(await read(content, options, ending)).toEqual([
      ['a', 0, 20, 0.5, 0.5],
      ['a', 20, 50, 0.25, 0.25],
    ])
    expect(warnings).toEqual([])
  })

  test('degrees lie around the middle of the screen, up or down as said', async () => {
    // tan 10° × 60 cm = 10.58 cm: 383.3 pixels of 1920 on 53 cm.
    const content = 'viewer,time_ms,x_deg,y_deg\na,0,10,10\n'
    const offset = (Math.tan(Math.PI / 18) * 60 * 1920) / 53
    const x = Math.round((0.5 + offset / 1920) * 1e4) / 1e4
    expect(await read(content, { screen, places: 'degrees-down' })).toEqual([['a', 0, 50, x, Math.round((0.5 + offset / 1080) * 1e4) / 1e4]])
    expect(await read(content, { screen, places: 'degrees-up' })).toEqual([['a', 0, 50, x, Math.round((0.5 - offset / 1080) * 1e4) / 1e4]])
    await refused(content, { screen }, 'ERR_DIFFSAL_INVALID_ARGUMENT', /'places' must be 'degrees-down' or 'degrees-up', since 'y_deg'/)
  })

  test('a video is where it was on the screen', async () => {
    const content = 'viewer,time_ms,x_px,y_px\na,0,960,540\na,20,240,0\n'
    const square = { picture: { width: 400, height: 400 } }
    expect(await read(content, { ...square, screen: { ...screen, video: { left: 860, top: 440, width: 400, height: 400 } } })).toEqual([
      ['a', 0, 20, 0.25, 0.25],
    ])
    expect(warnings.join()).toMatch(/Row 3 of '.*' lies outside the picture \('a,20,240,0'\)/)
    expect(await read(content, { ...square, screen: { ...screen, video: 'fit' } })).toEqual([['a', 0, 20, 0.5, 0.5]])
    expect(await read(content, { ...square, screen: { ...screen, video: 'stretch' } })).toEqual([
      ['a', 0, 20, 0.5, 0.5],
      ['a', 20, 50, 0.125, 0],
    ])
    await refused(content, { ...square, screen }, 'ERR_DIFFSAL_INVALID_ARGUMENT', /'screen\.video' must be 'fit', 'stretch', 'own-size'/)
  })

  test.each<[string, string | Uint8Array, ReadGazeOptions | undefined, 'ERR_DIFFSAL_FILE' | 'ERR_DIFFSAL_INVALID_ARGUMENT', RegExp]>([
    [
      'a time without a unit',
      'viewer,time,x,y\na,0,0.1,0.1\n',
      undefined,
      'ERR_DIFFSAL_FILE',
      /column 'time' does not tell its unit: say times: 's', 'ms' or 'us'/,
    ],
    [
      'mixed units',
      'viewer,time_ms,x_px,y_deg\na,0,1,1\n',
      { screen },
      'ERR_DIFFSAL_FILE',
      /columns 'x_px' \(pixels\) and 'y_deg' \(degrees\) have different units/,
    ],
    ['a unit that is contradicted', 'viewer,time_ms,x,y\na,0,1,1\n', { times: 's' }, 'ERR_DIFFSAL_INVALID_ARGUMENT', /'times' must be left out or 'ms'/],
    ['pixels without a screen', 'viewer,time_ms,x_px,y_px\na,0,1,1\n', undefined, 'ERR_DIFFSAL_INVALID_ARGUMENT', /'screen' must be \{ width, height \}/],
    [
      'pixels that no one called so',
      'viewer,time_ms,x,y\na,0,960,540\n',
      undefined,
      'ERR_DIFFSAL_FILE',
      /none of its 1 rows can be used: Row 2 lies outside the picture/,
    ],
    ['decimal commas', 'viewer;time_ms;x;y\na;0;0,5;0,5\n', undefined, 'ERR_DIFFSAL_FILE', /Row 2 has a decimal comma in the column 'x': say decimal: ','/],
    [
      'letters of Western Europe',
      Buffer.from('viewer,time_ms,x,y\na,0,0.1,0.1\nJos\xe9,0,0.1,0.1\n', 'latin1'),
      undefined,
      'ERR_DIFFSAL_FILE',
      /not UTF-8 \(about line 3\): say encoding: 'latin1'/,
    ],
    ['UTF-16 without its mark', Buffer.from('viewer,time_ms,x,y\n', 'utf16le'), undefined, 'ERR_DIFFSAL_FILE', /say encoding: 'utf-16le'/],
    ['a mark that is contradicted', Buffer.from('\ufeffviewer,time_ms,x,y\n', 'utf16le'), { encoding: 'latin1' }, 'ERR_DIFFSAL_FILE', /mark says utf-16le/],
    ['a workbook', Buffer.from('PK\x03\x04rest', 'latin1'), undefined, 'ERR_DIFFSAL_FILE', /is a workbook; save it as tab-separated text/],
    ['no viewer', 'time_ms,x,y\n0,0.1,0.1\n', undefined, 'ERR_DIFFSAL_FILE', /viewer: 'NAME' where all rows are of one/],
    [
      'a column that is not there',
      'viewer,time_ms,gx,gy\na,0,1,1\n',
      { columns: { x: 'gxx' } },
      'ERR_DIFFSAL_INVALID_ARGUMENT',
      /'columns\.x' must be a column of .*did you mean 'gx'/,
    ],
    [
      'two videos',
      'video,viewer,time_ms,x,y\na,p,0,0.1,0.1\nb,p,0,0.1,0.1\n',
      undefined,
      'ERR_DIFFSAL_FILE',
      /names several videos \('a', 'b'\): say video: 'NAME'/,
    ],
    [
      'another video',
      'video,viewer,time_ms,x,y\na,p,0,0.1,0.1\n',
      { video: 'c' },
      'ERR_DIFFSAL_FILE',
      /none of its rows is about 'c': its column 'video' has 'a'/,
    ],
    ['fixations that it does not tell', 'viewer,time_ms,x,y\na,0,0.1,0.1\n', { fixations: 'given' }, 'ERR_DIFFSAL_FILE', /it tells samples/],
    ['a message in a table', 'viewer,time_ms,x,y\na,0,0.1,0.1\n', { start: 'SYNC' }, 'ERR_DIFFSAL_INVALID_ARGUMENT', /only an EyeLink's \.asc has messages/],
    ['an unknown option', 'viewer,time_ms,x,y\n', { place: 'pixels' } as never, 'ERR_DIFFSAL_INVALID_ARGUMENT', /Did you mean 'places'/],
  ])('with %s is refused, and told what to say', async (_, content, options, code, message) => {
    await refused(content, options, code, message)
  })

  test('latin-1 is read where it was said, and a viewer without a place is named', async () => {
    const content = Buffer.from('viewer,time_ms,x,y\nJos\xe9,0,0.1,0.1\nb,0,9,9\n', 'latin1')
    expect(await read(content, { encoding: 'latin1' })).toEqual([['José', 0, 50, 0.1, 0.1]])
    expect(warnings.join()).toMatch(/has no place of the viewer 'b' that can be used; they do not count/)
  })

  test('fixations are found as said', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `a,${i * 10},${i < 20 ? 960 : 480},540`)
    expect(await read(`viewer,time_ms,x_px,y_px\n${rows.join('\n')}`, { screen, fixations: { method: 'ivt', window: 0 } })).toEqual([
      ['a', 0, 200, 0.5, 0.5],
      ['a', 210, 190, 0.25, 0.5],
    ])
    await refused(
      `viewer,time_ms,x_px,y_px\n${rows.join('\n')}`,
      { screen: { width: 1920, height: 1080 }, fixations: { method: 'ivt' } },
      'ERR_DIFFSAL_INVALID_ARGUMENT',
      'widthCm',
    )
  })
})

describe('Tobii', () => {
  const labHeader = [
    'Recording timestamp [μs]',
    'Sensor',
    'Participant name',
    'Recording name',
    'Gaze point X [DACS px]',
    'Gaze point Y [DACS px]',
    'Eye movement type',
    'Eye movement type index',
    'Fixation point X [DACS px]',
    'Fixation point Y [DACS px]',
    'Presented Media name',
    'Recording resolution width [px]',
    'Recording resolution height [px]',
    'Presented Media position X [DACS px]',
    'Presented Media position Y [DACS px]',
    'Presented Media width [px]',
    'Presented Media height [px]',
  ]
  const tail = ['1920', '1080', '460', '40', '1000', '1000']
  const labRow = (us: number, x: string, type: string, index: string, media = 'clip.avi', fix = '560') =>
    [`${us}`, 'Eye Tracker', 'P01', 'R1', x, '540', type, index, type === 'Fixation' ? fix : '', type === 'Fixation' ? '540' : '', media, ...tail].join('\t')
  const lab = [
    labHeader.join('\t'),
    labRow(1_000_000, '5', 'Fixation', '1', ''),
    labRow(2_000_000, '555', 'Fixation', '2'),
    ['2005000', 'Mouse', 'P01', ...Array<string>(14).fill('')].join('\t'),
    labRow(2_010_000, '565', 'Fixation', '2'),
    labRow(2_020_000, '700', 'Saccade', '1'),
    labRow(2_030_000, '', 'EyesNotFound', '1'),
    labRow(2_040_000, '960', 'Fixation', '3', 'clip.avi', '960'),
  ].join('\r\n')

  test('Pro Lab, in UTF-16 as it is written: its fixations, or its samples', async () => {
    const bytes = Buffer.from(`\ufeff${lab}`, 'utf16le')
    expect(await read(bytes, undefined, '.tsv')).toEqual([
      ['P01', 0, 20, 0.1, 0.5],
      ['P01', 40, 50, 0.5, 0.5],
    ])
    expect((await read(bytes, { fixations: 'none', video: 'clip.mp4' }, '.tsv')).map(([, start, duration, x]) => [start, duration, x])).toEqual([
      [0, 10, 0.095],
      [10, 10, 0.105],
      [20, 10, 0.24],
      [40, 50, 0.5],
    ])
    expect(warnings).toEqual([])
  })

  test('Studio: milliseconds, and pixels of the media', async () => {
    const studio = [
      'ParticipantName\tRecordingName\tMediaName\tMediaWidth\tMediaHeight\tRecordingTimestamp\tGazePointIndex\tGazePointX (MCSpx)\tGazePointY (MCSpx)',
      'P02\tR\tclip.avi\t800\t600\t3\t1\t400\t300',
      'P02\tR\tclip.avi\t800\t600\t10\t\t\t',
      'P02\tR\tclip.avi\t800\t600\t20\t2\t200\t150',
      'P02\tR\tother.avi\t800\t600\t900\t3\t1\t1',
    ].join('\n')
    expect(await read(studio, { video: 'clip' }, '.tsv')).toEqual([
      ['P02', 0, 17, 0.5, 0.5],
      ['P02', 17, 50, 0.25, 0.25],
    ])
  })

  test('what it does not tell is asked for', async () => {
    await refused(
      'Recording timestamp\tParticipant name\tGaze point X\tGaze point Y\n1\tP\t1\t1\n',
      { screen },
      'ERR_DIFFSAL_FILE',
      /'Recording timestamp' does not tell its unit/,
    )
    await refused('Recording timestamp [ms]\tParticipant name\n1\tP\n', undefined, 'ERR_DIFFSAL_FILE', /without 'Gaze point X'/)
  })
})

describe('EyeLink', () => {
  const asc = [
    '** CONVERTED FROM p.edf',
    'MSG\t1000 DISPLAY_COORDS 0 0 1919 1079',
    'MSG\t1001 TRIALID 0',
    'START\t1002 \tLEFT\tSAMPLES\tEVENTS',
    'SAMPLES\tGAZE\tLEFT\tRATE\t 500.00\tTRACKING\tCR',
    'MSG\t1005 !V TRIAL_VAR video clip.avi',
    'MSG\t1090 -10 SYNCTIME',
    '1100\t  960.0\t  540.0\t  784.0\t...',
    'SFIX L   1100',
    '1102\t  960.0\t  540.0\t  784.0\t...',
    '1104\t   .\t   .\t    0.0\t...',
    '1106\t  480.0\t  270.0\t  784.0\t...',
    'EFIX L   1100\t1102\t4\t  960.0\t  540.0\t    784',
    'END\t1110 \tSAMPLES\tEVENTS\tRES\t  30\t  30',
  ]

  test('an .asc: its fixations, or its samples, from the message on', async () => {
    expect(await read(asc.join('\n'), { viewer: 'p' }, '.asc')).toEqual([['p', 0, 4, 0.5, 0.5]])
    expect(await read(asc.join('\r\n'), { viewer: 'p', fixations: 'none' }, '.asc')).toEqual([
      ['p', 0, 2, 0.5, 0.5],
      ['p', 2, 2, 0.5, 0.5],
      ['p', 6, 50, 0.25, 0.25],
    ])
    expect((await read(asc.join('\n'), { viewer: 'p', fixations: 'none', start: 'TRIAL_VAR' }, '.asc'))[0]).toEqual(['p', 95, 2, 0.5, 0.5])
    expect(warnings).toEqual([])
  })

  test('of several trials the one that names the video counts', async () => {
    const second = asc.slice(2).map((line) =>
      line
        .replace('TRIALID 0', 'TRIALID 1')
        .replace('clip.avi', 'other.avi')
        .replace(/960\.0/g, '192.0')
        .replace(/(^|\s)1(\d\d\d)\b/g, '$12$2'),
    )
    const both = [...asc, ...second].join('\n')
    expect(await read(both, { viewer: 'p', video: 'other.mp4' }, '.asc')).toEqual([['p', 0, 4, 0.1, 0.5]])
    await expectDiffSalError(
      () => readGaze(file(both, '.asc'), { video: 'third' }),
      'ERR_DIFFSAL_FILE',
      /none of its 2 trials has a message that names 'third'/,
    )
  })

  test.each<[string, readonly string[], RegExp]>([
    ['no message of the beginning', asc.map((line) => line.replace('SYNCTIME', 'GO')), /no message SYNCTIME .* say start: .*'GO'/],
    ['samples that are no gaze', asc.map((line) => line.replace('SAMPLES\tGAZE', 'SAMPLES\tHREF')), /its samples are HREF, not GAZE/],
    ['samples alone', asc.filter((line) => !line.startsWith('SAMPLES')), /row 7 is a sample before any SAMPLES line/],
    ['both eyes', [...asc, 'EFIX R   1100\t1102\t4\t  960.0\t  540.0\t    784'], /say eye: 'left' or 'right'/],
    ['nothing', asc.slice(0, 4), /has no samples and no fixations/],
  ])('an .asc with %s is refused', async (_, lines, message) => {
    await expectDiffSalError(() => readGaze(file(lines.join('\n'), '.asc')), 'ERR_DIFFSAL_FILE', message)
  })

  test("Data Viewer's reports", async () => {
    const fixations =
      'RECORDING_SESSION_LABEL\tTRIAL_INDEX\tCURRENT_FIX_START\tCURRENT_FIX_DURATION\tCURRENT_FIX_X\tCURRENT_FIX_Y\tvideofile\ns1\t1\t12\t200\t960.0\t540.0\tclip.avi\ns1\t1\t230\t100\t.\t.\tclip.avi\ns1\t2\t5\t100\t1.0\t1.0\tother.avi\n'
    expect(await read(fixations, { screen, columns: { video: 'videofile' }, video: 'clip' }, '.xls')).toEqual([['s1', 12, 200, 0.5, 0.5]])
    await refused(
      fixations,
      { screen },
      'ERR_DIFFSAL_FILE',
      /Row 4 is of another showing of the video to 's1' .*column 'TRIAL_INDEX'.*say columns: \{ video: 'NAME' \}/,
    )
    const samples =
      'RECORDING_SESSION_LABEL,TRIAL_INDEX,TIMESTAMP,TRIAL_START_TIME,RIGHT_GAZE_X,RIGHT_GAZE_Y,RIGHT_IN_BLINK\ns1,1,5000,5000,960,540,0\ns1,1,5002,5000,961,540,1\ns1,1,5004,5000,480,270,0\n'
    expect(await read(samples, { screen })).toEqual([
      ['s1', 0, 2, 0.5, 0.5],
      ['s1', 4, 50, 0.25, 0.25],
    ])
    expect(warnings).toEqual([])
  })
})
