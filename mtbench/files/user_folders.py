"""The user's folders: home, where there is one, and the platform's places for caches and data.

Conventions
-----------
Containers run programs as users without an entry in the list of users and without ``HOME``: then a folder has to
be named, and the message says by which variable.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mtbench.errors import PrerequisiteError, UsageError


def home_folder(variable: str) -> Path:
    """Return the user's home folder.

    Parameters
    ----------
    variable : str
        Environment variable that names a folder of its own and so makes a home needless; for the message.

    Raises
    ------
    PrerequisiteError
        Where the user has no home folder.
    """
    try:
        return Path.home()
    except RuntimeError:
        raise PrerequisiteError(
            f"this user has no home folder (HOME is not set, and the system knows of none): "
            f"set {variable} to a folder that can be written to"
        ) from None


def expand_home(path: str | Path) -> Path:
    """Return *path* with a leading ``~`` or ``~name`` replaced by that user's home folder.

    Raises
    ------
    UsageError
        Where that user has none.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UsageError(f"{path}: no home folder is known for it; write the whole path") from None


def choose_folder(variable: str, mac: str, windows: str, xdg: str, otherwise: str) -> Path:
    """Return the program's folder of one kind: the one that *variable* names, else the platform's.

    Parameters
    ----------
    variable : str
        Environment variable by which a user names the folder.
    mac : str
        The program's folder in the user's home on macOS.
    windows : str
        The program's folder in ``%LOCALAPPDATA%`` on Windows.
    xdg : str
        Variable of the XDG Base Directory Specification that names the parent elsewhere.
    otherwise : str
        Parent in the user's home where *xdg* is not set.

    Raises
    ------
    PrerequisiteError
        Where nothing is set and the user has no home folder.
    """
    if given := os.environ.get(variable):
        return expand_home(given)
    if sys.platform == "darwin":
        return home_folder(variable) / mac
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else home_folder(variable) / "AppData" / "Local") / windows
    chosen = os.environ.get(xdg)
    return (Path(chosen) if chosen else home_folder(variable) / otherwise) / "mtbench"


def name_user() -> None:
    """Give a process whose user has no name one (``uid-12345``): torch asks for it when it is imported, and fails.

    Containers run as such users. Only the environment of this process and its children changes.
    """
    import getpass

    try:
        getpass.getuser()
    except (KeyError, OSError, ImportError):
        os.environ["USER"] = f"uid-{os.getuid()}"
