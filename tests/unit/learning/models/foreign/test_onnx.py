"""ONNX networks: answers as the runtime gives them, explained by hiding, bounded."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from core.errors import UnusableModel, UserError
from core.learning.adding import add_model
from core.learning.classifying import classify
from core.learning.explaining import explain, fitting_methods
from core.learning.models import load_model
from core.learning.models.borrowed.onnx_graph import last_operator
from core.micrograph import Micrograph

NAMES = ("alloys", "dendrites", "rods")


def network(
    softmax: bool = True,
    channels: int = 3,
    count: Any = "n",
    side: Any = 64,
    last: str = "Softmax",
    outputs: int = 3,
) -> Any:
    """A convolution, a global average and one linear layer."""
    draw = np.random.default_rng(0)
    weights = {
        "w": draw.normal(0, 0.3, (8, channels, 5, 5)),
        "f": draw.normal(0, 1, (8, outputs)),
        "b": draw.normal(0, 0.1, outputs),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], kernel_shape=[5, 5], strides=[2, 2]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["g"]),
        helper.make_node("Flatten", ["g"], ["l"]),
        helper.make_node("Gemm", ["l", "f", "b"], ["s"]),
        helper.make_node(last, ["s"], ["y"], **({"axis": 1} if last == "Softmax" else {})),
    ]
    taken = helper.make_tensor_value_info("x", TensorProto.FLOAT, [count, channels, side, side])
    given = helper.make_tensor_value_info(
        "y" if softmax else "s", TensorProto.FLOAT, [count, outputs]
    )
    kept = [numpy_helper.from_array(v.astype(np.float32), k) for k, v in weights.items()]
    graph = helper.make_graph(nodes if softmax else nodes[:-1], "net", [taken], [given], kept)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(
        made,
        {"names": str(dict(enumerate(NAMES[: max(2, outputs)]))), "mean": "[0.5]", "std": "[0.25]"},
    )
    return made


@pytest.fixture
def frame() -> Micrograph:
    pixels = np.random.default_rng(0).integers(0, 255, (90, 120)).astype(np.uint8)
    pixels[20:60, 30:70] //= 4
    return Micrograph("frame", pixels)


@pytest.mark.parametrize("softmax", [True, False])
@pytest.mark.parametrize("count", ["n", 1])
def test_answers_are_the_runtimes_own(
    tmp_path: Path, frame: Micrograph, softmax: bool, count: Any
) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(network(softmax, count=count), path)
    classifier = load_model(path, device="cpu")
    assert classifier.card.classes == NAMES
    seen = (classifier.preparation(frame)[None, None] - 0.5) / 0.25
    session = onnxruntime.InferenceSession(str(path))
    (scores,) = session.run(None, {"x": np.repeat(seen, 3, axis=1).astype(np.float32)})[0]
    expected = scores if softmax else np.exp(scores) / np.exp(scores).sum()
    for answer in classify(classifier, [frame, frame]):
        assert list(answer.probabilities.values()) == pytest.approx(expected.tolist(), abs=1e-5)


@pytest.mark.parametrize("outputs", [1, 3])
def test_sigmoids_are_told_by_the_program_and_taken_as_they_are(
    tmp_path: Path, frame: Micrograph, outputs: int
) -> None:
    """Three are several labels; one is the probability of the second of two classes."""
    path = tmp_path / "net.onnx"
    onnx.save(network(last="Sigmoid", outputs=outputs), path)
    assert last_operator(path.read_bytes()) == "Sigmoid"
    classifier = load_model(path, device="cpu")
    assert classifier.card.multi_label is (outputs == 3)
    seen = np.repeat((classifier.preparation(frame)[None, None] - 0.5) / 0.25, 3, axis=1)
    session = onnxruntime.InferenceSession(str(path))
    (given,) = session.run(None, {"x": seen.astype(np.float32)})[0]
    expected = given.tolist() if outputs == 3 else [1 - given[0], given[0]]
    answer = classify(classifier, [frame])[0]
    assert list(answer.probabilities.values()) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("data", [b"", b"\x08", b"\x3a\xff\xff\xff\x7f", b"\x0f\x00", b"\xff" * 40])
def test_what_is_no_program_has_no_last_operator(data: bytes) -> None:
    assert last_operator(data) == ""


def test_explained_by_hiding_alone(tmp_path: Path, frame: Micrograph) -> None:
    onnx.save(network(channels=1), tmp_path / "net.onnx")
    classifier = load_model(tmp_path / "net.onnx", device="cpu")
    assert set(fitting_methods(classifier)) == {"occlusion", "rise", "random", "sobel"}
    assert explain(classifier, frame, "occlusion").heatmap.shape == frame.shape
    with pytest.raises(UserError, match=r"Grad-CAM needs gradients.*occlusion"):
        explain(classifier, frame)


def test_it_is_added_like_any_other(tmp_path: Path, frame: Micrograph) -> None:
    onnx.save(network(), tmp_path / "net.onnx")
    added = add_model(tmp_path / "net.onnx", "net.onnx")
    answer = classify(load_model(added.name, device="cpu"), [frame])[0]
    expected = classify(load_model(tmp_path / "net.onnx", device="cpu"), [frame])[0]
    assert answer.probabilities == pytest.approx(expected.probabilities, abs=1e-6)


def test_what_cannot_be_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"\x08\x09" + b"\xff" * 90)
    with pytest.raises(UnusableModel, match="ONNX network gives no answer"):
        load_model(tmp_path / "bad.onnx")
    onnx.save(network(channels=4), tmp_path / "four.onnx")
    with pytest.raises(UnusableModel, match="takes 4 channels"):
        load_model(tmp_path / "four.onnx")


def test_a_program_that_wants_all_memory_ends_alone(tmp_path: Path) -> None:
    """A few bytes that ask for 400 GB: the process that runs it fails, not the app."""
    shape = numpy_helper.from_array(np.array([100, 1000, 1000, 1000], np.int64), "shape")
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["huge"]),
        helper.make_node("ReduceSum", ["huge"], ["sum"], keepdims=1),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]
    taken = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 64, 64])
    given = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "bomb", [taken], [given], [shape])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(made, tmp_path / "bomb.onnx")
    with pytest.raises(UnusableModel, match="ONNX network gives no answer"):
        load_model(tmp_path / "bomb.onnx")
