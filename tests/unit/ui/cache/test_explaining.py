"""What the Explain page asks for without being told to wait."""

from core.ui import cache


def test_methods_of_many_passes_are_slow_and_no_others() -> None:
    slow = set(cache.slow_methods())
    assert {"score-cam", "ablation-cam", "occlusion", "integrated-gradients"} <= slow
    assert {"rise", "fine"} <= slow, "RISE asks the network for minutes"
    assert not slow & {"grad-cam", "random", "brightness"}
