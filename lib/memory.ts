/** Bytes that a model holds. */
export interface ModelMemory {
  /**
   * Parameters and buffers. On the CPU they may be pages of the weights file. What predictions make of them, packed for the processor, is not
   * counted: as much again or more, from the first prediction on until training or `dispose`.
   */
  parameters: number
  /** Features from `encode` that were neither disposed nor collected. */
  features: number
  /** Of the CUDA device that the model is on, where the addon was built with its CUDA part. */
  device?: CudaMemory
}

/** Bytes on a CUDA device. */
export interface CudaMemory {
  /** What tensors of this process take. */
  allocated: number
  /** What libtorch keeps for them and for later ones. */
  reserved: number
  /** All that the device has. */
  total: number
  /** What nobody holds. */
  free: number
}
