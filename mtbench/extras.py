"""What is not part of the base installation: the extras, and what to say where one is missing.

Conventions
-----------
The base installation measures vertex errors and error rates, validates, compares and prints tables; it has neither
torch nor numba. Whatever needs more asks :func:`require_extra` before it imports, so that a missing package is a
line that names the extra. Up to 2.11 torch and torchaudio have to be of the same release, and a CPU build of one wants
a CPU build of the other: requirements cannot express it, so the message says what goes together.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util

from mtbench.errors import PrerequisiteError

#: Name on PyPI of this package.
DISTRIBUTION = "multitalk-bench"
#: Modules that each extra brings, as ``pyproject.toml`` has it (packages may be called otherwise).
EXTRAS: dict[str, tuple[str, ...]] = {
    "judge": ("torch", "torchaudio", "numba", "safetensors"),
    "reference": ("torch", "safetensors", "filelock", "transformers"),
    "render": ("numba",),
    "pyrender": ("numba", "trimesh", "pyrender"),
    "video": ("numba", "av"),
    "synth": ("espeakng_loader", "wordfreq", "pykakasi", "pythainlp", "jieba"),
    "published": ("torch", "safetensors", "sentencepiece", "tokenizers", "uroman"),
    "espnet": ("torch", "safetensors", "sentencepiece", "espnet2"),
    "report": ("pandas", "matplotlib"),
    "glb": ("pygltflib",),
}
#: What parts of mtbench are installed for.
PARTS = {
    "mtbench.avsr": "judge",
    "mtbench.reference_model": "reference",
    "mtbench.renderers": "render",
    "mtbench.synth": "synth",
    "mtbench.meta": "report",
}
#: First release of torch that was tested, and last one of torchaudio, which goes with every later torch.
FIRST_TORCH, LAST_TORCHAUDIO = (2, 6), (2, 11)


def has_module(name: str) -> bool:
    """Whether module *name* is installed; it is not imported.

    Examples
    --------
    >>> has_module("numpy"), has_module("no_such_module")
    (True, False)
    """
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def missing_modules(extra: str) -> tuple[str, ...]:
    """Return those modules of *extra* that are not installed.

    Examples
    --------
    >>> set(missing_modules("judge")) <= set(EXTRAS["judge"])
    True
    """
    return tuple(name for name in EXTRAS[extra] if not has_module(name))


def install_command(extra: str) -> str:
    """Return the command that installs *extra*.

    Examples
    --------
    >>> install_command("judge")
    "pip install 'multitalk-bench[judge]'"
    """
    return f"pip install '{DISTRIBUTION}[{extra}]'"


def require_extra(extra: str, what: str, *modules: str) -> None:
    """Raise unless *extra* is installed.

    Parameters
    ----------
    extra : str
        One of :data:`EXTRAS`.
    what : str
        Who needs it; begins the message.
    *modules : str
        Those of the extra that *what* needs; all of them by default.

    Raises
    ------
    PrerequisiteError
        Naming the extra and the command that installs it; or, where torch and torchaudio are of different releases
        and do not work together, the pair to install.
    """
    wanted = modules or EXTRAS[extra]
    missing = [name for name in wanted if not has_module(name)]
    if missing:
        raise PrerequisiteError(describe_missing(extra, what, missing))
    if "torchaudio" in wanted and (trouble := torch_trouble()) is not None:
        raise PrerequisiteError(f"{what} cannot run: {trouble}")


def describe_missing(extra: str, what: str, missing: list[str] | tuple[str, ...]) -> str:
    """Return the message for modules of *extra* that are missing.

    Examples
    --------
    >>> describe_missing("judge", "the recognizer openhead-av", ["torch", "torchaudio"])
    "the recognizer openhead-av needs torch and torchaudio, not installed here: pip install 'multitalk-bench[judge]'"
    """
    names = " and ".join([", ".join(missing[:-1]), missing[-1]] if len(missing) > 1 else missing)
    return f"{what} needs {names}, not installed here: {install_command(extra)}"


def explain_missing(error: ImportError) -> str | None:
    """Return which extra an import that failed asks for, None where no extra brings the module.

    Parameters
    ----------
    error : ImportError
        With its traceback, which tells the part of mtbench that needs the module.

    Examples
    --------
    >>> explain_missing(ModuleNotFoundError("No module named 'mtbench.nothing'", name="mtbench.nothing")) is None
    True
    """
    module = (error.name or "").partition(".")[0]
    found = [extra for extra, modules in EXTRAS.items() if module in modules]
    if not found or has_module(module):
        return None
    frame = error.__traceback__
    while frame is not None:
        part = ".".join(frame.tb_frame.f_globals.get("__name__", "").split(".")[:2])
        if PARTS.get(part) in found:
            return describe_missing(PARTS[part], f"this part of mtbench ({part})", [module])
        frame = frame.tb_next
    return describe_missing(found[0], "this", [module])


def torch_releases() -> tuple[str | None, str | None]:
    """Return the versions of torch and torchaudio as installed, None for what is not."""
    found: list[str | None] = []
    for name in ("torch", "torchaudio"):
        try:
            found.append(importlib.metadata.version(name) if has_module(name) else None)
        except importlib.metadata.PackageNotFoundError:
            found.append(None)
    return found[0], found[1]


def torch_trouble() -> str | None:
    """Return why torch and torchaudio cannot be used together, None where they can.

    Both are imported: whether two releases fit shows only then.
    """
    torch, torchaudio = torch_releases()
    try:
        importlib.import_module("torch")
        importlib.import_module("torchaudio")
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        return (
            f"torch {torch} and torchaudio {torchaudio} do not work together ({first}); {pair_advice(torch)}"
        )
    return None


def pair_advice(torch: str | None) -> str:
    """Return which torchaudio to install for a *torch* of this version.

    Examples
    --------
    >>> pair_advice("2.8.0+cu128")
    "torch 2.8 goes with torchaudio 2.8: pip install 'torchaudio==2.8.*'"
    >>> pair_advice("2.14.1+cu130")
    "torch 2.14 goes with torchaudio 2.11: pip install 'torchaudio==2.11.*'"
    >>> pair_advice("2.13.0+cpu").partition(":")[0]
    'torch 2.13 goes with torchaudio 2.11, and a CPU build with a CPU build'
    >>> pair_advice(None)
    "install both: pip install 'multitalk-bench[judge]'"
    """
    try:
        release = tuple(int(part) for part in (torch or "").split("+")[0].split(".")[:2])
    except ValueError:
        release = ()
    if torch is None or len(release) != 2:
        return f"install both: {install_command('judge')}"
    if release < FIRST_TORCH:
        return f"torch {_dotted(release)} is too old: {install_command('judge')}"
    fits = _dotted(min(release, LAST_TORCHAUDIO))
    text = f"torch {_dotted(release)} goes with torchaudio {fits}"
    command = f"pip install 'torchaudio=={fits}.*'"
    if torch.endswith("+cpu"):
        text += ", and a CPU build with a CPU build"
        command += " --index-url https://download.pytorch.org/whl/cpu"
    return f"{text}: {command}"


def _dotted(release: tuple[int, ...]) -> str:
    return ".".join(map(str, release))
