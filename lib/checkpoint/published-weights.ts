/** Weights that others have published, and how this package takes them. */
export interface PublishedWeights {
  /** A short name, the same in every release of this package. */
  readonly id: string
  readonly title: string
  /** What of the network they are, and what they were trained on. */
  readonly use: string
  /** The file's name, or what is known of it. */
  readonly file: string
  /** Where the file is. */
  readonly where: string
  /** The document that says so. */
  readonly source: string
  /** What that document, or the repository it is in, says of the licence. */
  readonly licence: string
  /** Parameters, those of a classifier too, where they are stated or follow from the shapes. */
  readonly parameters?: number
  /** Megabytes, where they are stated. */
  readonly megabytes?: number
  /** What takes the file once it is downloaded. */
  readonly command: string
}

const convert = 'diffsal convert best.pth diffsal.safetensors'
const pretrained = (file: string): string => `diffsal train run.json, with "pretrained": ["${file}"] in run.json`
const drive = 'https://drive.google.com/drive/folders/1NiW4yyg6EGOQpNcGJAQsNgK9-PfdxFSJ'
const noneByAuthors = 'none is named in the repository: ask the authors'
const torchvision = 'none of their own: "may have their own licenses or terms and conditions derived from the dataset used for training" (README)'

/** All that the package reads and that was found; docs/weights.md says the same. Addresses are as their sources state them. */
export const publishedWeights: readonly PublishedWeights[] = [
  {
    id: 'diffsal-av',
    title: 'DiffSal, audio and video',
    use: 'the whole network, dialect `released`, trained on DHF1K and then on the audio-visual sets',
    file: 'an archive to unpack; the training program calls the file of a split splitN_weights/best.pth',
    where: drive,
    source: 'https://github.com/junwenxiong/diff_sal',
    licence: noneByAuthors,
    command: convert,
  },
  {
    id: 'diffsal-video',
    title: 'DiffSal, video alone',
    use: 'the network without sound, dialect `released`, trained on DHF1K',
    file: 'an archive to unpack; the training program calls the file weights/best.pth',
    where: drive,
    source: 'https://github.com/junwenxiong/diff_sal',
    licence: noneByAuthors,
    command: convert,
  },
  {
    id: 'mvitv2-mmaction',
    title: 'MViTv2-S of MMAction2',
    use: 'the video encoder, trained on Kinetics-400; the one that DiffSal begins with',
    file: 'mvit-small-p244_16x4x1_kinetics400-rgb_20221021-9ebaaeed.pth',
    where: 'https://download.openmmlab.com/mmaction/v1.0/recognition/mvit/converted/mvit-small-p244_16x4x1_kinetics400-rgb_20221021-9ebaaeed.pth',
    source: 'https://github.com/open-mmlab/mmaction2/tree/main/configs/recognition/mvit',
    licence: 'Apache 2.0, of the repository',
    parameters: 34.5e6,
    command: pretrained('mvit-small-p244_16x4x1_kinetics400-rgb_20221021-9ebaaeed.pth'),
  },
  {
    id: 'mvitv2-pyslowfast',
    title: 'MViTv2-S of PySlowFast, by its authors',
    use: 'the video encoder, trained on Kinetics-400',
    file: 'MViTv2_S_16x4_k400_f302660347.pyth',
    where: 'https://dl.fbaipublicfiles.com/pyslowfast/model_zoo/mvitv2/pysf_video_models/MViTv2_S_16x4_k400_f302660347.pyth',
    source: 'https://github.com/facebookresearch/SlowFast/blob/main/projects/mvitv2/README.md',
    licence: 'Apache 2.0, of the repository',
    parameters: 34.5e6,
    command: pretrained('MViTv2_S_16x4_k400_f302660347.pyth'),
  },
  {
    id: 'mvitv2-torchvision',
    title: 'MViTv2-S of torchvision',
    use: 'the video encoder, trained on Kinetics-400 (MViT_V2_S_Weights.KINETICS400_V1)',
    file: 'mvit_v2_s-ae3be167.pth',
    where: 'https://download.pytorch.org/models/mvit_v2_s-ae3be167.pth',
    source: 'https://github.com/pytorch/vision/blob/main/torchvision/models/video/mvit.py',
    licence: torchvision,
    parameters: 34_537_744,
    megabytes: 131.884,
    command: pretrained('mvit_v2_s-ae3be167.pth'),
  },
  {
    id: 'vggish',
    title: 'VGGish of torchvggish',
    use: "the audio encoder, trained on YouTube videos; Google's weights in PyTorch",
    file: 'vggish-10086976.pth',
    where: 'https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth',
    source: 'https://github.com/harritaylor/torchvggish/blob/master/hubconf.py',
    licence: 'none is named in its README; a mirror of the repository is listed as Apache-2.0',
    parameters: 72_141_184,
    command: pretrained('vggish-10086976.pth'),
  },
  {
    id: 's3d',
    title: 'S3D of torchvision',
    use: "table 7's S3D, trained on Kinetics-400 (S3D_Weights.KINETICS400_V1)",
    file: 's3d-d76dad2f.pth',
    where: 'https://download.pytorch.org/models/s3d-d76dad2f.pth',
    source: 'https://github.com/pytorch/vision/blob/main/torchvision/models/video/s3d.py',
    licence: torchvision,
    parameters: 8_320_048,
    megabytes: 31.972,
    command: pretrained('s3d-d76dad2f.pth'),
  },
  {
    id: 'swin3d_t',
    title: 'Video Swin-T of torchvision',
    use: "section 4.1's Video Swin, trained on Kinetics-400 (Swin3D_T_Weights.KINETICS400_V1)",
    file: 'swin3d_t-7615ae03.pth',
    where: 'https://download.pytorch.org/models/swin3d_t-7615ae03.pth',
    source: 'https://github.com/pytorch/vision/blob/main/torchvision/models/video/swin_transformer.py',
    licence: torchvision,
    parameters: 28_158_070,
    megabytes: 121.543,
    command: pretrained('swin3d_t-7615ae03.pth'),
  },
  {
    id: 'resnet3d_50',
    title: '3D ResNet-50 of 3D-ResNets-PyTorch',
    use: "table 7's 3D ResNet, trained on Kinetics-700 (r3d50_KM_200ep.pth and others: on more)",
    file: 'r3d50_K_200ep.pth',
    where: 'https://drive.google.com/open?id=1xbYbZ7rpyjftI_KCk6YuL-XrfQDz7Yd4',
    source: 'https://github.com/kenshohara/3D-ResNets-PyTorch',
    licence: 'MIT, of the repository',
    command: pretrained('r3d50_K_200ep.pth'),
  },
]
