"""Settings of other programs as recipes; the texts are in the form that these programs read."""

import json
from pathlib import Path

import pytest
import yaml

from pixforge.cli.main import main
from pixforge.contracts.moment import Moment
from pixforge.errors import RecipeError
from pixforge.recipe import load_recipe
from pixforge.recipe.importing import convert

SKETCH = Path(__file__).parents[2] / "examples" / "sketch.png"
PIXRAY = """\
drawer: fft
prompts: "a red heart|blurry:-.5"
quality: better
aspect: square
filters: wallpaper
wallpaper_shift: True
custom_loss: smoothness:2,aesthetic
vector_prompts: textoff
seed: 7
output: x.png
"""
VQGAN = (
    'python generate.py -p "an apple in a bowl | psychedelic:0.5" -s 400 300 -i 1500 -cuts 20 -lr .2 -opt AdamP '
    "-aug Af Pe Hf -nps 5 -npw 0.1 -ckpt checkpoints/vqgan_imagenet_f16_1024.ckpt -zvid -zs 10"
)
PYTTI = """\
# @package _global_
scenes: a city | a river:2_left || a later scene
scene_suffix: '| text:-1:-.95'
steps_per_scene: 30
image_model: Limited Palette
palette_size: 5
lock_palette: true
pixel_size: 8
width: 40
height: 20
cutouts: 12
cut_pow: 1.5
ViTB16: true
ViTB32: false
translate_x: '-1700*sin(radians(1.5))'
seed: ${now:%f}
"""
DISCO = {
    "text_prompts": {"0": ["A lighthouse:2", "blurry:-1"], "100": ["A cat"]}, "steps": 250, "width": 320, "height": 192,
    "ViTB32": True, "RN50": False, "cut_overview": "[12]*400+[4]*600", "cut_innercut": "[4]*400+[12]*600",
    "cut_icgray_p": "[0.2]*400+[0]*600", "clip_guidance_scale": 5000, "sat_scale": 3, "seed": 5,
}  # fmt: skip
DISCOART = "text_prompts: [a lighthouse, yellow:2]\nwidth_height: [64, 32]\nclip_models: ['ViT-B-32::laion2b_s34b_b79k']\nn_batches: 4\n"


def recipe_of(text, tool=None):
    """The text of a recipe, and the recipe; it validates."""
    made = convert(text, "x", tool)
    return made, load_recipe(yaml.safe_load(made), check_files=False)


def said(recipe):
    return [(each.text, each.weight.value(Moment(0, 1))) for each in recipe.prompts if each.type == "text"]


def test_pixray():
    text, recipe = recipe_of(PIXRAY)
    assert text.startswith("# Imported from settings of pixray (x).\n")
    assert said(recipe) == [("a red heart", 1), ("blurry", -0.5)]
    assert (recipe.generator.type, recipe.size, recipe.steps, recipe.seed) == ("fourier", (432, 432), 300, 7)
    assert [each.model for each in recipe.perceptors] == ["RN50", "ViT-B-32", "ViT-B-16"]
    assert (recipe.cutouts.type, recipe.cutouts.count, recipe.filters[0].form) == ("pixray", 36, "shift")
    assert [(each.type, each.weight.value(Moment(0, 1))) for each in recipe.losses] == [("smoothness", 2)]
    for note in (
        "- custom_loss: aesthetic: ",
        "- vector_prompts: textoff: ",
        "- output: x.png: is about the program's own",
    ):
        assert f"# {note}" in text


def test_the_same_after_pixrays_command():
    text, recipe = recipe_of(
        "python pixray.py --drawer=pixel --prompts 'a cat' --pixel_size 40 40 --size 160 160 --quality draft"
    )
    assert (recipe.generator.type, recipe.generator.grid, recipe.size) == ("pixels", (40, 40), (160, 160))
    assert "Not translated" not in text


def test_strokes_of_pixray_are_those_of_the_plugin():
    made = yaml.safe_load(convert("pixray --drawer line_sketch --strokes 24 --prompts 'a cat'", "x"))
    assert (made["generator"], made["requires"]) == ({"type": "sketch", "count": 24}, ["pixforge-strokes"])


