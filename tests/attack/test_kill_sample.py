"""Two moments of `tests.attack.kill`: the report elsewhere, and inside its input."""

from tests.attack.kill import run


def test_a_killed_batch_goes_on_to_the_same_bytes(tmp_path):
    trials = list(run(tmp_path, moments=2, seed=1, longest_s=0.3))
    assert trials == [("", []), (".", [])]
