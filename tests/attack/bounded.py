"""Give a file to a child process of limited memory, and say what came of it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.law import MOST_BYTES

ROOT = Path(__file__).resolve().parents[2]

_CHILD = """
import json, resource, sys, time
from pathlib import Path
from core.errors import UnreadableMicrograph
from core.imaging.reading import read_micrograph, uploads
from core.imaging.reading.formats import raster, tiff
import cv2
data = Path(sys.argv[1]).read_bytes()
held = next(int(l.split()[1]) * 1024 for l in open('/proc/self/status') if l.startswith('VmSize'))
resource.setrlimit(resource.RLIMIT_AS, (held + int(sys.argv[2]),) * 2)
started = time.process_time()
try:
    if sys.argv[3] == 'archive':
        found = [type(one).__name__ + str(getattr(one, 'error', '')) for one in
                 uploads.unpack([('a.zip', data)])]
        outcome = '; '.join(found[:3])
    else:
        outcome = 'read ' + str(read_micrograph(data, sys.argv[4]).shape)
except UnreadableMicrograph as error:
    outcome = str(error)
seconds = time.process_time() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({'outcome': outcome, 'seconds': seconds, 'peak': peak}))
"""


@dataclass(frozen=True)
class Outcome:
    """What a person is told, and what it cost."""

    sentence: str
    seconds: float


def give(path: Path, kind: str = "picture", name: str = "a.bin") -> Outcome:
    """Read a file within 1 GB more than an idle app holds; anything but a sentence is an error."""
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path), str(MOST_BYTES), kind, name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-500:]
    said = json.loads(child.stdout.splitlines()[-1])
    return Outcome(said["outcome"], said["seconds"])
