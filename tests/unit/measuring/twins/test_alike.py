"""What twins may say where they are not alike in everything."""

from dataclasses import replace

from core.measuring.twins import Likeness

ALIKE = Likeness(greys=0.01, spectrum=0.05, noise=0.02, contrast=0.02, structure=0.01, measured=0.1)


def test_twins_with_other_specks_still_tell_the_share():
    specks = replace(ALIKE, measured=0.5, share=0.1)
    assert "what is measured in them" in specks.refusal
    assert specks.tells_only_share
    assert not ALIKE.tells_only_share


def test_twins_that_cover_another_share_or_look_otherwise_tell_nothing():
    for change in ({"share": 0.5}, {"spectrum": 0.9}, {"features": 0.8}):
        unlike = replace(ALIKE, **{"measured": 0.5, "share": 0.1, **change})
        assert unlike.refusal is not None
        assert not unlike.tells_only_share
