"""What was found about one map: every measure beside its baselines, and in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.learning.trust.agreement import Agreement
from core.learning.trust.randomisation import Cascade
from core.learning.trust.response import Response
from core.learning.trust.stability import Stability

OVERLAY_ALARM = 0.10
TOP_SHARE = 0.1
LEAST = 0.01  # a smaller difference of probability or area is none
_UNSURE = 0.1  # below this probability there is little to take away
_AGREEING = 0.5  # mean rank correlation
MAP, SOBEL, RANDOM = "map", "sobel", "random"
BRIGHTNESS, CONTRAST = "brightness", "distance from the mean grey"
RANDOM_CONTRAST = "random × distance from the mean grey"
GREYS = (BRIGHTNESS, CONTRAST, RANDOM_CONTRAST)


@dataclass(frozen=True, slots=True, eq=False)
class TrustCard:
    """What was found about one map.

    Attributes
    ----------
    method, target, layer : str
        Of the explanation.
    responses : dict of str to Response
        What taking pixels away does to the class's probability: by this "map", by "sobel" edges,
        by maps of the grey levels alone (`GREYS`).
    random : tuple of Response
        The same by random maps of the same resolution and amount of heat; each draw and its
        negative count.
    cascade : Cascade or None
        None where the method runs the network too often for a fast card.
    agreement : Agreement
        Between the methods of one pass and the baselines, at the same layer.
    stability : Stability or None
    overlay_share : float or None
        Share of the evidence on info bar, scale bar and letters, 0–1; None when not asked for.
    thorough : bool
    """

    method: str
    target: str
    layer: str
    responses: dict[str, Response]
    random: tuple[Response, ...]
    cascade: Cascade | None
    agreement: Agreement
    stability: Stability | None
    overlay_share: float | None
    thorough: bool

    @property
    def map(self) -> Response:
        """The response to the map itself."""
        return self.responses[MAP]

    @property
    def beats_chance(self) -> bool:
        """Whether insertion less deletion is clearly larger than for every random map."""
        return self.map.gain - max(response.gain for response in self.random) >= LEAST

    @property
    def beats_edges(self) -> bool:
        """Whether insertion less deletion is clearly larger than for the micrograph's edges."""
        return self.map.gain - self.responses[SOBEL].gain >= LEAST

    @property
    def beats_brightness(self) -> bool:
        """Whether it is clearly larger, too, than for grey levels alone, bright or unlike the mean.

        A map that multiplies by the input wins much of what it wins by that factor.
        """
        known = [response.gain for response in self.greys.values()]
        return not known or self.map.gain - max(known) >= LEAST

    @property
    def greys(self) -> dict[str, Response]:
        """The responses to maps of the grey levels alone, those that were asked for."""
        return {name: self.responses[name] for name in GREYS if name in self.responses}

    def to_frame(self) -> pd.DataFrame:
        """Return every measure beside its baselines, one row each.

        Columns: measure, better ("higher" or "lower"), map, random (mean), sobel, and for both
        baselines the difference and whether the map beats it, by at least 0.01; a random baseline
        is beaten when every random map is. Then each map of grey levels alone, and whether all of
        these are beaten.
        """
        rows = [self._row(name, better, read) for name, better, read in self._measures()]
        return pd.DataFrame(rows)

    def _measures(self) -> list[tuple[str, str, Callable[[Response], float]]]:
        fills = tuple(self.map.deletion)
        return [
            *((f"deletion AUC ({f})", "lower", _reader("deletion_auc", f)) for f in fills),
            *((f"insertion AUC ({f})", "higher", _reader("insertion_auc", f)) for f in fills),
            ("ROAD", "higher", lambda response: response.road),
            ("average drop", "lower", lambda response: response.drop),
            ("increase", "higher", lambda response: float(response.increase)),
        ]

    def _row(self, name: str, better: str, read: Callable[[Response], float]) -> dict[str, Any]:
        sign = 1 if better == "higher" else -1
        own, edges = read(self.map), read(self.responses[SOBEL])
        chance = [read(response) for response in self.random]
        greys = {name: read(response) for name, response in self.greys.items()}
        return {
            "measure": name,
            "better": better,
            "map": own,
            "random": float(np.mean(chance)),
            "sobel": edges,
            "less random": own - float(np.mean(chance)),
            "less sobel": own - edges,
            "beats random": all(sign * (own - value) >= LEAST for value in chance),
            "beats sobel": sign * (own - edges) >= LEAST,
            **greys,
            "beats greys": all(sign * (own - value) >= LEAST for value in greys.values()),
        }

    def sentences(self, class_title: str) -> tuple[str, ...]:
        """Return what was found, in words, the most important first."""
        found = [self._about_deletion(class_title)]
        if self.map.full < _UNSURE:
            found.append(
                f"The network gives {class_title} only {self.map.full:.2f}: there is little to "
                "take away, and deletion says little here."
            )
        found += [self._about_edges(), self._about_methods()]
        if self.cascade is not None:
            found.append(self._about_weights())
        if self.stability is not None:
            kept = "stays where it is" if self.stability.is_stable else "moves"
            found.append(
                f"Under small shifts and noise the map {kept} (rank correlation "
                f"{self.stability.mean:.2f} on average, {self.stability.worst:.2f} at worst)."
            )
        if self.overlay_share is not None and self.overlay_share > OVERLAY_ALARM:
            found.append(
                f"Careful: {100 * self.overlay_share:.0f} % of the evidence lies on the info bar, "
                "scale bar or letters."
            )
        return tuple(found)

    def _about_deletion(self, class_title: str) -> str:
        after = self.map.after_deletion(TOP_SHARE)
        chance = float(np.mean([r.after_deletion(TOP_SHARE) for r in self.random]))
        verdict = "better" if self.beats_chance else "no better"
        return (
            f"This map explains the decision {verdict} than chance: deleting its top "
            f"{100 * TOP_SHARE:.0f} % takes the probability of {class_title} from "
            f"{self.map.full:.2f} to {after:.2f}; random deletion: {chance:.2f}."
        )

    def _about_edges(self) -> str:
        than = "more" if self.beats_edges else "no more"
        edges = self.responses[SOBEL].gain
        said = (
            f"It says {than} than plain edges: insertion less deletion is {self.map.gain:+.2f}, "
            f"for Sobel edges {edges:+.2f}."
        )
        known = {name: response.gain for name, response in self.greys.items()}
        if not known:
            return said
        best = max(known, key=lambda name: known[name])
        more = "More, too, than" if self.beats_brightness else "But no more than"
        return f"{said} {more} grey levels alone ({best}: {known[best]:+.2f})."

    def _about_methods(self) -> str:
        others = self.agreement.independent_of(self.method)
        if not others:
            return "No other method gives a map of its own to compare it with."
        mean = float(np.mean(list(others.values())))
        verb = "agree" if mean >= _AGREEING else "agree little"
        return (
            f"Other methods {verb} with it (rank correlation {mean:.2f} on average, "
            f"{min(others.values()):.2f} to {max(others.values()):.2f})."
        )

    def _about_weights(self) -> str:
        assert self.cascade is not None
        left = self.cascade.final
        if self.cascade.passes:
            return (
                "It depends on what the network learnt: with all weights random, little of the "
                f"map is left (rank correlation {left:.2f})."
            )
        return (
            "Careful: with all weights random the map looks much the same (rank correlation "
            f"{left:.2f}); it may show the picture rather than the network."
        )


def _reader(name: str, fill: str) -> Callable[[Response], float]:
    return lambda response: float(getattr(response, name)(fill))
