import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Precision } from '../lib/checks/precision.ts'
import { referenceConfig, type Size } from './sizes.ts'

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

/** What all peers are told: where the weights and the inputs, as bare float32, are, and how to predict. */
export interface Material {
  folder: string
  weights: string
  size: Size
  dialect: 'paper' | 'released'
  steps: number
  threads: number
  batch: number
  /** `cpu`, `cuda:0`, … */
  device: string
  /** Under PyTorch `bfloat16` is autocast's. */
  precision: Precision
}

// Reads a command a line: a peer's name, export, matmul or train. diffsal_ref is the reference program; its names are those of the weights file.
const program = (size: Size): string => `
import json, sys, time, torch, numpy as np
a = json.loads(sys.argv[1])
sys.path.insert(0, a['reference'])
import diffsal_ref as R
from safetensors.torch import load_file
torch.set_num_threads(a['threads'])
B, device, half, released = a['batch'], torch.device(a['device']), a['precision'] == 'bfloat16', a['dialect'] == 'released'
cuda = device.type == 'cuda'
if cuda:
    torch.cuda.set_device(device)
    # float32 is float32 here, as it is with diffsal.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
sync = torch.cuda.synchronize if cuda else (lambda: None)
autocast = lambda: torch.autocast(device.type, torch.bfloat16, enabled=half)
config = ${referenceConfig[size]}
H, W = config.get('size', (224, 384))
def model():
    m = R.DiffSal(R.Config(dialect=a['dialect'], **config)); m.load_state_dict(load_file(a['weights']), strict=False); return m.to(device)
read = lambda n, *s: torch.from_numpy(np.fromfile(a['folder'] + '/' + n + '.f32', np.float32)).reshape(s)
host = [read('x', B, 1, H, W), read('frames', B, 3, 16, H, W), read('mel', B, 1, 9, H // 2, W // 2)]
bars = R.alpha_bars()
there = [t.to(device) for t in host]
class Encoders(torch.nn.Module):
    def forward(self, frames, mel):
        video, audio = self.m.condition(frames, mel); return (*video, audio)
class Denoiser(torch.nn.Module):
    def forward(self, x, t, a, b, c, d, audio): return self.m.decoder_net(x, t, [a, b, c, d], audio)
def modules():
    enc, den = Encoders(), Denoiser(); enc.m = den.m = model().eval(); return enc, den
def compiled():
    options = {'mode': 'max-autotune'} if cuda else {}
    return tuple(torch.compile(m, **options) for m in modules())
@torch.no_grad()
def predict(enc, den):
    x, frames, mel = there
    with autocast():
        c = enc(frames, mel)
        if cuda: c = [t.clone() for t in c]   # a compiled one's are its graph's memory
        y = R.ddim_sample(lambda y, t: den(y, t, *c).float(), x, a['steps'], bars, released)
    return y.cpu()
def timed(work):
    sync(); start = time.perf_counter(); result = work(); sync(); return time.perf_counter() - start, result
def matmul():
    # As many multiplications a second as one large product reaches.
    n, kind = (8192, torch.bfloat16) if cuda else (1024, torch.float32)
    p, q = (torch.randn(n, n, device=device).to(kind) for _ in range(2))
    for _ in range(3): p @ q
    return n ** 3 / min(timed(lambda: p @ q)[0] for _ in range(10))
def training():
    m = model().train(); m.audio_net.requires_grad_(False)
    opt = torch.optim.Adam([q for q in m.parameters() if q.requires_grad], lr=1e-4, fused=True)
    target = torch.sigmoid(host[0]).to(device)
    def step():
        noise, frames, mel = (t.to(device) for t in host)
        t = torch.randint(0, 1000, (B,)).to(device)
        noisy = R.q_sample(target + 0.01 * torch.randn_like(target), t, noise, bars.to(device))
        with autocast(): y = m(noisy, t, frames, mel)
        loss = (y.float() - target).square().sum((1, 2, 3)).mean()
        opt.zero_grad(); loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0); opt.step()
        return float(loss) + 0 * float(norm)
    return step
peers, ready = {'eager': modules, 'compile': compiled, 'train': training}, {}
print('ready ' + torch.__version__, flush=True)
for line in sys.stdin:
    name = line.strip()
    try:
        if name == 'export':
            enc, den = modules(); x, frames, mel = host
            with torch.no_grad():
                c = enc(frames, mel)
                for n, module, args in (('enc', enc, (frames, mel)), ('den', den, (x, torch.full((B,), 500), *c))):
                    torch.onnx.export(module, args, a['folder'] + '/' + n + '.onnx', dynamo=True, external_data=True, verbose=False)
            print('done 0', flush=True); continue
        if name == 'matmul': print('done', matmul(), flush=True); continue
        made = ready.get(name) or ready.setdefault(name, peers[name]())
        if name == 'train': print('done', timed(made)[0], flush=True); continue
        seconds, y = timed(lambda: predict(*made))
        y.numpy().astype(np.float32).tofile(a['folder'] + '/map.f32')
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

  static async start(material: Material): Promise<TorchProcess> {
    const python = process.env.DIFFSAL_BENCH_PYTHON ?? 'python3'
    const reference = process.env.DIFFSAL_REFERENCE ?? '../shared/reference'
    const child = spawn(python, ['-c', program(material.size), JSON.stringify({ ...material, reference })], { stdio: ['pipe', 'pipe', 'pipe'] })
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
      material.folder,
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

  /** Seconds of one training step, the first with what it makes ready. */
  async train(): Promise<number> {
    return Number(await this.#ask('train'))
  }

  /** Multiply-accumulates a second of one large product: of bfloat16 on CUDA, of float32 on the CPU. */
  async matmul(): Promise<number> {
    return Number(await this.#ask('matmul'))
  }

  /** Writes enc.onnx and den.onnx beside the material; needs the pip packages onnx and onnxscript. */
  async export(): Promise<void> {
    await this.#ask('export')
  }

  close(): Promise<void> {
    return this.#end()
  }
}
