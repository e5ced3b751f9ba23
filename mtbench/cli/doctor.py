"""A check-up of the machine for people: ``mtbench doctor``.

:func:`examine` returns findings, one for each thing that may be missing, each with what to do about it.
"""

from __future__ import annotations

import platform
import shutil
import sys
from dataclasses import dataclass
from tempfile import TemporaryFile

from mtbench.extras import EXTRAS, install_command, missing_modules, torch_releases, torch_trouble
from mtbench.work import package_version

#: Those of them without which nothing works.
_BASE = ("numpy", "scipy", "jiwer", "soundfile", "pydantic")
#: What each extra is for.
_EXTRAS = {
    "judge": "the bundled recognizer: error rates of mtbench score",
    "render": "the software renderer: mtbench render, mtbench.render",
    "reference": "the reference model",
    "pyrender": "the second renderer",
    "video": "mtbench render --video without ffmpeg, sound of videos",
    "synth": "building the bundled benchmark and word lists, training the recognizer",
    "published": "published recognizers: AV-HuBERT and its relatives, with weights of your own",
    "espnet": "Auto-AVSR and ViSpeR on ESPnet (Python 3.12 or 3.13), with weights of your own",
    "report": "plots, data frames",
    "glb": "mtbench export --glb: motion as GLB, for Blender and web pages",
}


@dataclass(frozen=True)
class Finding:
    """One line of ``mtbench doctor``.

    Attributes
    ----------
    name : str
        What was looked at.
    status : "ok", "absent" or "broken"
        Absent is fine for optional things.
    detail : str
        Version, digest, or what to do.
    """

    name: str
    status: str
    detail: str


def examine() -> list[Finding]:
    """Look at everything that a score may need."""
    findings = [
        Finding("python", "ok" if sys.version_info >= (3, 11) else "broken", platform.python_version()),
        *(_examine_package(name) for name in _BASE),
        *(_examine_extra(extra, purpose) for extra, purpose in _EXTRAS.items()),
        _examine_torch_pair(),
        _examine_weights(),
        _examine_head(),
        _examine_benchmark(),
        _examine_flame(),
        *(_examine_gl(platform) for platform in ("egl", "osmesa")),
        _examine_program("ffmpeg"),
        *([] if missing_modules("render") else [_examine_kernels()]),
        _examine_cache(),
    ]
    return findings


def _examine_package(name: str) -> Finding:
    version = package_version(name)
    return Finding(name, "ok" if version else "broken", version or f"pip install {name}")


def _examine_torch_pair() -> Finding:
    torch, torchaudio = torch_releases()
    name = "torch and torchaudio match"
    if torch is None or torchaudio is None:
        return Finding(name, "absent", f"only for the judge: {install_command('judge')}")
    trouble = torch_trouble()
    return (
        Finding(name, "ok", f"{torch}, {torchaudio}") if trouble is None else Finding(name, "broken", trouble)
    )


def _examine_weights() -> Finding:
    from mtbench.avsr import load_recognizer
    from mtbench.errors import MtbenchError

    if missing_modules("judge"):
        return Finding("recognizer openhead-av", "absent", f"needs the extra: {install_command('judge')}")
    try:
        recognizer = load_recognizer("openhead-av")
    except (MtbenchError, ImportError, OSError) as error:
        return Finding("recognizer openhead-av", "broken", str(error))
    return Finding(
        "recognizer openhead-av", "ok", f"digest {recognizer.digest}, {len(recognizer.languages)} languages"
    )


def _examine_head() -> Finding:
    from mtbench.faces import OPENHEAD, load_topology

    name = f"head {OPENHEAD.name}"
    try:
        return Finding(name, "ok", f"digest {load_topology(OPENHEAD.name).digest}")
    except Exception as error:
        return Finding(name, "broken", f"{error}; reinstall mtbench")


def _examine_benchmark() -> Finding:
    from mtbench.benchmarks import bundled_benchmarks, list_versions

    name = "openhead-20"
    try:
        versions = list_versions(bundled_benchmarks()[name])
        digests = ", ".join(f"@{one.version} {one.digest}" for one in versions)
    except Exception as error:
        return Finding(f"benchmark {name}", "broken", f"{error!s}; reinstall mtbench")
    return Finding(f"benchmark {name}", "ok", f"{len(versions[0].clips)} clips, digests {digests}")


def _examine_flame() -> Finding:
    from mtbench.faces import FLAME, load_topology

    try:
        topology = load_topology(FLAME.name)
    except Exception as error:
        return Finding("asset flame", "broken", str(error))
    if topology.renderable:
        return Finding("asset flame", "ok", f"digest {topology.digest}")
    return Finding(
        "asset flame", "absent", "only needed to render FLAME submissions: mtbench assets add flame FILE"
    )


def _examine_gl(kind: str) -> Finding:
    import ctypes.util

    library = ctypes.util.find_library({"egl": "EGL", "osmesa": "OSMesa"}[kind])
    package = {"egl": "libegl1", "osmesa": "libosmesa6"}[kind]
    if library:
        return Finding(f"OpenGL by {kind}", "ok", library)
    return Finding(f"OpenGL by {kind}", "absent", f"only for --renderer pyrender: install {package}")


def _examine_extra(extra: str, purpose: str) -> Finding:
    missing = missing_modules(extra)
    versions = ", ".join(f"{name} {_module_version(name)}" for name in EXTRAS[extra] if name not in missing)
    if not missing:
        return Finding(f"extra [{extra}]", "ok", versions)
    there = f" (there: {versions})" if versions else ""
    detail = f"lacks {', '.join(missing)}{there}; only for {purpose}: {install_command(extra)}"
    return Finding(f"extra [{extra}]", "absent", detail)


def _module_version(module: str) -> str:
    return package_version(module.replace("_", "-")) or "installed"


def _examine_program(name: str) -> Finding:
    path = shutil.which(name)
    return Finding(
        name, "ok" if path else "absent", path or "only for mtbench render --video, unless PyAV is there"
    )


def _examine_kernels() -> Finding:
    from mtbench.work import kernel_folder

    folder = kernel_folder()
    if folder is None:
        return Finding(
            "compiled kernels",
            "absent",
            "not kept, every process compiles again: set MTBENCH_CACHE to a folder",
        )
    return Finding("compiled kernels", "ok", f"kept in {folder}")


def _examine_cache() -> Finding:
    from mtbench.errors import MtbenchError
    from mtbench.files import check_output_folder, explain_os_error, writing
    from mtbench.work import Cache

    try:
        cache = Cache()
        check_output_folder(cache.root, "set MTBENCH_CACHE to another folder")
        if cache.root.is_dir():
            with (
                writing(cache.root, "set MTBENCH_CACHE to another folder"),
                TemporaryFile(dir=cache.root) as file,
            ):
                file.write(b"mtbench")
        size = sum(stage.bytes for stage in cache.sizes())
    except MtbenchError as error:
        return Finding("cache", "broken", str(error))
    except OSError as error:
        return Finding("cache", "broken", explain_os_error(error)[0])
    folder = cache.root
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return Finding("cache", "ok", f"{cache.root}, {size / 1e6:.0f} MB used, {free / 1e9:.0f} GB free")
