"""What the wheel holds, and that nothing but ``mtbench`` lands in site-packages."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from mtbench.extras import EXTRAS

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("renderers", "avsr", "reference_model", "leaderboard")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    # Built from a copy, so that a `build/` folder in the checkout can neither leak into the wheel nor be left behind.
    copy = tmp_path_factory.mktemp("source")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in listing.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(copy)],
        check=True,
        capture_output=True,
    )
    (path,) = out.glob("*.whl")
    return path


def test_wheel_holds_only_mtbench(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {n.split("/")[0] for n in names}
    assert tops == {"mtbench", wheel.name.split("-py3")[0] + ".dist-info"}


def test_wheel_holds_every_module_and_asset(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for stage in STAGES:
        for module in [*(ROOT / stage).rglob("*.py"), *(ROOT / stage).rglob("__init__.pyi")]:
            assert f"mtbench/{module.relative_to(ROOT)}" in names
    for file in (ROOT / "mtbench").rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts and file.suffix not in {".nbi", ".nbc"}:
            assert str(file.relative_to(ROOT)) in names
    for stage in ("avsr", "reference_model"):
        for file in (ROOT / stage / "weights").glob("*"):
            assert f"mtbench/{stage}/weights/{file.name}" in names


def test_bundled_data_stays_small(wheel):
    sizes = {i.filename: i.compress_size for i in zipfile.ZipFile(wheel).infolist()}
    assert sum(s for n, s in sizes.items() if "/benchmarks/openhead-20/" in n) < 12e6
    # Its versions share the sound: nothing in the folder is there twice.
    named = [i for i in zipfile.ZipFile(wheel).infolist() if "/benchmarks/openhead-20/" in i.filename]
    assert len({(i.CRC, i.file_size) for i in named}) == len(named)
    assert sizes["mtbench/data/openhead-1.npz"] < 1e6
    weights = [name for name in sizes if name.endswith(".safetensors")]
    assert weights
    # The frozen encoder of Whisper-base in whole numbers of eight bits; what is trained here is smaller.
    (ear,) = [name for name in weights if name.endswith("/whisper-base-int8.safetensors")]
    assert sizes[ear] <= 18e6
    assert all(sizes[name] <= 15e6 for name in weights if name != ear)


def test_sound_of_voices_under_the_gpl_is_not_in_the_wheel(wheel):
    from mtbench.synth.engine_parts import find_clip_voice
    from mtbench.synth.engine_terms import find_terms

    names = zipfile.ZipFile(wheel).namelist()
    clips = [Path(name).stem for name in names if "/openhead-engines" in name and name.endswith(".flac")]
    clips.remove("babble")
    assert clips
    assert all(find_terms(find_clip_voice(clip).name).ships for clip in clips)
    for notices in ("data/voice-notices.txt", "data/benchmarks/openhead-engines/VOICES.txt"):
        assert f"mtbench/{notices}" in names


def test_entry_point_and_name(wheel):
    archive = zipfile.ZipFile(wheel)
    info = wheel.name.split("-py3")[0] + ".dist-info"
    assert "mtbench = mtbench.cli:main" in archive.read(f"{info}/entry_points.txt").decode()
    assert "Name: multitalk-bench" in archive.read(f"{info}/METADATA").decode()


def test_every_package_is_listed():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    listed = set(config["tool"]["setuptools"]["packages"])
    found = {".".join(p.parent.relative_to(ROOT).parts) for p in (ROOT / "mtbench").rglob("__init__.py")}
    found |= {
        f"mtbench.{'.'.join(p.parent.relative_to(ROOT).parts)}"
        for s in STAGES
        for p in (ROOT / s).rglob("__init__.py")
    }
    assert listed == found


def requirements(extra: str | None) -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = project["dependencies"] if extra is None else project["optional-dependencies"][extra]
    return {r.name: r for r in map(Requirement, lines)}


def test_the_base_installation_needs_nothing_heavy():
    light = {"numpy", "scipy", "soundfile", "jiwer", "pydantic", "typer", "rich", "jinja2"}
    assert set(requirements(None)) == light


def test_extras_are_what_messages_say():
    packages = {"espeakng_loader": "espeakng-loader", "espnet2": "espnet"}
    for extra, modules in EXTRAS.items():
        assert set(requirements(extra)) == {packages.get(m, m) for m in modules}, extra
    (everything,) = requirements("all").values()
    assert everything.name == "multitalk-bench"
    assert everything.extras == set(EXTRAS) - {"espnet"}  # which wants an environment of its own


def test_torch_has_the_range_that_was_tried():
    for extra in ("judge", "reference"):
        torch = requirements(extra)["torch"].specifier
        assert [v for v in ("2.5.1", "2.6.0", "2.11.0", "2.14.1", "2.15.0") if v in torch] == [
            "2.6.0",
            "2.11.0",
            "2.14.1",
        ]
    assert "2.11.0" in requirements("judge")["torchaudio"].specifier
    assert "2.12.0" not in requirements("judge")["torchaudio"].specifier


def test_the_citation_is_that_of_this_version():
    import mtbench

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = (ROOT / "CITATION.cff").read_text("utf-8").splitlines()
    fields = dict(line.split(": ", 1) for line in lines if re.match(r"[a-z-]+: \S", line))
    assert fields["cff-version"] == "1.2.0"
    assert fields["version"] == project["version"] == mtbench.__version__
    assert fields["license"] == project["license"]
    assert project["authors"][0]["name"] in (ROOT / "CITATION.cff").read_text("utf-8")
    assert {"authors:", "references:"} <= set(lines)


def test_the_citation_can_be_read():
    """Keys that the format's schema 1.2.0 asks for; checked with cffconvert when the file changed."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    for reference in citation["references"]:
        assert {"type", "title", "authors", "year"} <= reference.keys()
        assert all(author["family-names"] and author["given-names"] for author in reference["authors"])