def test_vqgan_clip():
    text, recipe = recipe_of(VQGAN)
    assert said(recipe) == [("an apple in a bowl", 1), ("psychedelic", 0.5)]
    assert (recipe.prompts[2].noise, recipe.prompts[2].weight.value(Moment(0, 1))) == (5, 0.1)
    assert (recipe.generator.model, recipe.size, recipe.steps, recipe.cutouts.count) == (
        "imagenet_f16_1024",
        (400, 300),
        1500,
        20,
    )
    assert (recipe.optimizer.type, recipe.optimizer.learning_rate.value(Moment(0, 1))) == ("adamp", 0.2)
    assert [each.type for each in recipe.augmentations] == ["affine", "perspective", "noise"]
    assert (recipe.edits[0].type, recipe.edits[0].since) == ("camera", 10)
    assert "# - augments: Hf: see `pixforge plugins`" in text
    assert "pixforge models fetch imagenet_f16_1024" in text


def test_pytti():
    text, recipe = recipe_of(PYTTI)
    # the second scene has no weight yet at the start
    assert said(recipe) == [("a city", 1), ("a river", 2), ("text", -1), ("a later scene", 0), ("text", 0)]
    assert recipe.prompts[2].stop.value(Moment(0, 1)) == -0.95
    assert (recipe.size, recipe.generator.grid, recipe.steps) == ((320, 160), (40, 20), 60)
    made = recipe.generator
    assert (made.type, made.size, made.palettes, made.lock) == ("palette", 5, 9, True)
    assert (recipe.cutouts.type, recipe.cutouts.count, recipe.cutouts.power.value(Moment(0, 1))) == (
        "pytti",
        12,
        1.5,
    )
    assert [each.model for each in recipe.perceptors] == ["ViT-B-16"]
    assert "# - mask: left: " in text
    assert "# - translate_x: -1700*sin(radians(1.5)): " in text
    assert "# - seed: ${now:%f}: " in text


def test_image_labels_of_pixray():
    made, comments = made_of("image_labels: photo.png,b/*.png\nimage_label_weight: 0.5\nprompts: a\n")
    assert made["losses"] == [
        {"type": "latent", "distance": "spherical", "image": "photo.png", "weight": 0.5}
    ]
    assert "- image_labels: b/*.png: write its files as a list" in comments
    made, comments = made_of("image_labels: photo.png\ndrawer: pixel\nprompts: a\n")
    assert made["losses"] == []
    assert "- image_labels: photo.png: is for the latents of a VQGAN alone" in comments


def test_what_pytti_asks_of_its_palettes():
    plain = "scenes: a\nimage_model: Limited Palette\nsmoothing_weight: 0\nwidth: 40\nheight: 20\n"
    made, _ = made_of(plain)
    assert made["generator"] == {"type": "palette", "grid": [40, 20], "size": 6, "palettes": 9, "spread": 0}
    assert made["losses"] == [
        {"type": "palette_hdr", "weight": 0.01}, {"type": "palette_normalization", "weight": 0.2},
    ]  # fmt: skip
    more = "gamma: 1.5\nhdr_weight: 0\npalette_normalization_weight: 0.4\nrandom_initial_palette: true\n"
    made, _ = made_of(plain + more)
    assert made["generator"] == {"type": "palette", "grid": [40, 20], "size": 6, "palettes": 9, "gamma": 1.5}
    assert made["losses"] == [{"type": "palette_normalization", "weight": 0.4}]
    made, _ = made_of(plain + "lock_palette: true\npalettes: 1\n")
    assert made["losses"] == []  # there is nothing to move, and nothing to compare
    made, comments = made_of("scenes: a\nimage_model: Unlimited Palette\ngamma: 1.5\n")
    assert "- gamma: 1.5: belongs to pytti's Limited Palette" in comments


