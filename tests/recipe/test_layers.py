"""`extends`, `include`, presets, aspects and a user's own defaults."""

from pathlib import Path

import pytest
import yaml
from PIL import ExifTags, Image

import pixforge
from pixforge.cli.main import main
from pixforge.errors import RecipeError
from pixforge.recipe import load_recipe
from pixforge.recipe.aspects import sized
from pixforge.recipe.importing import convert
from pixforge.recipe.layers import QUALITIES, VIEWS, defaults_file


def test_later_ones_win_and_the_recipe_over_all(write):
    write(
        "steps: 7\nlosses: [range]\ncutouts: {count: 3}\ngenerator: {type: pixels, scale: 0.5}\n", "one.yaml"
    )
    write("cutouts: {count: 4}\nlosses: [saturation]\ngenerator: {scale: 0.25}\n", "two.json.yaml")
    recipe = load_recipe(
        write("extends: [draft, one.yaml, two.json.yaml]\nprompts: [a]\ncutouts: {type: random}\n")
    )
    assert (recipe.steps, recipe.size, recipe.cutouts.count) == (7, (128, 128), 4)
    assert [each.type for each in recipe.losses] == ["saturation"]
    assert (recipe.generator.type, recipe.generator.scale) == ("pixels", 0.25)


def test_another_type_drops_the_fields_of_the_old_one(write):
    write("generator: {type: pixels, scale: 0.5}\n", "one.yaml")
    recipe = load_recipe(write("extends: one.yaml\nprompts: [a]\ngenerator: {type: fourier}\n"))
    assert recipe.generator.type == "fourier"


def test_the_resolved_recipe_says_what_it_was_made_of_and_stands_alone(write, tmp_path):
    write("steps: 7\n", "one.yaml")
    recipe = load_recipe(write("extends: [draft, one.yaml]\nprompts: [a]\n"))
    text = recipe.resolved_yaml()
    assert "based_on: [preset draft, one.yaml]" in text
    assert "extends" not in text
    (tmp_path / "one.yaml").unlink()
    assert load_recipe(write(text, "again.yaml")).resolved_yaml() == text


def test_lists_of_what_is_included_come_first(write):
    write("prompts: [x, y]\nlosses: [range]\nsteps: 9\n", "part.yaml")
    recipe = load_recipe(write("include: part.yaml\nprompts: [a]\nsteps: 3\n"))
    assert [each.text for each in recipe.prompts] == ["x", "y", "a"]
    assert ([each.type for each in recipe.losses], recipe.steps) == (["range"], 3)


def test_folders_of_models_move_with_the_file_that_names_them(write, tmp_path, complaint):
    (tmp_path / "lib" / "clip").mkdir(parents=True)
    write("perceptors: [{type: open_clip, model: 'local-dir:clip'}]\n", "lib/m.yaml")
    assert "lib/clip/open_clip_config.json" in complaint("extends: lib/m.yaml\nprompts: [a]\n")
    (tmp_path / "logs").mkdir()
    for name in ("./logs", "../logs"):
        write(f"generator: {{type: vqgan, model: {name}}}\n", "lib/m.yaml")
        (tmp_path / "lib" / "logs").mkdir(exist_ok=True)
        found = complaint("extends: lib/m.yaml\nprompts: [a]\n")
        assert ("lib/logs has no configs" in found) == (name == "./logs")
        assert "logs has no configs" in found


def test_hashes_of_files_move_with_their_names(write, tmp_path, complaint):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "mask.png").write_bytes(b"x")
    write(f"prompts: [{{image: mask.png}}]\nfiles: {{mask.png: '{'0a' * 32}'}}\n", "lib/h.yaml")
    found = complaint("extends: lib/h.yaml\n")
    assert "lib/mask.png is not the file that the recipe was made with (SHA-256 0a0a0a0a0a0a...)" in found
    recipe = load_recipe("recipe.yaml", check_files=False)
    assert (recipe.prompts[0].image, recipe.files) == ("lib/mask.png", {"lib/mask.png": "0a" * 32})


def test_texts_that_are_called_like_a_file_stay(write, tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "cat.png").write_bytes(b"x")
    write("scenes: [cat.png]\n", "lib/s.yaml")
    assert load_recipe(write("extends: lib/s.yaml\n")).prompts[0].text == "cat.png"
    write("scenes: {story: [cat.png], fade: 0}\n", "lib/s.yaml")
    assert load_recipe("recipe.yaml").prompts[0].text == "cat.png"
    write("prompts: [{travel: [cat.png, x]}]\n", "lib/s.yaml")
    assert load_recipe("recipe.yaml").prompts[0].travel == ["cat.png", "x"]


