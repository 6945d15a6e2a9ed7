"""The process that runs an ONNX network: `python -m` with this module's name.

It takes the network and then pictures on its standard input until that closes. Memory is bounded
by the system, files beside the network are not there, so that a hostile one ends this process at
worst.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
from typing import Any

import numpy as np

MEMORY_MB = 6000  # of addresses; the runtime's own libraries take some 2,000
LONGEST_WORD = 100_000


def main() -> None:
    """Answer until the app is gone."""
    requests, answers = _private_pipes()
    os.chdir(tempfile.gettempdir())
    _bound_memory()
    try:
        session, told = _open(receive(requests)[1])
    except Exception as error:
        send(answers, {"error": type(error).__name__, "words": str(error)[:300]})
        return
    send(answers, told)
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            header, values = receive(requests)
            send(answers, *_run(session, told, header, values))


def _private_pipes() -> tuple[io.FileIO, io.FileIO]:
    """Keep the pipes for messages alone: what a library prints goes nowhere."""
    requests, answers = io.FileIO(os.dup(0), "r"), io.FileIO(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    return requests, answers


def _bound_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # no such thing on Windows
        import resource

        limit = MEMORY_MB * 1_000_000
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _open(program: bytes) -> tuple[Any, dict[str, Any]]:
    """Return the session, and what it says of itself."""
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(program, options, providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    return session, {
        "inputs": [(each.name, list(each.shape), each.type) for each in session.get_inputs()],
        "outputs": [(each.name, list(each.shape), each.type) for each in session.get_outputs()],
        "metadata": {str(k)[:200]: str(v)[:LONGEST_WORD] for k, v in metadata.items()},
    }


def _run(
    session: Any, told: dict[str, Any], header: dict[str, Any], values: bytes
) -> tuple[dict[str, Any], bytes]:
    """Return the scores of pictures, or why there are none."""
    try:
        name, _, kind = told["inputs"][0]
        pictures = np.frombuffer(values, np.float32).reshape(header["shape"])
        given = pictures.astype(np.float16 if "float16" in kind else np.float32)
        together = len(given) if header["together"] else 1
        rows = [
            np.asarray(session.run([told["outputs"][0][0]], {name: given[n : n + together]})[0])
            for n in range(0, len(given), together)
        ]
        scores = np.ascontiguousarray(np.concatenate(rows), dtype=np.float32)
        return {"shape": scores.shape}, scores.tobytes()
    except Exception as error:
        return {"error": type(error).__name__, "words": str(error)[:300]}, b""


def send(stream: Any, header: dict[str, Any], values: bytes = b"") -> None:
    """Write a header and the bytes that belong to it."""
    told = json.dumps(header).encode()
    for piece in (len(told).to_bytes(8, "little"), told, len(values).to_bytes(8, "little"), values):
        view = memoryview(piece)
        while view:
            view = view[stream.write(view) or 0 :]


def receive(stream: Any) -> tuple[dict[str, Any], bytes]:
    """Return the next header and its bytes.

    Raises
    ------
    EOFError
        If the other side is gone.
    """
    header = json.loads(_read(stream, int.from_bytes(_read(stream, 8), "little")))
    return header, bytes(_read(stream, int.from_bytes(_read(stream, 8), "little")))


def _read(stream: Any, count: int) -> bytearray:
    if count > 1 << 31:
        raise EOFError
    piece = bytearray(count)
    view, done = memoryview(piece), 0
    while done < count:
        got = stream.readinto(view[done:])
        if not got:
            raise EOFError
        done += got
    return piece


if __name__ == "__main__":
    main()