def test_disco():
    text, recipe = recipe_of(json.dumps(DISCO))
    assert said(recipe) == [("A lighthouse", 2), ("blurry", -1)]
    assert (recipe.size, recipe.steps, recipe.seed, recipe.cutouts.count) == ((320, 192), 250, 5, 16)
    assert recipe.cutouts.overview.values == (0.75, 0.25)
    assert [each.type for each in recipe.augmentations] == ["flip", "affine", "color", "noise"]
    assert [each.type for each in recipe.losses] == ["saturation"]
    assert "# - text_prompts[100]: [A cat]: " in text
    assert "# - clip_guidance_scale: 5000: belongs to diffusion" in text


def test_discoart():
    text, recipe = recipe_of(DISCOART)
    assert said(recipe) == [("a lighthouse", 1), ("yellow", 2)]
    assert (recipe.size, recipe.perceptors[0].pretrained) == ((64, 32), "laion2b_s34b_b79k")
    assert "# - n_batches: 4: run the recipe again" in text


def test_big_sleep_and_deep_daze():
    _, recipe = recipe_of(
        "dream 'a cat|sky:2' --text-min 'blur' --num-cutouts 60 --lr .05 --epochs 2 --iterations 100 --ema-decay .9"
    )
    assert said(recipe) == [("a cat", 1), ("sky", 2), ("blur", -1)]
    assert (recipe.steps, recipe.cutouts.count, recipe.generator.ema) == (200, 60, 0.9)
    made = yaml.safe_load(
        convert("imagine 'plates' --num-layers=32 --image-width 256 --epochs 5 --start-image-path a.png", "x")
    )
    assert made["generator"] == {"type": "siren", "layers": 32, "width": 256}
    assert made["init"] == {"type": "image", "image": "a.png"}
    assert [(each["similarity"], each["averaging"]) for each in made["perceptors"]] == [("cosine", 0.3)]
    assert (made["steps"], made["size"], made["requires"]) == (5250, [256, 256], ["pixforge-siren"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is neither settings with names nor a command line"),
        ("just words", "is neither settings with names nor a command line"),
        ("- a\n- b\n", "is neither settings"),
        ("{\"a\": ", "not valid JSON"),
        ("[" * 100_000, "x"),
        ("{\"a\": " + "[" * 100_000, "not valid JSON"),
        ("prompts: !!python/object/apply:os.system [ls]\n", "tags such as"),
        ("prompts: a\nprompts: b\n", "stands here twice"),
        ("wild: 1\n", "whose settings these are cannot be told; say it by --from"),
        ("a" * (2**20 + 1), "is larger than 1 MiB"),
    ],
)  # fmt: skip
def test_hostile_texts(text, message):
    with pytest.raises(RecipeError, match=message):
        convert(text, "x")


