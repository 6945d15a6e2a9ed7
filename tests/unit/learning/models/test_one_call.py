"""A network asked in one call gives the very numbers of one that is asked step by step."""

from __future__ import annotations

import pytest
import torch

from core.learning.models import one_call
from core.learning.models.networks import NETWORKS, build_network
from core.learning.models.one_call import OneCall


def _made(name: str, **options: object) -> torch.nn.Module:
    torch.manual_seed(1)
    network = build_network(name, 3, options).eval().requires_grad_(False)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -1, 1)  # type: ignore[arg-type]
            torch.nn.init.uniform_(module.running_var, 0.5, 2)  # type: ignore[arg-type]
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -1, 1)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("fine", [False, True])
@pytest.mark.parametrize("shape", [(64, 64), (65, 97), (131, 40), (33, 66)])
def test_efficientnet_lite0(shape: tuple[int, int], fine: bool, both: bool) -> None:
    network = _made("efficientnet_lite0", fine=fine, both=both)
    x = torch.randn(2, 1, *shape)
    asked = OneCall(network)
    with torch.no_grad():
        right = torch.cat([network.features(frame) for frame in x.chunk(2)])  # type: ignore[operator]
    assert torch.equal(asked(x), right)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_other_network(name: str) -> None:
    network = _made(name)
    asked = OneCall(network)
    for seed in range(5):  # the first ones step by step
        x = torch.randn(1, 1, 96, 128, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            right = network.features(x)  # type: ignore[operator]
        assert torch.equal(asked(x), right)
    assert asked._made is not None


def test_torch_scripts_the_networks_of_our_own() -> None:
    assert isinstance(one_call.script(one_call.answer_each), torch.jit.ScriptFunction)
    chain = torch.nn.Sequential(*(block for _, block in _made("emnet").blocks()))  # type: ignore[operator]
    assert isinstance(one_call.script(chain), torch.jit.ScriptModule)


def test_what_torch_cannot_script_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.jit, "script", lambda made: 1 / 0)
    one_call._answer_each.cache_clear()
    try:
        for name in ("emnet", "efficientnet_lite0"):
            network, x = _made(name), torch.randn(1, 1, 64, 64)
            asked = OneCall(network)
            with torch.no_grad():
                right = network.features(x)  # type: ignore[operator]
            for _ in range(4):
                assert torch.equal(asked(x), right)
    finally:
        one_call._answer_each.cache_clear()


def test_who_asks_first_leaves_nothing_that_others_cannot_use() -> None:
    asked, x = OneCall(_made("efficientnet_lite0")), torch.randn(1, 1, 64, 64)
    with torch.inference_mode():
        first = asked(x)
    later = asked(x)
    assert torch.equal(first, later)
    assert not later.is_inference()
    later.requires_grad_().sum().backward()  # type: ignore[no-untyped-call]
