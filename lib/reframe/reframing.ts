/** Where the window lies in one frame. */
export interface ReframedFrame {
  /** The frame's number, from 0. */
  frame: number
  /** Its time in seconds on the file's clock. */
  time: number
  /** The number of its shot, from 0. */
  shot: number
  /** Pixels from the frame's left edge to the window's; between two pixels too. */
  x: number
  /** Pixels from the frame's upper edge to the window's. */
  y: number
}

/** A window that follows what people look at in a video. Plain data: it may be written as JSON, changed, and read back. */
export interface Reframing {
  /** [height, width] of the video's frames in pixels, as they are shown. */
  size: readonly [number, number]
  /** [height, width] of the window in pixels: even numbers. */
  window: readonly [number, number]
  /** Of a part of the video: its first second. Left out where it begins with the video. */
  start?: number | undefined
  /** Of a part of the video: the second that it ends before. Left out where it goes to the video's end. */
  end?: number | undefined
  /** One a frame, in order: all of the video, or of the part. */
  frames: readonly ReframedFrame[]
}
