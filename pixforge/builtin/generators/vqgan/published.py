"""Published VQGANs in taming-transformers' format, under the names that Pixray gave them.

The mirrors of a model are tried in order: the authors' own server first, plain http last. Sources of the addresses,
from 2021 and 2022:

- heibox `/d/`: README.md of CompVis/taming-transformers; heibox `/f/`, the same server: the scripts of many users, such
  as setup.sh of Dencher92/sd-image-to-prompts and vae.py of lucidrains/DALLE-pytorch
- Pixray's releases, koofr, Google, eaidata.bmk.sh: `vqgan_config_table` and `vqgan_checkpoint_table` in vqgan.py of
  pixray/pixray
- dl.nmkd.de, mirror.io.community: download_models.sh of nerdyrodent/VQGAN-CLIP, whose issue 37 says that the latter has
  been gone since August 2021
- ruDALL-E's: rudalle/vae of ai-forever/ru-dalle, whose code is Apache-2.0
- mehdidc's: README.md of mehdidc/feed_forward_vqgan_clip; Eleiber's: issue 281 of lucidrains/DALLE-pytorch, and later
  notebooks for wikiart_1024

Sizes are what download_models.sh says. The authors published no hashes. For imagenet_f16_1024 one user's script has
e38a3aed8c86e8d47436f611325b3a23888cab70a0cc56c13cd84e8d4aab6e71, which nothing confirms, so it is not enforced.
boris/vqgan_f16_16384 on Hugging Face is no mirror: by its model card it was trained further.
"""

from __future__ import annotations

from pixforge.builtin.generators.vqgan.model import VqganModel
from pixforge.contracts.model import ModelFile

HEIBOX = "https://heibox.uni-heidelberg.de/d"
MIRROR = "http://mirror.io.community/blob/vqgan"
OLD = "http://eaidata.bmk.sh/data/Wikiart_16384"
PIXRAY = "https://github.com/pixray/pixray/releases/download/v1.7.1"
ELEIBER = "https://github.com/Eleiber/VQGAN-Mirrors/releases/download/0.0.1"
RUDALLE = "https://raw.githubusercontent.com/ai-forever/ru-dalle/master/rudalle/vae"
RUDALLE_WEIGHTS = "https://huggingface.co/ai-forever/rudalle-utils/resolve/main"
MEHDIDC = "https://github.com/mehdidc/feed_forward_vqgan_clip/releases/download/0.1"


TAMING, VQGAN_PAPER = "https://github.com/CompVis/taming-transformers", "https://arxiv.org/abs/2012.09841"
# A name with the true factor, and taming's own name.
ALIASES = {"openimages_f16_8192": ("openimages_f8_8192", "vqgan_gumbel_f8")}


def _published(
    name: str,
    configs: tuple[str, ...],
    checkpoints: tuple[str, ...],
    megabytes: int | None,
    factor: int,
    codes: int,
    note: str,
    licence: str | None = None,
) -> VqganModel:
    """A published model: the addresses of its two files, mirrors in order, and its approximate size."""
    return VqganModel(
        name=name,
        files=(ModelFile(f"{name}.yaml", configs), ModelFile(f"{name}.ckpt", checkpoints)),
        size=megabytes * 1_000_000 if megabytes else None,
        factor=factor,
        codes=codes,
        note=note,
        licence=licence,
        source=TAMING if licence else VQGAN_PAPER,
        aliases=ALIASES.get(name, ()),
        facts={"factor": str(factor), "codes": str(codes)},
        recipe=f"generator: {{type: vqgan, model: {name}}}",
    )


def _heibox(
    folder: str, config: str = "configs%2Fmodel.yaml", file: str = "ckpts%2Flast.ckpt"
) -> tuple[str, str]:
    return f"{HEIBOX}/{folder}/files/?p=%2F{config}&dl=1", f"{HEIBOX}/{folder}/files/?p=%2F{file}&dl=1"


def _share(file: str) -> str:
    return f"https://heibox.uni-heidelberg.de/f/{file}/?dl=1"


_IMAGENET_1024 = _heibox("8088892a516d4e3baf92")
_IMAGENET_16384 = _heibox("a7530b09fed84f80a887")
_GUMBEL = _heibox("2e5662443a6b4307b470")
_SFLCKR = _heibox(
    "73487ab6e5314cb5adba", "configs%2F2020-11-09T13-31-51-project.yaml", "checkpoints%2Flast.ckpt"
)
_FACES = (
    "https://app.koofr.net/content/links/a04deec9-0c59-4673-8b37-3d696fe63a5d/files/get/last.ckpt"
    "?path=%2F2020-11-13T21-41-45_faceshq_transformer%2Fcheckpoints%2Flast.ckpt"
)
_IN_TAMING = "MIT (the code's; none is named for the weights)"

