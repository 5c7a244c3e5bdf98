import type { MapPoint } from '../maps/map-input.ts'

/** A box in the frame, in pixels of the video as it is shown. */
export interface AttentionBox {
  /** Its left edge. */
  x: number
  /** Its upper edge. */
  y: number
  /** How wide it is. */
  width: number
  /** How high it is. */
  height: number
}

/** The moment at which something held most of a map. */
export interface AttentionBest {
  /** The number of the frame. */
  frame: number
  /** Its time in seconds on the video's clock. */
  time: number
  /** The share of its map's sum, 0 to 1. */
  share: number
}

/** The moment at which a region held most of a map. */
export interface RegionBest extends AttentionBest {
  /** The region's box then. */
  box: AttentionBox
}

/** An extreme, and when it was. */
export interface AttentionExtreme {
  /** How concentrated the map is, 0 to 1. */
  value: number
  /** The time of its frame in seconds. */
  time: number
}

/** How concentrated the maps of a video are, 0 to 1. */
export interface Concentration {
  /** The mean, weighted by the seconds for which the maps stand. */
  mean: number
  /** The least. */
  least: AttentionExtreme
  /** The greatest. */
  greatest: AttentionExtreme
}

/** One map of a report. */
export interface AttentionMoment {
  /** The number of its frame, from 0. */
  frame: number
  /** The frame's time in seconds on the video's clock. */
  time: number
  /** The second from which on it stands for what is shown. */
  from: number
  /** The second until which it does. */
  to: number
  /** How concentrated it is, 0 to 1, as `maps.confidence` tells it. */
  concentration: number
  /** The one place to look at, as `maps.focalPoint` tells it, in pixels. */
  focus: MapPoint
  /** Of each area its share of the map's sum, 0 to 1; null while it is not there. */
  areas: (number | null)[]
}

/** A shot of a report. */
export interface AttentionShot {
  /** Its number, from 0. */
  shot: number
  /** The second at which it begins. */
  start: number
  /** The second at which it ends. */
  end: number
  /** The mean concentration of its maps, weighted by their seconds; null where it has none. */
  concentration: number | null
}

/** A region that held attention, followed from map to map. */
export interface AttentionRegion {
  /** The second at which it was there first. */
  start: number
  /** The second until which it was there. */
  end: number
  /** Seconds in which it was there. */
  seconds: number
  /** Seconds of attention: the sum over its maps of the share of the map in it, times the map's seconds. */
  dwell: number
  /** `dwell` over the seconds of the report, 0 to 1. */
  share: number
  /** The mean of its boxes' middles, weighted as `dwell`, in pixels. */
  place: MapPoint
  /** Where it held most of a map: that share, and its box. */
  best: RegionBest
  /** That frame, 320 pixels wide at most, as a `data:` address of a JPEG. */
  picture: string
}

/** How an area was looked at. */
export interface AreaAttention extends AttentionBox {
  /** What it is called. */
  name: string
  /** The second from which on it is there; null from the beginning. */
  from: number | null
  /** The second until which it is there; null to the end. */
  to: number | null
  /** Its share of the picture, 0 to 1. */
  size: number
  /** Seconds in which it was there. */
  seconds: number
  /** Seconds of attention: the sum over the maps of the share s of the map in it, times the seconds for which the map stands while the area is there. */
  dwell: number
  /** The mean share of attention while it was there, `dwell` over `seconds`; null where it never was. */
  share: number | null
  /** `share` over `size`: 1 is as much as evenly spread attention gives. */
  ratio: number | null
  /** The share of a map from which on it counts as looked at: L·a / (1 + (L − 1)·a) of its size a and the option `look`, L. */
  threshold: number
  /** Seconds in which it was looked at. */
  looked: number
  /** `looked` over `seconds`: its share of time. */
  lookedShare: number | null
  /** How often it was looked at: times without a break. */
  looks: number
  /** The second of the first look, on the video's clock; null where there was none. */
  firstLook: number | null
  /** Seconds from when it was there first until the first look. */
  firstLookAfter: number | null
  /** Where it held most of a map; null where it never was there. */
  best: AttentionBest | null
  /** That frame, 320 pixels wide at most, as a `data:` address of a JPEG. */
  picture: string | null
}

/** What a video's maps say of attention. Plain data: it may be written as JSON. */
export interface AttentionReport {
  /** What the video is called. */
  name: string
  /** [height, width] of its frames in pixels, as they are shown. */
  size: readonly [number, number]
  /** The second at which the report begins, on the video's clock. */
  start: number
  /** The second at which it ends. */
  end: number
  /** How many maps it is of. */
  maps: number
  /** Every how many-th frame has a map. */
  stride: number
  /** What decided the noise. */
  seed: number
  /** How many times the odds of its size an area's must be, so that it is looked at. */
  look: number
  /** How concentrated the maps are. */
  concentration: Concentration
  /** In order. */
  shots: AttentionShot[]
  /** Those that held most attention, the first the most. */
  regions: AttentionRegion[]
  /** In the order in which they were told. */
  areas: AreaAttention[]
  /** One a map, in order. */
  moments: AttentionMoment[]
}
