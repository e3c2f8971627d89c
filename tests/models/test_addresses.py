"""Redirects from outside never lead to this machine or its network, however the address is spelled."""

import io
import urllib.request
from email.message import Message

import pytest
import torch

from pixforge.models.addresses import FailedError, Redirects
from pixforge.models.convert import convert
from pixforge.recipe.requirements import _unmet


def redirect(host: str):
    request = urllib.request.Request("https://93.184.216.34/model.ckpt")
    return Redirects(hashed=True).redirect_request(
        request, io.BytesIO(), 302, "Found", Message(), f"https://{host}/model.ckpt"
    )


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "localhost", "localhost.", "LOCALHOST", "a.localhost", "10.0.0.1",
     "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "100.64.0.1"],
)  # fmt: skip
def test_a_redirect_to_this_machine_is_refused(host):
    with pytest.raises(FailedError, match="this machine"):
        redirect(host)


def test_a_redirect_to_another_public_server_is_followed():
    assert redirect("8.8.8.8").full_url == "https://8.8.8.8/model.ckpt"


def test_a_requirement_with_an_address_is_not_offered_as_a_command():
    text = _unmet("evil @ https://example.org/evil.zip")
    assert "pip install" not in text
    assert "by hand" in text


def test_a_converted_file_has_the_permissions_of_any_new_file(tmp_path):
    torch.save({"weight": torch.ones(2)}, tmp_path / "model.ckpt")
    (tmp_path / "other").touch()
    made = convert(tmp_path / "model.ckpt").file
    assert made.stat().st_mode == (tmp_path / "other").stat().st_mode