@pytest.mark.parametrize("tool", ["pixray", "vqgan-clip", "pytti", "disco", "big-sleep", "deep-daze"])
@pytest.mark.parametrize(
    "value",
    ["__import__('os').system('touch evil')", [1, {"a": []}], {"b": 1}, 1e999, -5, True, "\x1b[31m\n# x"],
)
def test_any_value_of_any_setting_gives_a_recipe(tool, value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {*yaml.safe_load(PIXRAY), *yaml.safe_load(PYTTI), *DISCO, "text", "size", "width_height", "image_prompts",
             "num_cuts", "iterations", "epochs", "num_layers", "clip_models", "init_image", "optimiser", "learning_rate",
             "pixel_size", "noise_prompt_seeds", "augments", "vqgan_model", "batch_size", "cut_ic_pow", "init_noise",
             "init_image_alpha", "palette", "edge_color", "edge_margins", "lookup_beta", "wallpaper_type", "wallpaper_edge_match",
             "learning_rate_drops", "animation_mode", "max_frames", "frames_skip_steps", "angle", "zoom", "make_zoom_video",
             "zoom_scale", "prompt_frequency", "overlay_image", "overlay_every", "target_palette", "smoothing_weight", "perlin_init", "cut_method", "auto_stop", "aspect"}  # fmt: skip
    text = convert(json.dumps(dict.fromkeys(sorted(names), value)), "x", tool)
    made = yaml.safe_load(text)
    assert made["prompts"]
    assert "\x1b" not in text.split("\nseed", maxsplit=1)[0].split("\nsize", maxsplit=1)[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["a\nplugins: [./x.py]\n#", "a\r\n\u2028plugins: [./x.py]\x85#", "text_prompts"]
)
def test_no_name_of_a_setting_or_file_ends_the_comment(name):
    text = convert(json.dumps({**DISCO, name: {"0": ["x"]}}), f"{name}.json")
    assert yaml.safe_load(text).keys() == yaml.safe_load(convert(json.dumps(DISCO), "x")).keys()
    comments = text[: text.index("\nseed: ")]
    assert all(line.startswith("#") for line in comments.splitlines())
    assert name == "text_prompts" or "plugins: [./x.py]" in comments


@pytest.mark.parametrize(
    ("command", "prompts"),
    [
        ("python generate.py -p 1984", [("1984", 1)]),
        ("python generate.py -p 007", [("007", 1)]),
        ("dream 1984", [("1984", 1)]),
        ('dream "x" --text_min="blurry:0.5"', [("x", 1), ("blurry", -0.5)]),
        ("dream x --text_min blurry", [("x", 1), ("blurry", -1)]),
        ("pixray --drawer fft --prompts 1984", [("1984", 1)]),
    ],
)
def test_prompts_that_are_numbers_or_have_weights(command, prompts):
    assert said(recipe_of(command)[1]) == prompts


def test_prompts_that_are_numbers_in_a_file():
    assert said(recipe_of("drawer: fft\nprompts: 1984\n")[1]) == [("1984", 1)]


def test_a_size_is_two_numbers_or_one():
    assert recipe_of("python generate.py -p a -s 256")[1].size == (256, 256)
    text, recipe = recipe_of("python generate.py -p a -s large")
    assert recipe.size == (512, 512)
    assert "# - size: large: is no width and height" in text


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pixray.yaml").write_text(PIXRAY)
    assert main(["import", "pixray.yaml", "-o", "mine.yaml"]) == 0
    assert capsys.readouterr().out == "mine.yaml\n"
    assert (tmp_path / "mine.yaml").read_text() == convert(PIXRAY, "pixray.yaml")
    assert main(["import", "pixray.yaml", "-o", "mine.yaml"]) != 0
    assert "is there already" in capsys.readouterr().err
    assert main(["import", "none.yaml"]) == 2
    assert "none.yaml: cannot be read (No such file or directory)" in capsys.readouterr().err
    assert main(["import", "pixray.yaml", "--from", "pixray"]) == 0
    assert capsys.readouterr().out.startswith("# Imported from settings of pixray (pixray.yaml).\n")


def test_wavelets_of_pixray():
    made = yaml.safe_load(
        text := convert("drawer: fft\nfft_use: dwt\nfft_wave: db4\nfft_sharp: 0.5\nprompts: a\n", "x")
    )
    assert made["generator"] == {"type": "wavelet", "wave": "db4", "sharp": 0.5}
    made = yaml.safe_load(text := convert("drawer: fft\nfft_use: dwt\nfft_wave: dmey\nprompts: a\n", "x"))
    assert made["generator"] == {"type": "wavelet"}
    assert "dmey: is none of pixforge's wavelets (haar, " in text


def made_of(text, tool=None):
    """The recipe as plain data, and its comments as one line."""
    text = convert(text, "x", tool)
    load_recipe(yaml.safe_load(text.replace("photo.png", str(SKETCH))), check_files=False)
    comments = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
    return yaml.safe_load(text), " ".join(comments)


AFFINE = {"type": "affine", "degrees": 15, "translate": 0.1, "zoom": 0, "shear": 5, "probability": 0.7}
PERSPECTIVE = {"type": "perspective", "distortion": 0.7, "probability": 0.7}
ERASING = {"type": "erasing", "probability": 0.7, "smallest": 0.1, "largest": 0.4}
NOISE = {"type": "noise", "amount": 0.1}


def test_augmentations_of_vqgan_clip_keep_its_numbers():
    made, comments = made_of("generate.py -p apple -aug Af Er Cr Ro Re Gn")
    assert made["cutouts"] == {"type": "pooled", "count": 32}
    assert made["augmentations"] == [
        AFFINE,
        ERASING,
        {"type": "affine", "degrees": 15, "translate": 0, "zoom": 0, "probability": 0.7},
        {"type": "crop", "scale": [0.1, 1], "ratio": 1.333, "probability": 0.5},
        {"type": "noise", "amount": 1},
        NOISE,
    ]
    assert "- augments: Cr: crops to the size that a cutout has already" in comments
    assert "- augments: Gn: half of the cutouts get the whole noise there" in comments
    made, comments = made_of("generate.py -p apple")
    jitter = {
        "type": "color",
        "brightness": 0.1,
        "contrast": 0.1,
        "saturation": 0.1,
        "hue": 0.1,
        "probability": 0.7,
    }
    assert made["augmentations"] == [AFFINE, PERSPECTIVE, jitter, ERASING, NOISE]
    assert "augments" not in comments


def test_cut_methods_of_vqgan_clip():
    made, comments = made_of("generate.py -p apple -s 448 448 -cutm original -cutp 2 -aug Af")
    assert made["cutouts"] == {"type": "random", "count": 32, "smallest": 0.5, "power": 2, "overview": 0}
    assert made["augmentations"] == []
    assert "- augments: [Af]: cut_method original has its own, there too" in comments
    made, _ = made_of("generate.py -p apple -s 100 100 -cutm nrupdated -aug Af Pe")
    assert made["cutouts"]["smallest"] == 1
    assert made["augmentations"] == [{**AFFINE, "degrees": 30}, {**PERSPECTIVE, "distortion": 0.5}, NOISE]
    made, comments = made_of("generate.py -p apple -cutm latest -cutp 2")
    assert "- cut_power: 2: cut_method latest shows the whole picture" in comments


@pytest.mark.parametrize(
    ("said", "init"),
    [
        ("", {"type": "pattern", "pattern": "fractal"}),
        ("init_noise: gradient", {"type": "pattern", "pattern": "gradient"}),
        ("init_noise: snow", {"type": "pattern", "pattern": "snow"}),
        ("init_noise: white", {"type": "pattern", "pattern": "plain"}),
        ("init_noise: none", {"type": "noise"}),
        ("init_noise: snow\ninit_image: photo.png", {"type": "image", "image": "photo.png"}),
        (
            "init_noise: snow\ninit_image: photo.png\ninit_image_alpha: 102",
            {"type": "image", "image": "photo.png", "opacity": 0.4, "under": "snow"},
        ),
    ],
)
def test_starts_of_pixray(said, init):
    assert made_of(f"drawer: vqgan\nprompts: a\n{said}\n")[0]["init"] == init


def test_auto_stop_of_pixray_first_lowers_the_learning_rate():
    made, comments = made_of("drawer: vqgan\nprompts: a\nauto_stop: true\n")
    assert made["stop"] == {"patience": 12, "drops": 1, "factor": 0.1}
    assert "- auto_stop: true: 12 steps are few" in comments
    assert "stop" not in made_of("drawer: vqgan\nprompts: a\nauto_stop: false\n")[0]


def test_losses_of_pixray_have_their_own_weights():
    made, comments = made_of(
        "drawer: fft\nprompts: a\nnum_cuts: 20\nsize: [200, 100]\npalette: black->red\\4;gold\n"
        "custom_loss: palette:2,saturation:3,symmetry,edge,smoothness,style\nsymmetry_weight: 4\n"
        "edge_color: navy\nedge_thickness: 10\nsmoothness_type: log\nsmoothness_gaussian_kernel: 5\n"
    )
    assert made["losses"] == [
        {"type": "palette", "weight": 4, "colors": "black->red\\4;gold"},
        {"type": "saturation", "weight": 0.3},
        {"type": "symmetry", "weight": 4},
        {"type": "edge", "weight": 0.1, "everywhere": 0.05, "color": "navy", "width": 0.1},
        {"type": "smoothness", "weight": 1, "clip": 2, "form": "log", "blur": 1},
    ]
    assert "- custom_loss: style: needs the picture of the style" in comments
    assert "palette" not in comments


def test_edges_of_pixray():
    made, comments = made_of(
        "drawer: fft\nprompts: a\ncustom_loss: edge:2\nedge_margins: [1, 2, 3, 4]\nedge_color_weight: 0.5\n"
        "global_color_weight: 0\nedge_mask_image: photo.png\nedge_color: blurple dust\n"
    )
    assert made["losses"] == [
        {
            "type": "edge",
            "weight": 1,
            "everywhere": 0,
            "margins": [0.01, 0.03, 0.02, 0.04],
            "mask": "photo.png",
        }
    ]
    assert "- edge_mask_image: photo.png: there the margin is black, here it is white" in comments
    assert "- edge_color: blurple dust: is no color" in comments


def test_filters_of_pixray():
    text = (
        "drawer: fft\nprompts: a\nsize: [200, 100]\nfilters: wallpaper,lookup,tiler\nwallpaper_type: shift\n"
    )
    made, _ = made_of(text + "wallpaper_edge_match: 10\npalette: navy;gold\nlookup_beta: 5\n")
    assert made["filters"] == [
        {"type": "rim", "width": 0.1, "form": "shift"},
        {"type": "wallpaper", "form": "shift"},
        {"type": "lookup", "colors": "navy;gold", "beta": 5},
        {"type": "roll"},
    ]
    made, comments = made_of(text)
    assert (len(made["filters"][1]["colors"]), made["filters"][1]["beta"]) == (15, 10)
    _, comments = made_of("drawer: fft\nprompts: a\npalette: navy\nwallpaper_type: shift\n")
    assert "- palette: navy: belongs to the loss palette and the filter lookup" in comments
    assert "- wallpaper_type: shift: belongs to a filter that is not used" in comments


def test_the_learning_rate_of_pixray_drops():
    made, _ = made_of("drawer: fft\nprompts: a\nlearning_rate: 0.2\nlearning_rate_drops: [50, 80%]\n")
    assert made["optimizer"]["learning_rate"] == {"0%": 0.2, "50%": 0.02, "80%": 0.002, "ease": "step"}
    _, comments = made_of("drawer: fft\nprompts: a\nlearning_rate_drops: [75]\n")
    assert "- learning_rate_drops: [75]: write optimizer.learning_rate with keyframes" in comments


def test_the_aspect_of_the_init_image():
    made, comments = made_of("drawer: vqgan\nprompts: a\naspect: retain\ninit_image: photo.png\nscale: 2\n")
    assert made["size"] == [288, 288]
    assert "- aspect: retain: run it with `pixforge run RECIPE --aspect retain`" in comments


def test_other_starts_are_patterns_too():
    assert made_of("generate.py -p a -in pixels")[0]["init"] == {"type": "pattern", "pattern": "snow"}
    assert made_of("generate.py -p a")[0]["init"] == {"type": "noise"}
    made, comments = made_of("generate.py -p a -in gradient -ii photo.png")
    assert made["init"] == {"type": "image", "image": "photo.png"}
    assert "- init_noise: gradient: the init image is the start" in comments
    made, _ = made_of("text_prompts: [a]\nperlin_init: true\nperlin_mode: gray\n")
    assert made["init"] == {"type": "pattern", "pattern": "perlin", "gray": True}
    made, comments = made_of("text_prompts: [a]\ninit_image: https://example.org/x.png\n")
    assert "init" not in made
    assert "- init_image: https://example.org/x.png: pixforge fetches no pictures" in comments
    assert "init" not in yaml.safe_load(convert("pixray --drawer clipdraw --prompts a", "x"))


def test_the_target_palette_of_pytti_gives_the_colors():
    made, comments = made_of(PYTTI + "target_palette: photo.png\npalettes: 3\n")
    assert made["generator"] == {
        "type": "palette", "grid": [40, 20], "colors": {"image": "photo.png", "count": 5}, "lock": True,
    }  # fmt: skip
    assert "- palettes: 3: `colors` are one palette: the main colors of target_palette" in comments
    made, comments = made_of(
        "scenes: a\nimage_model: VQGAN\npixel_size: 2\nwidth: 64\nheight: 32\ntarget_palette: photo.png\n"
    )
    assert made["size"] == [128, 64]
    assert (
        "- target_palette: photo.png: belongs to pytti's Limited Palette: write generator: {type: palette}"
        in comments
    )
    assert made["losses"] == [{"type": "total_variation", "weight": 0.04}]  # 0.02 times 256 / 128
    assert made["augmentations"] == [NOISE]


def test_uses_of_the_fft_drawer():
    assert made_of("drawer: fft\nfft_use: pixel\nprompts: a\n")[0]["generator"] == {
        "type": "pixels",
        "scale": 1,
    }
    _, comments = made_of("drawer: vqgan\nfft_use: dwt\nfft_wave: db4\nprompts: a\n")
    assert (
        "- fft_use: dwt: belongs to the drawer fft; here to the generators `fourier` and `wavelet`"
        in comments
    )
    assert "- fft_wave: db4: belongs to fft_use: dwt" in comments


def test_the_frames_of_a_style_film_have_a_counterpart():
    _, comments = made_of("generate.py -p a -vsd frames/")
    assert "- video_style_dir: frames/: write `film` and the edit `video`" in comments


def test_schedules_of_discoart_become_keyframes():
    made, comments = made_of(
        "text_prompts: [a]\ncut_overview: '[12]*100+[12]*300+[4]*600'\ncut_innercut: '[0]*250+[4]*750'\n"
        "cut_ic_pow: '[0]*500+[60]*500'\ncut_icgray_p: '[0.5]*500+[2]*500'\nskip_augs: true\n"
    )
    assert made["cutouts"] == {
        "type": "disco", "count": 16, "overview": {"0%": 1.0, "25%": 0.75, "40%": 0.5, "ease": "step"},
        "power": {"0%": 0.01, "50%": 60, "ease": "step"},
    }  # fmt: skip
    assert "- cut_overview: the number of cutouts changes there" in comments
    assert "- cut_icgray_p: '[0.5]*500+[2]*500': is no number or schedule from 0 to 1" in comments
    assert made["augmentations"] == []


def test_pictures_of_pytti_stand_in_brackets():
    made, _ = made_of('scenes: "[photo.png]:2:0.5 | fire || [photo.png]"\nsteps_per_scene: 100\n', "pytti")
    prompts = [each["prompts"] for each in made["scenes"]]
    assert prompts[0] == [{"image": "photo.png", "layout": True, "weight": 2.0, "stop": 0.5}, "fire"]
    assert prompts[1] == [{"image": "photo.png", "layout": True}]


def test_cells_of_pixray_keep_their_shape_and_scale():
    made, comments = made_of(
        "prompts: a\ndrawer: pixel\npixel_size: [30, 21]\npixel_type: hex\npixel_scale: 2\n"
    )
    assert made["generator"]["cells"] == "hexagon"
    assert made["generator"]["grid"] == [15, 10]
    assert "pixel" not in comments
    _, comments = made_of("prompts: a\ndrawer: pixel\npixel_type: round\n")
    assert "pixel_type: round: is none of rect," in comments


def test_schedules_of_discoart_come_by_name():
    text = '{"text_prompts": ["a"], "cut_schedules_group": "watercolor", "clip_models": ["ViT-B-32::openai"]}'
    made, _ = made_of(text, "disco")
    assert made["cutouts"]["gray"]["40%"] == 0
    assert made["cutouts"]["overview"]["0%"] == 0.875
