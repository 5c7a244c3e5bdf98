/** Which clips of a video are trained on. */
export interface WindowPlan {
  /** Frames of a window; the clip is in its centre. */
  readonly span: number
  /** Frames from one window's start to the next one's. */
  readonly every: number
}

/** The paper's windows on the audio-visual sets: 90 frames, every 74, their centre 16. */
export const audioVisualWindows: WindowPlan = { span: 90, every: 74 }

/** Clip after clip without overlap, on the sets without sound. */
export const videoWindows: WindowPlan = { span: 16, every: 16 }

/**
 * The frames in the middle of a video's training windows. The last window may be shorter, and is left out where it has a single
 * frame; a video of one frame has none.
 */
export function trainingFrames(count: number, { span, every }: WindowPlan): number[] {
  const frames: number[] = []
  for (let start = 0; start < count - 1; start += every) frames.push(start + Math.floor(Math.min(span, count - start) / 2))
  return frames
}

/** Every frame of a video (every `stride`-th one): the windows of testing. */
export function testFrames(count: number, stride: number): number[] {
  return count < 2 ? [] : Array.from({ length: Math.ceil(count / stride) }, (_, i) => i * stride)
}

/** The frames of the clip that frame k belongs to, k − T/2 … k + T/2 − 1, the edge frames repeated beyond the ends. */
export function clipFrames(frame: number, clipLength: number, count: number): number[] {
  const first = frame - Math.floor(clipLength / 2)
  return Array.from({ length: clipLength }, (_, t) => Math.min(Math.max(first + t, 0), count - 1))
}
