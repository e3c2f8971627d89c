"""Films of other programs as `film`, `scenes` and the edit `camera`; numbers are worked out by hand."""

import pytest
import yaml

from pixforge.recipe import load_recipe
from pixforge.recipe.importing import convert
from pixforge.recipe.importing.formulas import FormulaError, compute, read_formula

SCENES = """\
scenes: a rose:2 | petals || a sea || a forest
scene_suffix: ' | text:-1'
image_model: Unlimited Palette
width: 50
height: 30
steps_per_scene: 120
interpolation_steps: 40
save_every: 10
frames_per_second: 10
"""
MOVING = """\
animation_mode: 2D
steps_per_frame: 10
pre_animation_steps: 20
translate_x: 4
translate_y: '1+2*t'
rotate_2d: '3'
zoom_x_2d: '5'
zoom_y_2d: 3
infill_mode: smear
"""


def made_of(text, tool=None):
    """The recipe as plain data, its comments as one line, and the recipe itself."""
    text = convert(text, "x", tool)
    comments = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
    return (
        yaml.safe_load(text),
        " ".join(comments),
        load_recipe(yaml.safe_load(text), check_files=False),
    )


def test_scenes_of_pytti_without_a_camera():
    made, _, recipe = made_of(SCENES)
    assert made["film"] == {"fps": 10, "steps_per_frame": 10, "first_frame_steps": 10}
    # 120 steps are 12 frames of 10 steps, which are 1.2 seconds; 40 steps are .4 seconds
    away = {"text": "text", "weight": -1}
    assert made["scenes"] == [
        {"seconds": 1.2, "prompts": [{"text": "a rose", "weight": 2}, "petals", away]},
        {"seconds": 1.2, "fade": 0.4, "prompts": ["a sea", away]},
        {"seconds": 1.2, "fade": 0.4, "prompts": ["a forest", away]},
    ]
    assert "edits" not in made
    assert recipe.steps == 360


def test_the_camera_of_pytti():
    made, comments, recipe = made_of(SCENES + MOVING)
    assert made["film"] == {"fps": 10, "steps_per_frame": 10, "first_frame_steps": 20}
    assert [each["seconds"] for each in made["scenes"]] == [1.1, 1.2, 1.2]
    assert recipe.steps == 360
    # 4 of 50 pixels to the right; up by 1 + 2 t of 30 pixels, the last time after frame 33, which is second 3.3;
    # pytti turns against the clock; 5 of 50 and 3 of 30 pixels of zoom are a factor of 1 / (1 - .1)
    assert made["edits"] == [
        {
            "type": "camera", "per": "frame", "pan_x": 0.08, "pan_y": {"20": -0.0333333, "350": -0.253333},
            "rotate": -3, "zoom": 1.11111, "infill": "border",
        }
    ]  # fmt: skip
    assert made["optimizer"]["reset"] == "frame"
    assert "Not translated" not in comments


def test_one_scene_of_pytti_moves_too():
    made, _, recipe = made_of("scenes: a rose\nwidth: 50\nheight: 30\nsteps_per_scene: 120\n" + MOVING)
    assert made["prompts"] == ["a rose"]
    assert "scenes" not in made
    assert (recipe.steps, made["edits"][0]["type"]) == (120, "camera")


def test_what_a_camera_cannot_follow_is_named():
    made, comments, _ = made_of(
        SCENES + "animation_mode: 2D\ntranslate_x: 10*fLo\ntranslate_y: '40'\nrotate_2d: __import__('os')\n"
        "zoom_x_2d: 60\nzoom_y_2d: 1\ninfill_mode: odd\n"
    )
    assert "edits" not in made
    assert "- translate_x: 10*fLo: has fLo in it, which is not known here" in comments
    assert "- translate_y: '40': takes camera.pan_y out of -0.5 to 0.5 from one frame to the next" in comments
    assert "- rotate_2d: __import__('os'): is more than a formula" in comments
    assert "- zoom_x_2d: 60: is as large as the picture" in comments
    assert "- infill_mode: odd: is none of mirror, wrap, smear, black" in comments


