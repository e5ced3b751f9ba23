"""Install Debian's Chromium for the browser tests where that may be done; say what to do where not. Never fails."""

from __future__ import annotations

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    if os.environ.get("MTBENCH_CHROMIUM") or any(map(shutil.which, NAMES)):
        return
    apt = shutil.which("apt-get")
    if apt is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        print("no Chromium: the browser tests will be skipped (Debian: apt-get install chromium)")
        return
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "check": False}
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = [apt, "install", "--yes", "--no-install-recommends", "chromium"]
    for command in (install, [apt, "update"], install):
        try:
            subprocess.run(command, env=environment, timeout=600, **quiet)
        except (OSError, subprocess.TimeoutExpired):
            break
        if any(map(shutil.which, NAMES)):
            return
    print("Chromium could not be installed: the browser tests will be skipped")


if __name__ == "__main__":
    main()
