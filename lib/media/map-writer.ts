/** Something that takes maps in order and ends as a file (or a folder of files): whole, or not at all. */
export interface MapWriter {
  /**
   * Takes the map of a frame. Resolves when it may take the next. Maps come with rising frame numbers.
   *
   * @param times the times in seconds of all frames after the map before, up to this one's; default: the constant rate's
   */
  write(frame: number, map: Float32Array, times?: readonly number[]): Promise<void>
  /**
   * Writes what is left, all of it onto the disk. Whatever can go wrong goes wrong here.
   *
   * @param frames how many the video has, up to the end of the part that is written
   * @param times the times in seconds of those after the last map's
   */
  finish(frames: number, times?: readonly number[]): Promise<void>
  /** After `finish`: puts the result in its place; where that fails, what was there is there still. */
  commit(): Promise<void>
  /** Undoes `commit`: what was there before is there again, as far as the file system has links. */
  revert(): Promise<void>
  /** Leaves nothing behind but what was committed. Called in the end, after `commit` too. */
  discard(): Promise<void>
}
