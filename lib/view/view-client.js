// The script of the page that `diffsal view` writes. It runs in the browser: nothing of the package is there, and no network.

/** @type {(id: string) => any} */
const part = (id) => document.getElementById(id)

/** @type {(id: string) => Uint8Array<ArrayBuffer>} */
const bytesIn = (id) => {
  const text = atob(part(id).textContent.trim())
  // It is not needed twice.
  part(id).textContent = ''
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

const data = JSON.parse(part('data').textContent)
/** @type {{ columns: number, rows: number, times: number[], until: number, levels: number[], confidence: number[], focus: number[][], peaks: number[][][] }} */
const maps = data.maps
/** @type {{ start: number }[]} */
const shots = data.shots
const bytes = bytesIn('maps')
const film = part('film')
const pixels = maps.columns * maps.rows
const canvas = part('map')
const brush = canvas.getContext('2d')
const picture = brush.createImageData(maps.columns, maps.rows)
/** @type {Record<string, Uint8Array>} */
const colours = Object.fromEntries(Object.entries(data.colours).map(([name, text]) => [name, Uint8Array.from(atob(String(text)), (c) => c.charCodeAt(0))]))

/** The last of ascending numbers that is not above a time; -1 where all are. @type {(times: number[], time: number) => number} */
const lastAt = (times, time) => {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >> 1
    // A frame's time as the video tells it may be a little less than as the file does.
    if (times[middle] <= time + 0.002) low = middle + 1
    else high = middle
  }
  return low - 1
}
const starts = shots.map(({ start }) => start)
/** @type {(time: number) => number} */
const shotAt = (time) => Math.max(0, lastAt(starts, time))
/** The number of the map of a time, -1 where there is none. @type {(time: number) => number} */
const mapAt = (time) => (time > maps.until ? -1 : lastAt(maps.times, time))

/** `1:02.50` @type {(seconds: number) => string} */
const clockText = (seconds) => {
  const hundredths = Math.round(seconds * 100)
  const [minutes, rest] = [Math.floor(hundredths / 6000), (hundredths % 6000) / 100]
  return `${minutes}:${rest.toFixed(2).padStart(5, '0')}`
}

/** Draws the map of a time: between two maps of a shot, what lies between them. @type {(time: number) => void} */
const drawMap = (time) => {
  const at = mapAt(time)
  brush.clearRect(0, 0, maps.columns, maps.rows)
  if (at < 0) return
  const same = at + 1 < maps.times.length && shotAt(maps.times[at]) === shotAt(maps.times[at + 1])
  const next = same ? at + 1 : at
  const way = same ? Math.min(1, Math.max(0, (time - maps.times[at]) / (maps.times[next] - maps.times[at]))) : 0
  const each = part('scale').value === 'each'
  const gains = [(each ? 1 : maps.levels[at]) * (1 - way), (each ? 1 : maps.levels[next]) * way]
  const table = colours[part('colours').value]
  const opacity = Number(part('opacity').value) / 100
  const [from, to] = [at * pixels, next * pixels]
  for (let i = 0; i < pixels; i++) {
    const level = Math.min(255, Math.round(bytes[from + i] * gains[0] + bytes[to + i] * gains[1]))
    picture.data[4 * i] = table[3 * level]
    picture.data[4 * i + 1] = table[3 * level + 1]
    picture.data[4 * i + 2] = table[3 * level + 2]
    picture.data[4 * i + 3] = level * opacity
  }
  brush.putImageData(picture, 0, 0)
}

/** Seconds of the scan path that are seen. */
const trail = 2

/** @type {(name: string, attributes: Record<string, string | number>) => Element} */
const shape = (name, attributes) => {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value))
  return made
}

/** Draws the places that the map is highest at, and the way of its one point. @type {(time: number) => void} */
const drawMarks = (time) => {
  const at = mapAt(time)
  const [width, height] = data.size
  const radius = Math.min(width, height) / 50
  /** @type {Element[]} */
  const made = []
  if (at >= 0 && part('path').checked) {
    const since = Math.max(time - trail, starts[shotAt(time)])
    const way = []
    for (let i = at; i >= 0 && maps.times[i] >= since - 0.002; i--) way.push(`${maps.focus[i][0] * width},${maps.focus[i][1] * height}`)
    made.push(shape('polyline', { points: way.join(' '), class: 'under' }), shape('polyline', { points: way.join(' '), class: 'way' }))
    made.push(shape('circle', { cx: maps.focus[at][0] * width, cy: maps.focus[at][1] * height, r: radius * 0.7, class: 'focus' }))
  }
  if (at >= 0 && part('peaks').checked) {
    for (const [x, y] of maps.peaks[at]) made.push(shape('circle', { cx: x * width, cy: y * height, r: radius * 1.4, class: 'peak' }))
  }
  part('marks').replaceChildren(...made)
}

