/** Whether a file means a video by a name: extensions do not count, since a video is often shown in another format than it is kept. */
export function isOfVideo(name: string, video: string): boolean {
  return stemOf(name) === stemOf(video)
}

/** A file's name without folders and extension. */
export function stemOf(name: string): string {
  return name.replace(/^.*[/\\]/, '').replace(/\.[a-z0-9]{2,4}$/i, '')
}