def test_depth_of_pytti_is_a_plane():
    deep = "animation_mode: 3D\nfield_of_view: 90\nnear_plane: 0\nfar_plane: 400\ntranslate_z_3d: 20\ntranslate_x: 10\n"
    made, comments, _ = made_of(SCENES + deep)
    # the plane lies at 100, and the tangent of half the field of view is 1: 1 + 20 * 30 / (2 * 100 * 80)
    assert made["edits"][0]["zoom"] == 1.0375
    assert "pan_x" not in made["edits"][0]
    assert "- lock_camera: 'true': takes away the pan" in comments
    made, _, _ = made_of(SCENES + deep + "lock_camera: false\n")
    assert made["edits"][0]["pan_x"] == 0.03  # 10 / (2 * 100), times 30 / 50


def test_a_swing_becomes_keyframes():
    made, _, recipe = made_of(SCENES + MOVING.replace("'1+2*t'", "-6*sin(t*pi)"))
    pan = made["edits"][0]["pan_y"]
    assert 5 < len(pan) < 64
    assert pan["20"] == 0
    steps = sorted(map(int, pan))
    near = min(steps, key=lambda step: abs(step - 70))  # second .5: 6 of 30 pixels down
    assert (abs(near - 70) <= 10, pan[str(near)]) == (True, pytest.approx(0.2, abs=0.01))
    assert recipe.edits[0].pan_y.values


def test_the_video_and_the_sound_of_pytti(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("ball.mp4", "song.wav", "a.png"):
        (tmp_path / name).touch()
    source = "animation_mode: Video Source\nvideo_path: ball.mp4\nframe_stride: 2\ninput_audio: song.wav\ninput_audio_offset: 3\n"
    made, comments, _ = made_of(SCENES + source)
    assert made["edits"] == [{"type": "video", "video": "ball.mp4", "stride": 2, "blend": 0}]
    assert made["init"] == {"type": "video", "video": "ball.mp4"}
    assert made["exporters"] == ["still", {"type": "film", "sound": "song.wav"}]
    assert "- input_audio_offset: 3: the sound begins with the film" in comments
    made, comments, _ = made_of(
        SCENES + source + "reencode_each_frame: false\ninit_image: a.png\nflow_long_term_samples: 2\n"
    )
    assert (made["edits"][0]["blend"], made["init"]["type"]) == (1, "image")
    assert "- flow_long_term_samples: here the flow goes from one frame to the next" in comments


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2),
        (3, 3),
        ("-1.5e1", -15),
        ("1+2*t", 7),
        ("2**3-t/3", 7),
        ("sin(radians(90))", 1),
        ("-abs(-t)", -3),
    ],
)
def test_formulas(text, value):
    assert compute(read_formula(text), {"t": 3}) == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    [
        "", "1+", "x", "t.real", "t[0]", "'a'", "True", "1j", "(lambda: 1)()", "__import__('os')", "exp(1000)", "9**9**9**9",
        "1/0", "sqrt(-1)", "(-8)**.5", "sin(1, 2)", "sin(*[1])", "[1]", "1 if t else 2",
        "1" * 400, "-" * 250 + "1" + "!", "t := 3", "\0", None, True, [1],
    ],
)  # fmt: skip
def test_hostile_formulas(text):
    with pytest.raises(FormulaError):
        compute(read_formula(text), {"t": 3})


ZOOM = "python generate.py -p 'a rose | petals:.5 ^ a sea' -s 48 32 -i 90 -zvid -zse 5 -zsx 3 -zsy -2 "


def test_a_story_of_vqgan_clip_in_a_zoom():
    made, _, recipe = made_of(ZOOM + "-cpe 30 -zsc 1.05 -zs 20")
    # a frame is 5 iterations, a part of the story 30: 6 frames, at the fewest frames per second that it has
    assert made["film"] == {"fps": 10, "steps_per_frame": 5, "first_frame_steps": 5}
    rose = ["a rose", {"text": "petals", "weight": 0.5}]
    assert made["scenes"] == [{"seconds": 0.6, "prompts": each} for each in (rose, ["a sea"], rose)]
    assert made["edits"] == [
        {"type": "camera", "per": "frame", "since": 20, "zoom": 1.05, "pan_x": 0.0625, "pan_y": -0.0625, "infill": "wrap"}
    ]  # fmt: skip
    assert (recipe.steps, made["optimizer"]["reset"]) == (90, "frame")