@pytest.mark.parametrize("part", ["x", "[x]", "{text: x}", "{text: x, weight: 1}"])
@pytest.mark.parametrize("own", ["a", "[a]", "{text: a}"])
def test_a_single_prompt_counts_as_a_list_of_one(part, own, write):
    write(f"prompts: {part}\n", "part.yaml")
    recipe = load_recipe(write(f"include: part.yaml\nprompts: {own}\n"))
    assert [each.text for each in recipe.prompts] == ["x", "a"]


def test_parts_come_in_the_order_in_which_they_are_named_and_later_ones_win(write):
    write("filters: [grayscale]\nsteps: 8\nsize: 32\n", "one.yaml")
    write("filters: [posterize]\nsteps: 9\nsize: 64\n", "two.yaml")
    text = "include: [one.yaml, two.yaml]\nfilters: [sharpen]\nsize: 96\n"
    write(text, "both.yaml")
    for recipe in (
        load_recipe(write(f"{text}prompts: a\n")),
        load_recipe(write("include: both.yaml\nprompts: a\n")),
    ):
        assert [each.type for each in recipe.filters] == ["grayscale", "posterize", "sharpen"]
        assert (recipe.steps, recipe.size) == (9, (96, 96))
    assert load_recipe("recipe.yaml").based_on == ["one.yaml", "two.yaml", "both.yaml"]


def test_a_prompt_replaces_the_one_below(write):
    write("prompts: {text: x, weight: 2}\n", "base.yaml")
    (prompt,) = load_recipe(write("extends: base.yaml\nprompts: {text: a}\n")).prompts
    assert (prompt.text, prompt.weight.constant) == ("a", 1)
    write("prompts: x\n", "base.yaml")
    assert [each.text for each in load_recipe("recipe.yaml").prompts] == ["a"]


def test_a_plugin_may_be_named_by_a_part_and_by_the_recipe(write, complaint):
    write(PLUGIN, "mine.py")
    write("plugins: [./mine.py]\n", "part.yaml")
    recipe = load_recipe(write("include: part.yaml\nplugins: [./mine.py]\nprompts: [a]\nlosses: [mine]\n"))
    assert recipe.plugins == ["./mine.py"]
    found = complaint("include: part.yaml\nplugins:\n- ./mine.py\n- none.py\nprompts: [a]\n")
    assert found.startswith("recipe.yaml:4: plugins[1]: ")


def test_each_of_joined_plugins_is_told_where_it_stands(write, complaint):
    write(PLUGIN, "mine.py")
    write("plugins: [./mine.py, none.py]\n", "base.yaml")
    write("extends: base.yaml\nplugins: [./mine.py, third.py]\n", "middle.yaml")
    found = complaint("extends: middle.yaml\nprompts: [a]\nplugins:\n- ./mine.py\n- other.py\n").splitlines()
    assert [line.split(": ")[0] for line in found] == ["base.yaml:1", "middle.yaml:2", "recipe.yaml:5"]
    assert ["none.py" in found[0], "third.py" in found[1], "other.py" in found[2]] == [True] * 3


@pytest.mark.parametrize("own", ["{opacity: 0.5}", "{type: image, opacity: 0.5}"])
def test_a_mapping_is_laid_over_the_short_form_of_a_start_picture(own, write, tmp_path):
    (tmp_path / "styles").mkdir()
    Image.new("RGB", (16, 16)).save(tmp_path / "styles" / "photo.PNG")
    (tmp_path / "styles" / "base.yaml").write_text("init: photo.PNG\ngenerator: pixels\n")
    init = load_recipe(write(f"extends: styles/base.yaml\nprompts: [a]\ninit: {own}\n")).init
    assert (init.type, init.image, init.opacity) == ("image", "styles/photo.PNG", 0.5)


def test_the_steps_of_what_lies_below_mean_recipes_without_scenes(write, tmp_path):
    defaults = tmp_path / "defaults.yaml"
    defaults.write_text("steps: 100\n")
    (tmp_path / "base.toml").write_text("steps = 100\n")
    story = (
        "film: {fps: 10, steps_per_frame: 2, first_frame_steps: 6}\nscenes: [{seconds: 1, prompts: [a]}]\n"
    )
    steps = load_recipe(write(story)).steps
    assert steps == 6 + 9 * 2
    assert load_recipe("recipe.yaml", presets=["draft"]).steps == steps
    assert load_recipe("recipe.yaml", defaults=defaults).steps == steps
    for name in ("draft", "[base.toml, better]"):
        assert load_recipe(write(f"extends: {name}\n{story}")).steps == steps
    with pytest.raises(RecipeError, match=r"^override steps.*the scenes say how many"):
        load_recipe("recipe.yaml", {"steps": 50})
    write(f"{story}steps: 50\n")
    for presets in ([], ["draft"]):
        with pytest.raises(RecipeError, match=r"steps: the scenes say how many"):
            load_recipe("recipe.yaml", presets=presets)


