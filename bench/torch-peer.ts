import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** What a peer's prediction took and gave. */
export interface Run {
  seconds: number
  map: Float32Array
}

/** A program that predicts the same clip's map from the same noise and weights. */
export interface Peer {
  name: string
  predict(): Promise<Run>
  close(): Promise<void>
}

/** Files that all peers read: the weights, and the inputs as bare float32. */
export interface Material {
  folder: string
  weights: string
  dialect: 'paper' | 'released'
  steps: number
  threads: number
}

// Reads a command a line: a peer's name, or export. diffsal_ref is the reference program; its names are those of the weights file.
const program = `
import sys, time, torch, numpy as np
reference, folder, weights, dialect, steps, threads = sys.argv[1:7]
sys.path.insert(0, reference)
import diffsal_ref as R
from safetensors.torch import load_file
torch.set_num_threads(int(threads)); torch.set_grad_enabled(False)
m = R.DiffSal(R.Config(dialect=dialect)).eval(); m.load_state_dict(load_file(weights), strict=False)
read = lambda n, *s: torch.from_numpy(np.fromfile(folder + '/' + n + '.f32', np.float32)).reshape(s)
x, frames, mel = read('x', 1, 1, 224, 384), read('frames', 1, 3, 16, 224, 384), read('mel', 1, 1, 9, 112, 192)
class Encoders(torch.nn.Module):
    def forward(self, frames, mel):
        video, audio = m.condition(frames, mel); return (*video, audio)
class Denoiser(torch.nn.Module):
    def forward(self, x, t, a, b, c, d, audio): return m.decoder_net(x, t, [a, b, c, d], audio)
enc, den, bars = Encoders(), Denoiser(), R.alpha_bars()
enc.m = den.m = m
peers = {'eager': lambda: (enc, den), 'compile': lambda: (torch.compile(enc), torch.compile(den))}
ready = {}
print('ready ' + torch.__version__, flush=True)
for line in sys.stdin:
    name = line.strip()
    try:
        if name == 'export':
            c = enc(frames, mel)
            for n, module, args in (('enc', enc, (frames, mel)), ('den', den, (x, torch.full((1,), 500), *c))):
                torch.onnx.export(module, args, folder + '/' + n + '.onnx', dynamo=True, external_data=True, verbose=False)
            print('done 0', flush=True); continue
        e, d = ready.get(name) or ready.setdefault(name, peers[name]())
        start = time.perf_counter(); c = e(frames, mel)
        y = R.ddim_sample(lambda y, t: d(y, t, *c), x, int(steps), bars, dialect == 'released')
        seconds = time.perf_counter() - start
        y.numpy().astype(np.float32).tofile(folder + '/map.f32')
        print('done', seconds, flush=True)
    except Exception as error: print('failed', str(error).replace('\\n', ' ')[:300], flush=True)
`

/** The reference program under PyTorch, in a process of its own. Without Python, torch or the reference it says so by its error. */
export class TorchProcess {
  readonly version: string
  readonly #ask: (command: string) => Promise<string>
  readonly #end: () => Promise<void>
  readonly #folder: string

  private constructor(version: string, ask: (command: string) => Promise<string>, end: () => Promise<void>, folder: string) {
    this.version = version
    this.#ask = ask
    this.#end = end
    this.#folder = folder
  }

  static async start(python: string, reference: string, { folder, weights, dialect, steps, threads }: Material): Promise<TorchProcess> {
    const child = spawn(python, ['-c', program, reference, folder, weights, dialect, String(steps), String(threads)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let complaint = ''
    child.stderr.on('data', (data: Buffer) => (complaint = (complaint + String(data)).slice(-2000)))
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const failed = new Promise<never>((_, reject) => child.once('error', reject))
    failed.catch(() => {})
    const next = async (): Promise<string> => {
      const { done, value } = await Promise.race([lines.next(), failed])
      if (done) throw new Error(complaint.trim().split('\n').at(-1) ?? 'it ended')
      return value
    }
    const first = await next()
    const ask = async (command: string): Promise<string> => {
      child.stdin.write(`${command}\n`)
      const [state, ...rest] = (await next()).split(' ')
      if (state !== 'done') throw new Error(rest.join(' '))
      return rest.join(' ')
    }
    return new TorchProcess(
      first.replace('ready ', ''),
      ask,
      async () => {
        child.stdin.end()
        await ended
      },
      folder,
    )
  }

  /** The peer `eager` or `compile`. */
  peer(mode: 'eager' | 'compile'): Peer {
    return {
      name: `PyTorch ${this.version} ${mode}`,
      predict: async () => {
        const seconds = Number(await this.#ask(mode))
        const bytes = await readFile(join(this.#folder, 'map.f32'))
        return { seconds, map: new Float32Array(new Uint8Array(bytes).buffer) }
      },
      close: async () => {},
    }
  }

  /** Writes enc.onnx and den.onnx beside the material; needs the pip packages onnx and onnxscript. */
  async export(): Promise<void> {
    await this.#ask('export')
  }

  close(): Promise<void> {
    return this.#end()
  }
}
