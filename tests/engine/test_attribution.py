"""Every failure of a plugin in a run names the component, its file and line, in one line."""

import pytest

import pixforge

HEAD = '''
from typing import Literal
import torch
import pixforge

class BadConfig(pixforge.{kind}Config):
    type: Literal["bad"] = "bad"

class Bad(pixforge.{kind}[BadConfig]):
    """Bad."""
    def forward(self, {arguments}):
        {body}

@pixforge.hookimpl
def pixforge_{plural}():
    return [Bad]
'''
LOSS = {"kind": "Loss", "plural": "losses", "arguments": "view"}
FILTER = {"kind": "Filter", "plural": "filters", "arguments": "images, draws, step"}
EDIT = {"kind": "Edit", "plural": "edits", "arguments": "images, step"}
CASES = [
    (LOSS, "return view.image.mean()", "loss 'bad' of bad.py:11: forward must return [1], not []"),
    (LOSS, "return 1.0", "loss 'bad' of bad.py:11: forward must return a tensor [1], not a float"),
    (LOSS, "return None", "loss 'bad' of bad.py:11: forward must return a tensor [1], not None"),
    (LOSS, "return view.image.detach().numpy()", "must return a tensor [1], not a ndarray"),
    (LOSS, "return view.image.detach().mean((1, 2, 3))", "bad.py:11: forward returns values without gradient"),
    (LOSS, "return (view.image.mean((1, 2, 3)) * 0).sqrt()", "step 1: loss 'bad' of bad.py:11: the gradient of 'bad' is not finite"),
    (LOSS, "return view.image.mean((1, 2, 3)) if view.step < 2 else {}[3]", "loss 'bad' of bad.py:12: in step 3: KeyError: 3"),
    (LOSS, "raise SystemExit", "loss 'bad' of bad.py:12: in step 1: SystemExit"),
    (LOSS, "raise StopIteration('over')", "loss 'bad' of bad.py:12: in step 1: StopIteration: over"),
    (FILTER, "return None", "filter 'bad' of bad.py:11: forward must return a tensor [1, 3, any, any], not None"),
    (FILTER, "return torch.cat([images, images[:, :1]], 1)", "must return [1, 3, any, any], not [1, 4, 32, 32]"),
    (FILTER, "return images * 4", "filter 'bad' of bad.py:11: forward returns values from"),
    (EDIT, "return images[:, :, 1:]", "edit 'bad' of bad.py:11: forward must return [1, 3, 32, 32], not [1, 3, 31, 32]"),
    (EDIT, "return images.no_such()", "edit 'bad' of bad.py:12: in step 2: AttributeError"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "body", "message"), CASES, ids=[f"{each[0]['kind']}-{each[1]}" for each in CASES]
)
def test_the_message_names_component_file_and_line(kind, body, message, tmp_path):
    file = tmp_path / "bad.py"
    file.write_text(HEAD.replace("{body}", body).replace("{arguments}", kind["arguments"])
                    .replace("{kind}", kind["kind"]).replace("{plural}", kind["plural"]))  # fmt: skip
    recipe = {
        "prompts": ["red"], "size": 32, "steps": 4, "generator": "pixels", "init": "noise", "exporters": ["still"], "cutouts": {"type": "random", "count": 2},
        "plugins": [str(file)], kind["plural"]: [{"type": "bad"}],
    }  # fmt: skip
    with pytest.raises(pixforge.PixforgeError) as caught:
        pixforge.render(pixforge.load_recipe(recipe), tmp_path / "out")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert '"failed"' in (tmp_path / "out" / "run.json").read_text()


def test_an_init_that_forgets_its_base_is_named(tmp_path):
    file = tmp_path / "bad.py"
    text = HEAD.format(**LOSS, body="return view.image.mean((1, 2, 3))")
    file.write_text(
        text.replace("    def forward", "    def __init__(self, config, context): pass\n    def forward")
    )
    recipe = {"prompts": ["red"], "size": 32, "init": "noise", "plugins": [str(file)], "losses": ["bad"]}
    with pytest.raises(
        pixforge.PixforgeError, match=r"loss 'bad' of plugin 'bad'.*Bad.__init__ must call super\(\)"
    ):
        pixforge.render(pixforge.load_recipe(recipe), tmp_path / "out")