def test_the_usual_zoom_of_vqgan_clip_shrinks_into_black():
    made, comments, recipe = made_of(ZOOM + "-vl 1")
    assert (made["film"]["fps"], recipe.steps) == (18, 90)  # 18 frames in a second
    assert made["prompts"] == ["a rose", {"text": "petals", "weight": 0.5}]
    assert (made["edits"][0]["zoom"], made["edits"][0]["color"]) == (0.99, "black")
    assert "- prompts: a sea: without change_prompt_every they never come there" in comments
    assert "- zoom_shift_x: 3: what leaves comes back at the other side there" in comments
    made, comments, _ = made_of(ZOOM + "-zs 90 -ifps 15 -ofps 60")
    assert "edits" not in made
    assert "- zoom_start: 90: is after the last iteration" in comments
    assert (made["film"]["fps"], made["exporters"]) == (15, ["still", {"type": "film", "interpolate": 4}])


def test_a_story_of_vqgan_clip_without_a_zoom():
    made, _, recipe = made_of("python generate.py -p 'a ^ b' -cpe 100 -i 250 -s 48 32")
    assert [each["prompts"] for each in made["scenes"]] == [["a"], ["b"], ["a"]]
    assert "edits" not in made
    assert recipe.steps == 250


DISCO = {
    "text_prompts": {"0": ["a rose"], "8": ["a sea:2"], "90": ["never"]}, "animation_mode": "2D", "max_frames": 24,
    "steps": 20, "frames_skip_steps": "80%", "width_height": [48, 32], "angle": "0: (0), 12: (8)",
    "translation_x": "0: (2)", "translation_y": 0, "translation_z": "0: (10.0)",
}  # fmt: skip


def test_the_animation_of_disco():
    made, comments, recipe = made_of(yaml.safe_dump(DISCO))
    # 20 steps for the first frame, a fifth of them for each of the 23 others
    assert made["film"] == {"fps": 12, "steps_per_frame": 4, "first_frame_steps": 20}
    assert made["scenes"] == [
        {"seconds": 0.666667, "prompts": ["a rose"]},
        {"seconds": 1.33333, "prompts": [{"text": "a sea", "weight": 2}]},
    ]
    assert recipe.steps == 20 + 23 * 4
    # frame 10 comes of the move after frame 9, which is done after 20 + 9 * 4 steps; frame 12 after 64
    assert made["edits"] == [
        {
            "type": "camera", "per": "frame", "pan_x": 0.0416667, "rotate": {"16": 0, "64": -8},
            "zoom": {"16": 1, "56": 1.05}, "infill": "wrap",
        }
    ]  # fmt: skip
    assert "Not translated" not in comments


def test_keyframes_of_disco_that_are_none():
    bad = {
        "angle": "0: (sin(x))",
        "zoom": "0: (9)",
        "translation_x": "0: (1), rest",
        "translation_y": "0: (t)",
    }
    made, comments, _ = made_of(yaml.safe_dump(DISCO | bad))
    assert "edits" not in made
    for name in ("angle", "translation_x", "translation_y"):
        assert f"- {name}: '{bad[name]}': is no number and no keyframes" in comments
    assert "- zoom: '0: (9)': takes camera.zoom out of 0.25 to 4" in comments


def test_space_of_disco_is_named():
    made, comments, _ = made_of(yaml.safe_dump(DISCO | {"animation_mode": "3D"}))
    assert ("edits" not in made, len(made["scenes"])) == (True, 2)
    assert "- animation_mode: 3D: the frames and their prompts are taken" in comments
    made, comments, _ = made_of(yaml.safe_dump(DISCO | {"animation_mode": "None"}))
    assert ("film" not in made, made["prompts"], made["steps"]) == (True, ["a rose"], 20)
    assert "- text_prompts[8]: ['a sea:2']: without an animation_mode this frame never comes" in comments


def test_the_overlay_of_pixray(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.png").touch()
    made, comments, _ = made_of(
        "overlay_image: x.png\noverlay_every: 20\noverlay_until: 50%\noverlay_alpha: 51\noverlay_offset: 5\n"
        "iterations: 200\nprompts: a\ndrawer: pixel\nanimation_dir: frames\n"
    )
    assert made["edits"] == [{"type": "overlay", "image": "x.png", "every": 20, "opacity": 0.2, "until": 100}]
    assert "- overlay_offset: 5: it comes after every 20 steps here" in comments
    assert "- animation_dir: frames: makes a picture of each file" in comments
    _, comments, _ = made_of("overlay_image: x.png\noverlay_every: often\nprompts: a\ndrawer: pixel\n")
    assert "- overlay_every: often: is neither iterations such as 20 nor a share" in comments
