"""What others ask of torch while it is being imported, in a process of its own."""

import subprocess
import sys

_ASK = """
import sys, threading
from scipy.special import logsumexp
from core.ui.page.half_imported import answer_from_the_beginning
answer_from_the_beginning()
answer_from_the_beginning()
assert sum(type(each).__name__ == "_Finder" for each in sys.meta_path) == 1
importing = threading.Thread(target=__import__, args=("torch",))
importing.start()
asked = 0
while importing.is_alive():
    logsumexp([1.0, 2.0])
    asked += 1
import torch
assert asked > 3, asked
assert torch.Tensor.__module__ == "torch" and isinstance(torch.ones(1), torch.Tensor)
assert logsumexp([1.0, 2.0]) > 2
"""


def test_scipy_may_ask_what_a_tensor_is_while_torch_is_imported() -> None:
    found = subprocess.run(
        [sys.executable, "-c", _ASK], capture_output=True, text=True, timeout=120, check=False
    )
    assert found.returncode == 0, found.stderr[-2000:]
