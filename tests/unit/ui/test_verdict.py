"""One line made of all checks: the gravest doubt decides."""

import pytest

from core.learning.classifying.classification import Classification
from core.ui.classify.checks import Check, Weight
from core.ui.classify.verdict import judge
from core.ui.parts.say import Line

FINE = Check(True, Line("fine"))
UNLIKE = Check(False, Line("unlike it"), Line("Unlike."), Weight.GRAVE)
SHAKY = Check(False, Line("shaky"), Line("Shaky."))
UNKNOWN = Check(None, Line("nobody knows"), Line("Nobody knows."), Weight.GRAVE)
NO_SCALE = Check(None, Line("no scale"))


def answer(probability: float = 0.95, kept: tuple[str, ...] = ("a",), *, calibrated: bool = True):
    shares = {"a": probability, "b": 1 - probability}
    return Classification("a", shares, kept, 0.5, "model", calibrated)


def test_all_checks_speak_for_it():
    verdict = judge(answer(), [FINE, FINE, NO_SCALE])
    assert verdict.title == "Sure"
    assert "2 checks" in verdict.why


@pytest.mark.parametrize("checks", [[FINE, UNLIKE], [UNLIKE, SHAKY], [SHAKY, UNLIKE]])
def test_a_grave_doubt_decides(checks):
    verdict = judge(answer(), checks)
    assert (verdict.title, verdict.why) == ("Do not rely on it", "Unlike.")
    assert verdict.more == len([each for each in checks if each is SHAKY])


@pytest.mark.parametrize(
    ("said", "checks", "why"),
    [
        (answer(), [FINE, SHAKY], "Shaky."),
        (answer(), [UNKNOWN], "Nobody knows."),
        (answer(kept=("a", "b")), [FINE], "Several classes are possible."),
        (answer(calibrated=False), [FINE], "Its probabilities were never calibrated."),
        (answer(0.6), [FINE], "No class is clearly ahead."),
    ],
)
def test_what_is_doubtful_says_why(said, checks, why):
    verdict = judge(said, checks)
    assert (verdict.title, verdict.why) == ("Doubtful", why)


def test_a_grave_doubt_is_never_hidden_by_others():
    verdict = judge(answer(0.4, ("a", "b"), calibrated=False), [SHAKY, UNKNOWN, UNLIKE])
    assert verdict.title == "Do not rely on it"