let spokenShot = -1
/** Tells a screen reader where the video is: where it stands, and at each shot, not at every frame. @type {(time: number) => void} */
const say = (time) => {
  const at = mapAt(time)
  spokenShot = shotAt(time)
  const found =
    at < 0
      ? 'No map here.'
      : `Concentration ${maps.confidence[at].toFixed(2)}, looks at ${Math.round(100 * maps.focus[at][0])} % from the left and ${Math.round(100 * maps.focus[at][1])} % from above.`
  part('said').textContent = `${clockText(time)} of ${clockText(data.duration)}. Shot ${spokenShot + 1} of ${shots.length}. ${found}`
}

/** @type {(time: number) => void} */
const draw = (time) => {
  drawMap(time)
  drawMarks(time)
  part('clock').textContent = `${clockText(time)} / ${clockText(data.duration)}`
  const seek = part('seek')
  seek.value = String(time)
  seek.setAttribute('aria-valuetext', `${clockText(time)} of ${clockText(data.duration)}`)
  for (const head of document.querySelectorAll('.head')) head.setAttribute('transform', `translate(${(1000 * time) / data.duration} 0)`)
  if (!film.paused && shotAt(time) !== spokenShot) say(time)
}

const redraw = () => draw(film.currentTime)

// The time of the frame that is seen, where the browser tells it.
const follow = () => {
  if (film.requestVideoFrameCallback) {
    /** @type {(now: number, frame: { mediaTime: number }) => void} */
    const shown = (_, { mediaTime }) => {
      draw(mediaTime)
      film.requestVideoFrameCallback(shown)
    }
    film.requestVideoFrameCallback(shown)
    return
  }
  const tick = () => {
    if (!film.paused) redraw()
    requestAnimationFrame(tick)
  }
  tick()
}

/** @type {(time: number) => void} */
const go = (time) => {
  film.currentTime = Math.min(Math.max(time, 0), film.duration || data.duration)
}
const toggle = () => {
  if (film.paused) film.play().catch(() => undefined)
  else film.pause()
}
/** @type {(by: number) => void} */
const goShot = (by) => {
  const now = shotAt(film.currentTime)
  // Back goes to the beginning of this shot first, as in players.
  const to = by < 0 && film.currentTime - starts[now] > 1 ? now : now + by
  go(starts[Math.min(Math.max(to, 0), starts.length - 1)])
}
/** @type {(by: number) => void} */
const goMap = (by) => {
  film.pause()
  const at = Math.min(Math.max(lastAt(maps.times, film.currentTime) + by, 0), maps.times.length - 1)
  // A bit later: a browser that rounds a time down would show the frame before.
  go(maps.times[at] + 0.001)
}

for (const name of ['play', 'pause', 'ended']) film.addEventListener(name, () => (part('play').textContent = film.paused ? 'Play' : 'Pause'))
for (const name of ['seeked', 'loadeddata', 'pause']) {
  film.addEventListener(name, () => {
    redraw()
    say(film.currentTime)
  })
}
film.addEventListener('error', () => {
  part('trouble').textContent = 'This browser does not play the video, or does not find it. The curves and the list of shots are still right.'
  part('trouble').hidden = false
})
part('play').addEventListener('click', toggle)
part('earlier').addEventListener('click', () => goShot(-1))
part('later').addEventListener('click', () => goShot(1))
part('sound').addEventListener('change', () => (film.muted = !part('sound').checked))
part('seek').addEventListener('input', () => go(Number(part('seek').value)))
for (const id of ['opacity', 'colours', 'scale', 'path', 'peaks']) part(id).addEventListener('input', redraw)
for (const button of document.querySelectorAll('[data-time]')) button.addEventListener('click', () => go(Number(button.getAttribute('data-time'))))
for (const track of document.querySelectorAll('.track')) {
  track.addEventListener('click', (event) => {
    if (!(event instanceof MouseEvent)) return
    const { left, width } = track.getBoundingClientRect()
    go((data.duration * (event.clientX - left)) / width)
  })
}

/** @type {Record<string, (shift: boolean) => void>} */
const keys = {
  ' ': toggle,
  ArrowLeft: (shift) => go(film.currentTime - (shift ? 5 : 1)),
  ArrowRight: (shift) => go(film.currentTime + (shift ? 5 : 1)),
  Home: () => go(0),
  End: () => go(data.duration),
  ',': () => goMap(-1),
  '.': () => goMap(1),
  p: () => goShot(-1),
  n: () => goShot(1),
}
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return
  const { tagName, type } = /** @type {HTMLInputElement} */ (event.target)
  // A control keeps the keys that are its own: space presses a button, arrows move a slider.
  if (event.key === ' ' && /^(BUTTON|SELECT|INPUT|SUMMARY)$/.test(tagName) && type !== 'range') return
  if (event.key !== ' ' && (tagName === 'SELECT' || type === 'range')) return
  const act = keys[event.key]
  if (act === undefined) return
  event.preventDefault()
  act(event.shiftKey)
})

film.src = data.film.inside === undefined ? data.film.address : URL.createObjectURL(new Blob([bytesIn('film-bytes')], { type: data.film.inside }))
follow()
draw(0)