PUBLISHED = {
    each.name: each
    for each in (
        _published(
            "imagenet_f16_1024",
            (
                _IMAGENET_1024[0],
                _share("6ecf2af6c658432c8298"),
                f"{ELEIBER}/vqgan_imagenet_f16_1024.yaml",
                f"{MIRROR}/vqgan_imagenet_f16_1024.yaml",
            ),
            (
                _IMAGENET_1024[1],
                _share("140747ba53464f49b476"),
                f"{ELEIBER}/vqgan_imagenet_f16_1024.ckpt",
                f"{MIRROR}/vqgan_imagenet_f16_1024.ckpt",
            ),
            958,
            16,
            1024,
            "ImageNet; coarse and painterly",
            licence=_IN_TAMING,
        ),
        _published(
            "imagenet_f16_16384",
            (
                _IMAGENET_16384[0],
                _share("274fb24ed38341bfa753"),
                f"{MEHDIDC}/vqgan_imagenet_f16_16384.yaml",
                f"{MIRROR}/vqgan_imagenet_f16_16384.yaml",
            ),
            (
                _IMAGENET_16384[1],
                _share("867b05fc8c4841768640"),
                f"{MEHDIDC}/vqgan_imagenet_f16_16384.ckpt",
                f"{MIRROR}/vqgan_imagenet_f16_16384.ckpt",
            ),
            980,
            16,
            16384,
            "ImageNet; the usual choice",
            licence=_IN_TAMING,
        ),
        _published(
            "openimages_f16_8192",
            (_GUMBEL[0], _share("b24d14998a8d4f19a34f")),
            (_GUMBEL[1], _share("34a747d5765840b5a99d")),
            376,
            8,
            8192,
            "OpenImages, Gumbel quantizer; its factor is 8, whatever the name says",
            licence=_IN_TAMING,
        ),
        _published(
            "coco",
            ("https://dl.nmkd.de/ai/clip/coco/coco.yaml",),
            ("https://dl.nmkd.de/ai/clip/coco/coco.ckpt",),
            8400,
            16,
            8192,
            "COCO; the first stage of a transformer that draws scenes",
            licence=_IN_TAMING,
        ),
        _published(
            "faceshq",
            ("https://drive.google.com/uc?export=download&id=1fHwGx_hnBtC8nsq7hesJvs-Klv-P0gzT",),
            (_FACES,),
            None,
            16,
            1024,
            "faces; the first stage of a transformer",
            licence=_IN_TAMING,
        ),
        _published(
            "wikiart_1024",
            (
                f"{PIXRAY}/vqgan_wikiart_1024.yaml",
                f"{ELEIBER}/wikiart_1024.yaml",
                f"{MIRROR}/wikiart.yaml",
            ),
            (
                f"{PIXRAY}/vqgan_wikiart_1024.ckpt",
                f"{ELEIBER}/wikiart_1024.ckpt",
                f"{MIRROR}/wikiart.ckpt",
            ),
            958,
            16,
            1024,
            "paintings",
        ),
        _published(
            "wikiart_16384",
            (
                f"{PIXRAY}/vqgan_wikiart_16384.yaml",
                f"{OLD}/wikiart_f16_16384_8145600.yaml",
                f"{MIRROR}/wikiart_16384.yaml",
            ),
            (
                f"{PIXRAY}/vqgan_wikiart_16384.ckpt",
                f"{OLD}/wikiart_f16_16384_8145600.ckpt",
                f"{MIRROR}/wikiart_16384.ckpt",
            ),
            1000,
            16,
            16384,
            "paintings",
        ),
        _published(
            "sflckr",
            (_SFLCKR[0],),
            (_SFLCKR[1],),
            None,
            16,
            1024,
            "landscapes from Flickr; the first stage of a transformer",
            licence=_IN_TAMING,
        ),
        _published(
            "rudalle",
            (f"{RUDALLE}/vqgan.gumbelf8-sber.config.yml",),
            (f"{RUDALLE_WEIGHTS}/vqgan.gumbelf8-sber.model.ckpt",),
            None,
            8,
            8192,
            "ruDALL-E's codes, Gumbel quantizer",
            licence="Apache-2.0 (the code's; none is named for the weights)",
        ),
    )
}
