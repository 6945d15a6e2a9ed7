"""A sample of hostile weight files and cards, and the file that took 3.2 GB."""

from pathlib import Path

from tests.attack.models import attack
from tests.law import MOST_SECONDS, is_sentence

MODEL = Path(__file__).parents[2] / "models" / "em-morph5"


def test_hostile_models_are_read_or_refused_in_a_sentence() -> None:
    for kind, came, said, took in attack(60, 1, MODEL):
        assert came in ("read", "refused"), (kind, said)
        assert took < MOST_SECONDS, (kind, took)
        assert came == "read" or is_sentence(said), said
