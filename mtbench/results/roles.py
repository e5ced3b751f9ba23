"""What an entry is: a control, the reference model, or a system under test.

Conventions
-----------
Control entries and the reference model say so in their manifests (``model.name``, ``model.code``), which results
carry. Nothing hangs on it but where an entry is shown and what others are compared with: a system that calls itself a
control only takes itself out of the ranking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtbench.results.run_files import Run

#: How the manifests of control entries begin their model's name, and what those of the reference model give as code.
CONTROL_PREFIX = "control entry "
REFERENCE_CODE = "mtbench.reference_model"


def role_of(run: Run) -> str:
    """Return ``"control"``, ``"reference"`` or ``"system"``."""
    if str(run.system.model.get("name") or "").startswith(CONTROL_PREFIX):
        return "control"
    if run.system.model.get("code") == REFERENCE_CODE:
        return "reference"
    return "system"
