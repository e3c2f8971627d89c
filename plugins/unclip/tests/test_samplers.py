"""Samplers against diffusers' own loops, and by hand."""

import pytest
import torch
from pixforge_unclip.samplers.flow import FlowEuler
from pixforge_unclip.samplers.schedulers import FLOW, NOISE, Scheduled, flow_scheduler, noise_scheduler

import pixforge
from pixforge.errors import InputError

pixforge.install_torchvision_shim()
pytest.importorskip("diffusers")
pytestmark = pytest.mark.filterwarnings("ignore")  # of the library, about itself

CLEAN, GRAIN = torch.tensor([[[[2.0]]]]), torch.tensor([[[[-1.0]]]])
CONFIG = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "linear",
    "clip_sample": False,
}


def draws():
    return [torch.Generator().manual_seed(7)]


def walked(sampler, network, noisy):
    """All steps: the predictions and the end."""
    predicted = []
    for level in range(sampler.steps):
        clean, noisy = sampler.step(network, noisy, level, draws())
        predicted.append(clean)
    return predicted, noisy


def test_euler_walks_a_straight_way_exactly():
    sampler = FlowEuler(4, 0.5)
    assert [sampler.noise(level) for level in range(5)] == [0.5, 0.375, 0.25, 0.125, 0.0]
    assert sampler.signal(0) == 0.5
    assert sampler.signal(4) == 1
    predicted, end = walked(sampler, lambda x, time: GRAIN - CLEAN, 0.5 * CLEAN + 0.5 * GRAIN)
    for each in (*predicted, end):
        torch.testing.assert_close(each, CLEAN)


def schedulers(name):
    return (noise_scheduler(name, CONFIG), noise_scheduler(name, CONFIG))


@pytest.mark.parametrize("name", sorted(NOISE))
def test_a_scheduler_walks_as_in_diffusers(name):
    """The same network and noise through diffusers' usual loop."""
    mine, theirs = schedulers(name)
    start = torch.randn(1, 4, 3, 3, generator=torch.Generator().manual_seed(1))

    def network(x, time):
        return x.tanh() * (0.5 + time / 2000)

    theirs.set_timesteps(5)
    x = start * theirs.init_noise_sigma
    for time in theirs.timesteps:
        found = network(theirs.scale_model_input(x, time), float(time))
        more = {} if name == "unipc" else {"generator": draws()}
        x = theirs.step(found, time, x, **more).prev_sample
    sampler = Scheduled(mine, 5, 1.0)
    _, end = walked(sampler, network, start * theirs.init_noise_sigma)
    torch.testing.assert_close(end, x)


UNDERSTOOD = [(name, kind) for name in sorted(NOISE) for kind in ("epsilon", "v_prediction", "sample")]
UNDERSTOOD.remove(("euler_ancestral", "sample"))


def test_what_diffusers_cannot_do_is_refused():
    with pytest.raises(InputError, match="ddim can"):
        noise_scheduler("euler_ancestral", {**CONFIG, "prediction_type": "sample"})


@pytest.mark.parametrize(("name", "kind"), UNDERSTOOD)
def test_a_network_that_knows_is_understood(name, kind):
    """Told the true noise (or velocity, or picture), every prediction is the clean latent."""
    sampler = Scheduled(noise_scheduler(name, {**CONFIG, "prediction_type": kind}), 4, 0.5)
    level, noisy = 0, sampler.signal(0) * CLEAN + sampler.noise(0) * GRAIN

    def network(x, time):
        length = (sampler.signal(level) ** 2 + sampler.noise(level) ** 2) ** 0.5
        velocity = (sampler.signal(level) * GRAIN - sampler.noise(level) * CLEAN) / length
        return {"epsilon": GRAIN, "v_prediction": velocity, "sample": CLEAN}[kind]

    clean, after = sampler.step(network, noisy, 0, draws())
    torch.testing.assert_close(clean, CLEAN, atol=1e-3, rtol=1e-4)
    assert sampler.signal(4) == 1
    if name in {"ddim", "dpm", "unipc", "euler"}:  # no fresh noise: the way is known
        torch.testing.assert_close(
            after, sampler.signal(1) * CLEAN + sampler.noise(1) * GRAIN, atol=1e-3, rtol=1e-3
        )


@pytest.mark.parametrize("name", sorted(FLOW))
def test_flow_schedulers_agree_with_euler_on_a_straight_way(name):
    sampler = Scheduled(flow_scheduler(name), 4, 1.0)
    assert sampler.noise(0) > 0.99
    predicted, end = walked(
        sampler, lambda x, time: GRAIN - CLEAN, sampler.noise(0) * GRAIN + sampler.signal(0) * CLEAN
    )
    for each in (*predicted, end):
        torch.testing.assert_close(each, CLEAN, atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", ["ddpm", "dpm", "unipc", "euler_ancestral"])
def test_a_sampler_goes_on_from_a_checkpoint(name):
    def network(x, time):
        return x.tanh()

    worn, fresh = (Scheduled(each, 5, 0.8) for each in schedulers(name))
    noisy = torch.full((1, 4, 2, 2), 0.7)
    for level in range(3):
        _, noisy = worn.step(network, noisy, level, draws())
    state = {key: each.clone() for key, each in worn.state().items()}
    assert sum(each.numel() for each in state.values()) < 200  # what changes, not the tables
    fresh.load_state(state)
    ends = []
    for each in (worn, fresh):
        x = noisy.clone()
        for level in (3, 4):
            _, x = each.step(network, x, level, draws())
        ends.append(x)
    assert torch.equal(*ends)


def test_a_checkpoint_cannot_set_anything_else():
    with pytest.raises(ValueError, match="no scheduler remembers 'step'"):
        Scheduled(noise_scheduler("dpm", CONFIG), 5, 1.0).load_state({"step": torch.zeros(1)})
