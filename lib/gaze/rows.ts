import { parse } from 'csv-parse'
import { isPlain } from '../checks/options.ts'
import { notGaze } from './not-gaze.ts'
import { mostBytes, withText } from './text.ts'
import type { TrackerOptions } from './tracker-options.ts'

/** A row's cells, and what it is called in messages: `Row 17`. */
export type TakeRow = (cells: readonly string[], place: string) => void

/** The longest header, in letters. */
const longestHeader = 1 << 16

/**
 * Gives the rows of a table to `take`, the header first, as they are read. What stands between cells is what stands between those of the header:
 * a tab, a semicolon or a comma. JSON is a list of objects, or an object of lists.
 */
export async function readRows(path: string, encoding: TrackerOptions['encoding'], take: TakeRow): Promise<void> {
  const isJson = /\.json(\.gz)?$/i.test(path)
  await withText(path, encoding, (pieces) => (isJson ? readJson(path, pieces, take) : readTable(pieces, take)))
}

async function readTable(pieces: AsyncIterable<string>, take: TakeRow): Promise<void> {
  const rest = pieces[Symbol.asyncIterator]()
  let text = ''
  while (!/\S[^\r\n]*[\r\n]/.test(text) && text.length < longestHeader) {
    const { done, value } = await rest.next()
    if (done) break
    text += value
  }
  const header = /\S[^\r\n]*/.exec(text)?.[0] ?? ''
  const parser = parse({
    delimiter: header.includes('\t') ? '\t' : header.includes(';') ? ';' : ',',
    record_delimiter: ['\r\n', '\n', '\r'],
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: 1 << 16,
    on_record: (cells: string[], { lines }) => {
      take(cells, `Row ${lines}`)
      return null
    },
  })
  const ended = new Promise<void>((resolve, reject) => parser.on('error', reject).on('end', resolve).resume())
  // What it rejects with is met below; meanwhile writing may wait for it.
  ended.catch(() => undefined)
  const write = (piece: string) => (parser.write(piece) ? undefined : Promise.race([ended, new Promise((resolve) => parser.once('drain', resolve))]))
  await write(text)
  for (let next = await rest.next(); !next.done; next = await rest.next()) await write(next.value)
  parser.end()
  await ended
}

async function readJson(path: string, pieces: AsyncIterable<string>, take: TakeRow): Promise<void> {
  let text = ''
  for await (const piece of pieces) text += piece
  const value: unknown = JSON.parse(text)
  const rows = Array.isArray(value) ? (value as unknown[]) : isPlain(value) ? ofLists(path, value) : undefined
  if (rows === undefined) throw notGaze(path, `it must be a list of objects, or an object of lists, within ${mostBytes} bytes`)
  const header = rows.length === 0 ? [] : Object.keys(Object(rows[0]))
  if (header.length > 0) take(header, 'Item')
  for (const [i, row] of rows.entries()) {
    const cells = isPlain(row) ? row : {}
    const more = Object.keys(cells).some((name) => !header.includes(name))
    take(isPlain(row) && !more ? header.map((name) => cellOf(cells[name as never])) : [], `Item ${i}`)
  }
}

/** `{ "x": [1, 2], "y": [3, 4] }` as a list of objects. */
function ofLists(path: string, value: object): object[] {
  const lists = Object.entries(value)
  const length = lists.every(([, list]) => Array.isArray(list)) ? ((lists[0]?.[1] as unknown[] | undefined)?.length ?? 0) : -1
  const odd = lists.find(([, list]) => (list as unknown[]).length !== length)
  if (length < 0 || odd)
    throw notGaze(path, odd && length >= 0 ? `its list '${odd[0]}' is not as long as '${lists[0]![0]}'` : 'it must be a list of objects, or an object of lists')
  return Array.from({ length }, (_, i) => Object.fromEntries(lists.map(([name, list]) => [name, (list as unknown[])[i]])))
}

function cellOf(value: unknown): string {
  return value === null || value === undefined || typeof value === 'object' ? '' : String(value)
}