def test_paths_are_relative_to_the_file_that_names_them(write, tmp_path):
    folder = tmp_path / "styles"
    folder.mkdir()
    (folder / "photo.png").write_bytes(b"x")
    (folder / "house.yaml").write_text("prompts: [{image: photo.png}, photo.png]\nextends: more.yaml\n")
    (folder / "more.yaml").write_text("plugins: [mine.py]\nlosses: [mine]\n")
    (folder / "mine.py").write_text(PLUGIN)
    recipe = load_recipe(write("extends: styles/house.yaml\n"))
    assert (recipe.prompts[0].image, recipe.prompts[1].text) == ("styles/photo.png", "photo.png")
    assert recipe.plugins == ["styles/mine.py"]
    assert recipe.losses[0].type == "mine"
    with pytest.raises(RecipeError, match="may not name other files"):
        load_recipe("recipe.yaml", trust="none")


PLUGIN = '''
from typing import Literal
from pixforge import Loss, LossConfig, hookimpl
class MineConfig(LossConfig):
    """Nothing."""
    type: Literal["mine"] = "mine"
class Mine(Loss[MineConfig]):
    """Zero."""
    def forward(self, view):
        return 0 * view.image.mean(dim=(1, 2, 3))
@hookimpl
def pixforge_losses():
    return [Mine]
'''


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.yaml": "extends: a.yaml\n"}, "'a.yaml' leads in a circle back to itself"),
        (
            {"a.yaml": "extends: b.yaml\n", "b.yaml": "include: recipe.yaml\n"},
            "'recipe.yaml' leads in a circle",
        ),
        ({}, "a.yaml: there is no such file"),
        ({"a.yaml": "- x\n"}, "a recipe is a mapping"),
        (
            {f"{name}.yaml": f"extends: {chr(ord(name) + 1)}.yaml\n" for name in "abcdefghijk"},
            "at most 30 files",
        ),
    ],
)
def test_what_leads_nowhere_is_refused(files, message, complaint, write):
    for name, text in files.items():
        write(text, name)
    found = complaint("prompts: [a]\nextends: a.yaml\n")
    assert found.startswith("recipe.yaml:2: extends[0]: ")
    assert message in found


@pytest.mark.parametrize("name", ["drft", "image.png", "/etc/passwd", "7", "[]x"])
def test_only_presets_and_recipes_are_extended(name, complaint):
    assert "is neither a preset nor a file" in complaint(f"prompts: [a]\nextends: ['{name}']\n")
    assert "is the name of a preset" in complaint("prompts: [a]\nextends: [7]\n")


def test_mistakes_are_told_where_they_stand(write, complaint):
    write("steps: 3\nlosses:\n  - {type: range, wieght: 2}\n", "one.yaml")
    assert complaint("prompts: [a]\nextends: one.yaml\n").startswith("one.yaml:3: losses[0].wieght: ")
    assert complaint("include: one.yaml\nprompts: [a]\nlosses:\n  - x\n  - saturation\n").startswith(
        "one.yaml:3: "
    )


@pytest.mark.parametrize("name", QUALITIES)
def test_presets_are_recipes(name):
    recipe = load_recipe({"prompts": ["a"], "steps": 1}, presets=[name])
    assert recipe.steps > 1
    assert recipe.based_on == [f"preset {name}"]
    if name == "normal":
        plain = load_recipe({"prompts": ["a"], "seed": recipe.seed})
        assert (plain.size, plain.steps, plain.cutouts) == (recipe.size, recipe.steps, recipe.cutouts)


def test_every_file_is_a_preset_that_is_told_of():
    folder = Path(pixforge.recipe.__file__).parent / "presets"
    assert sorted(path.stem for path in folder.iterdir()) == sorted([*QUALITIES, *VIEWS])
    page = (Path(__file__).parents[2] / "docs" / "recipe.md").read_text("utf-8")
    assert all(f"`{name}`" in page for name in [*QUALITIES, *VIEWS])


