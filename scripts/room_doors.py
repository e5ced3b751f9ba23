"""A contract for import-linter: rooms are entered through their doors.

``from mtbench.speech.audio import resample`` is for siblings of ``audio``; whoever lives elsewhere writes
``from mtbench.speech import resample``. What a room gives out is named in its ``__init__.pyi``, which the package's
``__init__`` reads; so a file can be split or renamed without a change anywhere else.
"""

from __future__ import annotations

from typing import Any

from importlinter import Contract, ContractCheck, fields, output


class DoorsContract(Contract):
    """Modules of a package are imported by modules of the same package only, others import the package.

    Options
    -------
    root : str
        Package whose own modules anybody may import.
    """

    type_name = "doors"

    root = fields.StringField()

    def check(self, graph: Any, verbose: bool) -> ContractCheck:
        """Look at every import of *graph*."""
        packages = {name.rpartition(".")[0] for name in graph.modules}
        passed_by: list[tuple[str, str]] = []
        for imported in sorted(graph.modules):
            room = imported.rpartition(".")[0]
            if imported in packages or room in ("", self.root):
                continue
            for importer in sorted(graph.find_modules_that_directly_import(imported)):
                if importer != room and not importer.startswith(f"{room}."):
                    passed_by.append((importer, imported))
        return ContractCheck(kept=not passed_by, metadata={"passed_by": passed_by})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print the imports that pass a door by."""
        for importer, imported in check.metadata["passed_by"]:
            room = imported.rpartition(".")[0]
            output.print_error(
                f"{importer} imports {imported}: import from {room}, and name it in {room}'s __init__.pyi"
            )
