"""A page with a viewer to paint on, which writes down what the strokes paint."""

import json

import numpy as np
import streamlit as st

from core.measuring.by_hand import paint
from core.micrograph import Micrograph
from core.ui.parts import viewer

SHAPE = (400, 600)

frame = Micrograph("plain.tif", np.full(SHAPE, 90, np.uint8), None, {}, "p" * 64)
state = viewer.viewer(
    frame, key="painting", tools=viewer.PAINTING, phases=("matrix", "carbide"), alt="plain"
)
painted = paint(state.shapes, SHAPE)
found = {}
for phase in np.unique(painted[painted > 0]).tolist():
    rows, cols = np.nonzero(painted == phase)
    found[phase] = [rows.size, *map(int, (rows.min(), cols.min(), rows.max(), cols.max()))]
kinds = [[shape.kind, shape.phase, len(shape.points)] for shape in state.shapes]
st.code(json.dumps({"painted": found, "shapes": kinds}))
