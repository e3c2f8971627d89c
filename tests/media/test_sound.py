"""Sounds: read from files, followed by a curve, and heard in a film."""

import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

import pixforge
from pixforge.builtin.curves.audio import AudioConfig, AudioCurve, followed, loudness
from pixforge.contracts.moment import Moment
from pixforge.errors import RecipeError
from pixforge.media.ffmpeg import ffmpeg
from pixforge.media.sound import SoundError, read_sound

FILM = {
    "film": {"fps": 10, "steps_per_frame": 1, "first_frame_steps": 1},
    "prompts": ["red"],
    "plugins": ["fake.py"],
    "perceptors": ["fake"],
    "seed": 1,
    "size": 32,
    "steps": 10,
    "generator": "pixels",
    "init": "noise",
    "augmentations": [],
    "losses": [],
    "cutouts": {"count": 2},
}


def tone(hertz, seconds=1.0, rate=8000):
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def save(path, samples, rate=8000, width=2, channels=1):
    full = 2 ** (8 * width - 1)
    whole = np.clip(np.round(samples * full), -full, full - 1).astype("<i4")
    if width == 1:
        data = (whole + 128).astype(np.uint8).tobytes()
    else:
        data = whole.reshape(-1, 1).view(np.uint8).reshape(-1, 4)[:, :width].tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_wav_of_every_width_and_the_mean_of_two_channels(tmp_path, width):
    left, right = tone(100), np.zeros(8000)
    save(tmp_path / "a.wav", np.stack([left, right], 1).reshape(-1), width=width, channels=2)
    samples, rate = read_sound(tmp_path / "a.wav")
    assert rate == 8000
    assert np.abs(samples - left / 2).max() < 1 / 2 ** (8 * width - 2) + 1e-6


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.ogg", "a.m4a", "a.aiff", "a.webm", "float.wav"])
def test_other_formats_through_ffmpeg(tmp_path, name):
    save(tmp_path / "in.wav", 0.5 * tone(440))
    codec = ["-c:a", "pcm_f32le"] if name == "float.wav" else []
    subprocess.run([ffmpeg(), "-v", "error", "-i", tmp_path / "in.wav", *codec, tmp_path / name], check=True)
    samples, rate = read_sound(tmp_path / name)
    middle = samples[len(samples) // 4 : len(samples) // 2]
    assert len(samples) / rate == pytest.approx(1, abs=0.1)
    assert np.sqrt((middle**2).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


def test_loudness_is_that_of_the_band():
    samples = (0.5 * tone(100, rate=44100) + 0.1 * tone(1000, rate=44100)).astype(np.float32)
    middle = [loudness(samples, 44100, band)[50] for band in [(20, 200), (200, 2000), (5000, 9000)]]
    assert middle == pytest.approx([0.5 / 2**0.5, 0.1 / 2**0.5, 0], abs=1e-4)


def test_it_rises_with_the_attack_and_falls_with_the_release():
    assert followed([1.0, 1.0, 0.0], 0, 0) == [1, 1, 0]
    line = followed([1.0] * 100 + [0.0] * 100, 0.1, 0.5)
    assert line[9] == pytest.approx(1 - np.exp(-1))  # a tenth of a second
    assert line[149] == pytest.approx(line[99] * np.exp(-1))  # half a second


def test_the_curve_is_high_while_the_sound_is_loud(tmp_path):
    save(tmp_path / "a.wav", np.concatenate([np.zeros(8000), tone(100), 0.5 * tone(100)]))
    curve = AudioCurve(AudioConfig(audio="a.wav", band="bass", release=0, low=1, high=3), tmp_path)
    seconds = [0.5, 1.5, 2.5, 3.5]
    found = [curve.at(Moment(second * 20, 100, fps=10, steps_per_frame=2)) for second in seconds]
    assert found == pytest.approx([1, 3, 2, 1], abs=0.01)
    assert curve.bounds() == (1, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no sound that can be read"),
        (b"hello", "no sound that can be read"),
        (b"RIFF\0\0\0\0WAVEfmt ", "has no sound"),
        (b"ID3" + b"\0" * 200, "has no sound"),
        (b"OggS" + b"\0" * 200, "has no sound"),
        (None, "is silent from 20 to 20000 Hz"),
    ],
)
def test_a_file_without_sound_is_one_line(tmp_path, content, message):
    if content is None:
        save(tmp_path / "a.wav", np.zeros(800))
    else:
        (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(RecipeError) as caught:
        pixforge.load_recipe(
            {
                "prompts": ["a"],
                "losses": [{"type": "smoothness", "weight": {"audio": str(tmp_path / "a.wav")}}],
            }
        )
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_sound_that_is_too_long_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("pixforge.media.sound.MAX_SECONDS", 1)
    save(tmp_path / "a.wav", tone(100, 2))
    with pytest.raises(SoundError, match="longer than"):
        read_sound(tmp_path / "a.wav")


@pytest.mark.parametrize("format_", ["mp4", "webm"])
@pytest.mark.parametrize(("seconds", "line"), [(0.5, "0.5 s are silent"), (2.0, "1.0 s are not heard")])
def test_the_sound_of_a_film_is_as_long_as_the_film(fake, caplog, format_, seconds, line):
    save("s.wav", 0.5 * tone(440, seconds))
    recipe = pixforge.load_recipe(
        {**FILM, "exporters": [{"type": "film", "format": format_, "sound": "s.wav"}]}
    )
    pixforge.render(recipe, "out")
    assert line in caplog.text
    samples, rate = read_sound(f"out/film.{format_}")
    assert len(samples) / rate == pytest.approx(1, abs=0.06)
    early, late = (
        np.abs(samples[round(a * rate) : round(b * rate)]).max() for a, b in [(0.1, 0.4), (0.6, 0.69)]
    )
    assert early > 0.4
    assert (late > 0.4) == (seconds > 1)
    assert "s.wav" in recipe.files


def test_what_has_no_sound_says_so(fake):
    save("s.wav", tone(440))
    with pytest.raises(RecipeError, match="gif has no sound"):
        pixforge.load_recipe({**FILM, "exporters": [{"type": "film", "format": "gif", "sound": "s.wav"}]})


@pytest.fixture
def fake(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("fake.py").write_text("from pixforge.testing import pixforge_perceptors\n")