@pytest.mark.parametrize("name", VIEWS)
def test_views_make_pictures(name, write):
    """One step with a perceptor of 16 pixels that sees colors; the picture becomes redder."""
    fields = {
        "prompts": ["red"], "seed": 5, "size": 32, "steps": 4, "generator": "pixels", "init": "noise", "losses": [],
        "perceptors": ["fake"], "extends": name, "cutouts": {"count": 4}, "optimizer": {"learning_rate": 0.3},
    }  # fmt: skip
    plugin = write("from pixforge.testing import pixforge_perceptors\n", "fake.py")
    recipe = load_recipe({**fields, "plugins": [str(plugin)]})
    assert recipe.based_on == [f"preset {name}"]
    assert recipe.cutouts.count == 4
    first, *_, last = [report.losses["prompt"] for report in pixforge.optimize(recipe)]
    assert last < first


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ("generate.py -p a", "vqgan-clip"),
        ("pixray --prompts a", "pixray"),
        ("scenes: a\nsteps_per_scene: 9\ncutouts: 40\n", "pytti"),
        ("text_prompts: [a]\n", "disco"),
    ],
)
def test_views_are_what_import_writes(settings, name):
    made = yaml.safe_load(convert(settings, "x"))
    own = load_recipe({"prompts": ["a"], "extends": name})
    other = load_recipe({"prompts": ["a"], **{key: made[key] for key in ("cutouts", "augmentations")}})
    assert (own.cutouts, own.augmentations) == (other.cutouts, other.augmentations)


SCHEDULES = {
    "watercolor": (
        "[14]*200+[12]*200+[4]*400+[0]*200", "[2]*200+[4]*200+[12]*400+[12]*200",
        "[12]*300+[12]*100+[12]*50+[12]*50+[10]*100+[10]*100+[10]*300",
        "[0.7]*100+[0.6]*100+[0.45]*100+[0.3]*100+[0]*600",
    ),
    "pad_or_pulp": (
        "[15]*100+[15]*100+[12]*100+[12]*100+[6]*100+[4]*100+[2]*200+[0]*200",
        "[1]*100+[1]*100+[4]*100+[4]*100+[8]*100+[8]*100+[10]*200+[10]*200",
        "[12]*300+[12]*100+[12]*50+[12]*50+[10]*100+[10]*100+[10]*300",
        "[0.87]*100+[0.78]*50+[0.73]*50+[0.64]*60+[0.56]*40+[0.50]*50+[0.33]*100+[0.19]*150+[0]*400",
    ),
    "han_fav": (
        "[8]*200+[6]*200+[4]*200+[0]*200+[0]*200", "[0]*200+[2]*200+[4]*200+[6]*200+[10]*200",
        "[0]*200+[10]*200+[10]*200+[60]*200+[80]*200", "[0.5]*100+[0.4]*100+[0.2]*100+[0.1]*100+[0]*600",
    ),
}  # fmt: skip
"""discoart's cut_overview, cut_innercut, cut_ic_pow and cut_icgray_p."""


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_of_discoart_are_views(name):
    names = ("cut_overview", "cut_innercut", "cut_ic_pow", "cut_icgray_p")
    text = yaml.safe_dump({"text_prompts": ["a"], **dict(zip(names, SCHEDULES[name], strict=True))})
    made = yaml.safe_load(convert(text, "x"))
    own = load_recipe({"prompts": ["a"], "extends": ["disco", name]})
    assert own.cutouts == load_recipe({"prompts": ["a"], "cutouts": made["cutouts"]}).cutouts
    assert [each.type for each in own.augmentations] == ["flip", "affine", "color", "noise"]


def test_a_quality_after_a_view_changes_the_count_alone():
    recipe = load_recipe({"prompts": ["a"], "extends": ["vqgan-clip", "draft"]})
    assert (recipe.cutouts.type, recipe.cutouts.count, recipe.size) == ("pooled", 8, (128, 128))
    recipe = load_recipe({"prompts": ["a"], "extends": "vqgan-clip", "augmentations": []})
    assert (recipe.cutouts.type, recipe.augmentations) == ("pooled", [])
    recipe = load_recipe({"prompts": ["a"], "cutouts": {"type": "disco"}}, presets=["vqgan-clip", "draft"])
    assert (recipe.cutouts.type, recipe.cutouts.count) == ("pooled", 32)


@pytest.mark.parametrize(
    ("aspect", "scale", "size"),
    [
        ("widescreen", None, (336, 192)),
        ("square", 2, (512, 512)),
        (None, 0.5, (128, 128)),
        ("9:16", None, (192, 336)),
        ("portrait", 1.5, (336, 432)),
    ],
)
def test_aspects_keep_the_area(aspect, scale, size):
    assert sized((256, 256), aspect, scale) == size
    assert load_recipe({"prompts": ["a"]}, aspect=aspect, scale=scale).size == size


def test_a_size_of_nothing_is_no_default():
    with pytest.raises(RecipeError, match="width and height go from 16 to 8192 pixels"):
        load_recipe({"prompts": ["a"], "size": 0}, scale=2)


@pytest.fixture
def photo(tmp_path):
    """A start picture of 90 x 60 pixels that its EXIF data turn upright, to 60 x 90."""
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (90, 60), "red").save(path, exif=exif)
    return path


@pytest.mark.parametrize(
    ("fields", "options", "size"),
    [
        ({}, {"aspect": "retain"}, (208, 320)),  # 256 * sqrt(2 / 3) and 256 * sqrt(3 / 2)
        ({"size": 96}, {"aspect": "retain", "scale": 2}, (160, 240)),
        ({"size": "retain"}, {}, (64, 96)),
        ({"size": "retain"}, {"scale": 0.5}, (32, 48)),
        ({"size": "retain"}, {"aspect": "square"}, (80, 80)),
        ({}, {"overrides": {"size": "retain"}, "scale": 3}, (176, 272)),
        ({}, {"overrides": {"size": 64}, "aspect": "retain"}, (64, 64)),
    ],
)
def test_the_size_of_the_start_picture(fields, options, size, photo):
    recipe = {
        "prompts": ["a"],
        "generator": "pixels",
        "init": {"type": "image", "image": str(photo)},
        **fields,
    }
    assert load_recipe(recipe, **options).size == size
    assert load_recipe({**recipe, "init": str(photo)}, **options).size == size  # the short form


def test_an_override_may_name_the_start_picture(photo):
    start = {"init.type": "image", "init.image": str(photo), "generator": "pixels"}
    assert load_recipe({"prompts": ["a"], "size": 96}, start, aspect="retain").size == (80, 112)


def test_without_a_start_picture_no_size_is_retained(write, complaint):
    assert "recipe.yaml:2: size: retain is the size of the start picture" in complaint(
        "prompts: [a]\nsize: retain\n"
    )
    assert "retain is the size of the start picture" in complaint("prompts: [a]\n", aspect="retain")
    write("no picture", "x.png")
    init = "prompts: [a]\ninit: {type: image, image: x.png}\n"
    assert "x.png: is not a picture" in complaint(init, aspect="retain")


@pytest.mark.parametrize(
    ("aspect", "scale", "message"),
    [("wide", None, "an aspect is a word, a ratio"), ("0:1", None, "an aspect"), (None, 0, "above 0"),
     (None, float("nan"), "above 0"), (None, 100, "25600x25600 pixels .--scale 100.: sides go from 16 to 8192"),
     (None, 1e9, "at most 8192"), ("1:1000", None, "size: 8x8095 pixels: sides go from 16")],
)  # fmt: skip
def test_wrong_aspects(aspect, scale, message):
    with pytest.raises(RecipeError, match=message):
        sized((256, 256), aspect, scale)


def test_a_users_own_defaults_lie_under_all(write, tmp_path, monkeypatch, capsys):
    (tmp_path / "pixforge").mkdir()
    own = tmp_path / "pixforge" / "defaults.yaml"
    own.write_text("steps: 5\nlosses: [range]\n")
    monkeypatch.delenv("PIXFORGE_DEFAULTS", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert defaults_file() == own
    recipe = load_recipe(write("prompts: [a]\nlosses: [saturation]\n"), defaults=defaults_file())
    assert (recipe.steps, recipe.losses[0].type, recipe.based_on) == (5, "saturation", [str(own)])
    assert load_recipe("recipe.yaml").steps == 60
    monkeypatch.setenv("PIXFORGE_DEFAULTS", "")
    assert defaults_file() is None
    own.write_text("prompts: [x]\n")
    monkeypatch.setenv("PIXFORGE_DEFAULTS", str(own))
    assert main(["check", "recipe.yaml"]) == 2
    assert "prompts: is not for defaults" in capsys.readouterr().err


def test_a_users_defaults_reach_into_what_the_recipe_says(write, tmp_path):
    own = tmp_path / "defaults.yaml"
    own.write_text("cutouts: {count: 48}\n")
    recipe = load_recipe(write("prompts: [a]\ncutouts: {overview: 0.25}\n"), defaults=own)
    assert (recipe.cutouts.count, recipe.cutouts.overview.constant) == (48, 0.25)
    assert recipe.based_on == [str(own)]
    recipe = load_recipe(write("prompts: [a]\ncutouts: {count: 8}\n"), defaults=own)
    assert (recipe.cutouts.count, recipe.based_on) == (8, [])
